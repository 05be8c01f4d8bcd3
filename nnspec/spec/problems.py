"""Problems of a document's text and structure: NN001 to NN199."""

from __future__ import annotations

from collections.abc import Iterable

from nnspec.diagnostics import MISSPELLED, Diagnostic, Note, Problem, Span

_BODY = "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n"
_HEAD = "nnspec: 1\nname: net\n"
_GOOD = _HEAD + _BODY


class NoSuchFile(Problem):
    """A file named on the command line, or by another spec, does not exist."""

    code = "NN001"
    message = "file not found"


class NotAFile(Problem):
    """A spec must be a regular file, not a directory, a pipe or a device."""

    code = "NN002"
    message = "this is {what}, not a spec"


class UnreadableFile(Problem):
    """The file exists but cannot be read."""

    code = "NN003"
    message = "the file cannot be read: {reason}"


class NotText(Problem):
    """A spec must be UTF-8 text."""

    code = "NN004"
    message = "the file is not UTF-8 text: byte {byte}"


class LimitExceeded(Problem):
    """The document exceeds a limit. Limits keep a malicious spec from using unbounded time or memory; each can be raised.

    The limits are: bytes (of the file), depth (of lists and mappings), nodes (values, with aliases expanded), scalar
    (characters of one value), layers (after expanding blocks, repeats and networks), parameters (of one network),
    activations (bytes alive at once for one example), constants (bytes of those in expressions),
    errors (reported before checking stops), expanded (values made by params, expressions and repeats).
    """

    code = "NN005"
    message = "{what}; the limit `{limit}` is {most:,}"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 1_000_000_000}\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 1_000}\n"

    @classmethod
    def at(cls, span: Span, path: str = "", *, help: str = "", notes: Iterable[Note] = (), **facts: object) -> Diagnostic:
        help = help or f"if this is intended, raise the limit: `--limit {facts['limit']}=…`"
        return super().at(span, path, help=help, notes=notes, **facts)


class NoSpecInFolder(Problem):
    """``validate`` was given a folder that contains no ``.nnspec.yaml`` or ``.nnspec.yml`` file."""

    code = "NN007"
    message = "no spec found in this folder"


class UselessIgnore(Problem):
    """An ignore comment (``# nnspec: ignore[NN203]``) suppresses nothing, so it would hide a later warning on its line.

    Put the comment at the end of the line that the warning reports. Separate several codes with commas. Errors cannot
    be ignored.
    """

    code = "NN008"
    severity = "warning"
    fixable = "a code that suppresses nothing is removed"
    message = "{reason}"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2} # nnspec: ignore[NN231]\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n  - Dropout: {rate: 0.5} # nnspec: ignore[NN242]\n"


class ForbiddenCharacter(Problem):
    """YAML does not allow control characters."""

    code = "NN006"
    fixable = "the character is removed"
    message = "the character {code} is not allowed in YAML"
    fails = _HEAD + "description: a\x07bell\n" + _BODY
    passes = _GOOD


class NotYaml(Problem):
    """The text is not valid YAML: an unclosed bracket or quote, wrong indentation, or a tab."""

    code = "NN010"
    message = "invalid YAML: {reason}"
    fails = _HEAD + "inputs: {x: [4]\nlayers:\n  - Dense: {units: 2}\n"
    passes = _GOOD


class SeveralDocuments(Problem):
    """A spec is one YAML document; ``---`` in the middle starts another."""

    code = "NN011"
    message = "a second YAML document starts here; a spec must be a single document"
    advice = "move it to its own file, or remove the `---`"
    fails = _GOOD + "---\nname: other\n"
    passes = _GOOD


class DuplicateKey(Problem):
    """A mapping has the same key twice. YAML parsers differ in which one they keep, so this is an error."""

    code = "NN012"
    fixable = "a key that is given twice with the same value"
    message = "duplicate key `{key}`"
    fails = _HEAD + "name: other\n" + _BODY
    passes = _GOOD


class MergeKey(Problem):
    """Merge keys (``<<``) are not supported: they hide where a value comes from and can expand exponentially.

    Use a block or a param instead.
    """

    code = "NN013"
    fixable = "a merge key: its values are written out"
    message = "merge keys (`<<`) are not supported"
    advice = "write the values out, or use a param: `$width`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {<<: {units: 2}}\n"
    passes = _GOOD


class Tagged(Problem):
    """YAML tags are not supported: the type of a value follows from its position."""

    code = "NN014"
    fixable = "a tag of a type that the value has without it, or that quotes replace"
    message = "the YAML tag `{tag}` is not supported"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: !!int 2}\n"
    passes = _GOOD


class KeyIsNoScalar(Problem):
    """A key must be a string, not a list or a mapping. An unquoted ``${…}`` after a brace also reads as a mapping."""

    code = "NN015"
    message = "a key must be a string, not a list or a mapping"
    advice = 'write a string before the colon, and quote expressions: `"${…}"`'
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - {[Dense]: {units: 2}}\n"
    passes = _GOOD


class UnknownAlias(Problem):
    """An alias (``*name``) refers to an anchor (``&name``) that is not defined above it."""

    code = "NN016"
    fixable = MISSPELLED
    message = "the alias `*{name}` refers to an undefined anchor `&{name}`"
    fails = _HEAD + "inputs: {x: *shape}\nlayers:\n  - Dense: {units: 2}\n"
    passes = _HEAD + "inputs: {x: &shape [4], y: *shape}\nlayers:\n  - Add:\n    from: [x, y]\n"


class SelfReference(Problem):
    """An alias is inside the value it refers to, so expanding it would never end."""

    code = "NN017"
    message = "the alias `*{name}` is inside its own anchor"
    advice = "write the value out"
    fails = _HEAD + "inputs: {x: [4]}\nlayers: &all\n  - *all\n"
    passes = _GOOD


class NotAMapping(Problem):
    """A mapping is required here, but another type was given."""

    code = "NN101"
    message = "{what} must be a mapping, not {got}"
    fails = "- nnspec: 1\n- name: net\n"
    passes = _GOOD


class NotAList(Problem):
    """A list is required here, but another type was given."""

    code = "NN102"
    fixable = "steps that are written as keys, each on a line"
    message = "{what} must be a list, not {got}"
    fails = _HEAD + "inputs: {x: [4]}\nlayers: {Dense: {units: 2}}\n"
    passes = _GOOD


class UnknownKey(Problem):
    """The key is not defined here. Unknown keys are always errors, so a typo is never silently ignored."""

    code = "NN103"
    fixable = (
        "a misspelled key that can only mean one other, another framework's name of an argument, an argument that has no "
        "effect, a missing space after a colon"
    )
    message = "unknown key `{key}` in {where}"
    fails = _HEAD + "input: {x: [4]}\n" + _BODY
    passes = _GOOD


class MissingKey(Problem):
    """A required key is missing."""

    code = "NN104"
    fixable = "a missing `nnspec: 1`"
    message = "{where} requires `{key}`"
    fails = "nnspec: 1\n" + _BODY
    passes = _GOOD


class WrongValue(Problem):
    """A value has the wrong type or is out of range."""

    code = "NN105"
    fixable = (
        "a misspelled word that can only mean one other, or a value that is written as another type: "
        '`"64"`, `yes`, `10%`, `3x3`'
    )
    message = "{reason}"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: -2}\n"
    passes = _GOOD


class UnsupportedVersion(Problem):
    """The ``nnspec`` key states the language version of the document. This release supports version 1."""

    code = "NN106"
    fixable = "version 1 that is written as text"
    message = "unsupported language version {version}; this release supports version 1"
    fails = "nnspec: 2\nname: net\n" + _BODY
    passes = _GOOD


class BadName(Problem):
    """The name is invalid. Names are restricted so that they work in Keras, ONNX and file systems."""

    code = "NN107"
    fixable = "the name of the model"
    message = "`{name}` is not a valid name for {what}: it must match {pattern}"
    fails = "nnspec: 1\nname: My Net\n" + _BODY
    passes = _GOOD


class NotYet(Problem):
    """This part of the language is not implemented in this release."""

    code = "NN108"
    message = "{what} not supported in this release"


class BadShape(Problem):
    """A shape is a list of sizes without the batch axis. Each is a positive integer, a symbol such as ``T``, or null."""

    code = "NN110"
    fixable = "a symbol in lowercase, a quoted size, a single size without brackets"
    message = "{reason}"
    fails = _HEAD + "inputs: {x: [0]}\nlayers:\n  - Dense: {units: 2}\n"
    passes = _GOOD


class BadExpression(Problem):
    """The expression has a syntax error or cannot be evaluated.

    Expressions may use params and counters in scope, numbers, strings, `true`, `false`, `null`, lists and indexing,
    `+ - * / // % **`, comparisons, `and or not`, `a if c else b`, the functions `min max abs round len str range`, and
    list comprehensions: `${['stage' + str(i) for i in range(3) if i != 1]}`. A range has at most 10,000 numbers, and a result
    at most 10,000 characters or elements.
    """

    code = "NN120"
    fixable = "an operator of another language: `^`, `&`, `|`, `=`"
    message = "{reason}"
    fails = _HEAD + 'params: {width: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: "${width +}"}\n'
    passes = _HEAD + 'params: {width: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: "${width + 1}"}\n'


class UnknownParam(Problem):
    """An expression uses a param that is not defined, or is defined only further down."""

    code = "NN121"
    fixable = MISSPELLED
    message = "undefined param `{name}`"
    fails = _HEAD + "params: {width: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $widht}\n"
    passes = _HEAD + "params: {width: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $width}\n"


class UnusedParam(Problem):
    """Nothing uses this param. Its use may be misspelled, or a literal value may have been written instead of it."""

    code = "NN122"
    severity = "warning"
    message = "unused param `{name}`"
    fails = _HEAD + "params: {width: 2}\n" + _BODY
    passes = _HEAD + "params: {width: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $width}\n"


class RequiredParam(Problem):
    """The document declares this param without a ``default``, so a value must be given with ``--set params.NAME=VALUE``."""

    code = "NN123"
    message = "the param `{name}` has no value"
    fails = _HEAD + "params: {width: {type: int}}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $width}\n"
    passes = _HEAD + "params: {width: {type: int, default: 2}}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $width}\n"


class FailedCheck(Problem):
    """A ``check`` of the document, or of a block that it uses, is not met. The message is the check's own."""

    code = "NN124"
    message = "{reason}"
    advice = "change one of the values in the notes, or the check"
    fails = (
        _HEAD + "params: {width: 6, heads: 4}\ncheck:\n  - that: width % heads == 0\n    message: heads must divide width\n"
        "inputs: {x: [4]}\nlayers:\n  - Dense: {units: $width}\n"
    )
    passes = fails.replace("heads: 4", "heads: 3")


class BadCheck(Problem):
    """A check is an expression that is true or false: of params alone, or of sizes of inputs and outputs.

    `x.shape[1]` is a size of the input or output `x`; axis 0 is the batch, whose size is not part of the model. Numbers and
    params can be compared with any operator and function of an expression. Sizes that are free (`T`, `null`) are compared
    with `==`, `<=`, `<`, `>=` and `>`, after `+ - *`, `// N` and `% N`; comparisons are joined by `and`. Such a check becomes a
    condition, which `nnspec inspect` shows.
    """

    code = "NN125"
    message = "{reason}"
    fails = (
        _HEAD + "check:\n  - that: x.shape[1] != 3\n    message: three steps do not suffice\ninputs: {x: [T, 4]}\nlayers:\n"
        "  - Dense: {units: 2}\n"
    )
    passes = fails.replace("!= 3", "> 3")


class BadOverride(Problem):
    """``--set path=value`` replaces a value of the document or adds a key to an existing mapping."""

    code = "NN130"
    message = "--set {text}: {reason}"


class UnknownMember(Problem):
    """The layer, initializer, optimizer, loss, … does not exist. Names are the same as in Keras."""

    code = "NN109"
    fixable = MISSPELLED
    message = "unknown {kind} `{name}`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2, kernel_initializer: HeNormall}\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2, kernel_initializer: HeNormal}\n"


class NotAStep(Problem):
    """A step is an operation's name, or a mapping with one operation and the step's keys (``name``, ``from``, …)."""

    code = "NN201"
    message = "a step must be an operation, not {got}"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - [Dense, 2]\n"
    passes = _GOOD


class StepWithoutOperation(Problem):
    """The step has keys such as ``name`` or ``from`` but no operation."""

    code = "NN202"
    message = "this step has no operation"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - name: first\n"
    passes = _GOOD


class SeveralOperations(Problem):
    """Each step runs one operation. A missing ``- `` merges two steps into one."""

    code = "NN203"
    fixable = "the second operation becomes a step"
    message = "this step has two operations, `{first}` and `{second}`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n    Flatten:\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n  - Flatten:\n"


class UnknownLayer(Problem):
    """The operation is neither built in nor defined in the document. Built-in layers have the same names as in Keras."""

    code = "NN204"
    fixable = "a misspelled name that can only mean one other, or another framework's name of the layer"
    message = "unknown layer `{name}`"
    fails = _HEAD + "inputs: {x: [8, 8, 1]}\nlayers:\n  - Conv2d: {filters: 2, kernel_size: 3}\n"
    passes = _HEAD + "inputs: {x: [8, 8, 1]}\nlayers:\n  - Conv2D: {filters: 2, kernel_size: 3}\n"


class MisplacedKey(Problem):
    """A step key (``name``, ``from``, …) was indented into the arguments of the operation."""

    code = "NN205"
    fixable = "the key is moved next to the operation"
    message = "`{key}` is not an argument of `{op}`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense:\n      units: 2\n      name: first\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense:\n      units: 2\n    name: first\n"


class DuplicateName(Problem):
    """Two steps of one list, or a step and an input, have the same name."""

    code = "NN206"
    message = "duplicate name `{name}`"
    advice = "rename one of them"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n    name: a\n  - Dense: {units: 2}\n    name: a\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n    name: a\n  - Dense: {units: 2}\n    name: b\n"


def whole(file: str) -> Span:
    """Return a span for the whole file, used when something is missing from it."""
    return Span.whole(file)


_BLOCK = _HEAD + "blocks:\n  unit:\n    layers:\n      - {}\ninputs: {{x: [4]}}\nlayers:\n  - unit\n"


class RepeatedName(Problem):
    """A repeated group contains a fixed name, which would be duplicated. Include the counter in the name."""

    code = "NN207"
    message = "the name `{name}` would be used {count} times"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - repeat: 2\n    layers:\n      - Dense: {units: 4}\n        name: hidden\n"
    passes = (
        _HEAD + "inputs: {x: [4]}\nlayers:\n  - repeat: 2\n    as: i\n    layers:\n      - Dense: {units: 4}\n"
        "        name: hidden${i}\n"
    )


class BlockInItself(Problem):
    """A block contains itself, directly or through other blocks, so expanding it would never end."""

    code = "NN208"
    message = "recursive block: {chain}"
    advice = "remove the recursion; use `repeat` to run a step several times"
    fails = _BLOCK.format("unit")
    passes = _BLOCK.format("ReLU")


class UnusedDefinition(Problem):
    """No step uses this block or network."""

    code = "NN209"
    severity = "warning"
    message = "unused {kind} `{name}`"
    fails = _HEAD + "blocks:\n  unit:\n    layers:\n      - ReLU\n" + _BODY
    passes = _BLOCK.format("ReLU")


class OutsideRoot(Problem):
    """Paths in a spec must stay inside the project, so that an untrusted spec cannot read other files."""

    code = "NN140"
    message = "`{file}` is outside the project"
    fails = _HEAD + "use: [/etc/passwd]\n" + _BODY
    passes = _GOOD


class UseInCircle(Problem):
    """A document uses itself, directly or through other documents."""

    code = "NN141"
    message = "circular `use` of `{file}`"
    advice = "remove it: the blocks and networks of a document are already available in it"
    fails = _HEAD + "use: [net.nnspec.yaml]\n" + _BODY
    passes = _GOOD


class CannotUse(Problem):
    """The file under ``use`` is not a valid spec."""

    code = "NN142"
    message = "`{file}` cannot be used"
    advice = "write the path of an existing spec, relative to this file"
    fails = _HEAD + "use: [none.nnspec.yaml]\n" + _BODY
    passes = _GOOD


class MissingSpace(Problem):
    """YAML requires a space after the colon of a key; without it, the colon is part of the string."""

    code = "NN018"
    fixable = "the space is added"
    message = "missing space after `{after}`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense:{units: 2}\n"
    passes = _GOOD


class RunOn(Problem):
    """Keys of a step must be on their own lines, below the operation."""

    code = "NN019"
    fixable = "the key is put on its own line"
    message = "`{key}` is on the same line as `{op}`"
    fails = _HEAD + "inputs: {a: [4], b: [4]}\nlayers:\n  - Add from: [a, b]\n"
    passes = _HEAD + "inputs: {a: [4], b: [4]}\nlayers:\n  - Add:\n    from: [a, b]\n"


class NoColon(Problem):
    """An operation with keys below it must end with a colon, even if it has no arguments."""

    code = "NN020"
    fixable = "the colon is added"
    message = "missing colon after `{op}`, which has keys below it"
    fails = _HEAD + "inputs: {a: [4], b: [4]}\nlayers:\n  - Add\n    from: [a, b]\n"
    passes = _HEAD + "inputs: {a: [4], b: [4]}\nlayers:\n  - Add:\n    from: [a, b]\n"


class Tab(Problem):
    """YAML does not allow tabs for indentation; use spaces."""

    code = "NN021"
    fixable = "a step that is indented with tabs alone, like the steps above and below it"
    message = "this line is indented with a tab"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense:\n\t  units: 2\n"
    passes = _GOOD


class Unquoted(Problem):
    """The value contains characters that mean something else in YAML, so it must be quoted here.

    An unquoted brace starts a mapping, so ``${…}`` after a space or a bracket needs quotes. An expression of `Compute` needs
    quotes if it contains ``: `` or `` #``, or starts with ``- `` or one of ``[ { * & ! | > ' " % @``; in braces also if it
    contains a comma or a bracket.
    """

    code = "NN022"
    fixable = "the quotes are added"
    message = "`{value}` must be quoted here"
    fails = _HEAD + "params: {w: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: ${2 * w}}\n"
    passes = _HEAD + 'params: {w: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: "${2 * w}"}\n'


class TooDeep(Problem):
    """Steps can be nested (``Residual``, ``Parallel``, ``layers``, blocks, networks), but only up to a maximum depth.

    The depth counts every list between the document's own ``layers`` and the innermost list, through blocks and networks.
    """

    code = "NN303"
    message = "steps are nested more than {most} lists deep"
    advice = "flatten the innermost steps, or use fewer nested blocks"


class NoBraces(Problem):
    """Several keys on the line of another key form a flow mapping, which needs braces."""

    code = "NN023"
    fixable = "the braces are added"
    message = "the keys after `{after}` need braces around them"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: units: 2\n"
    passes = _GOOD


class BrokenPlugin(Problem):
    """A layer or an objective from an installed package (a plug-in) cannot be used.

    The package fails to import, two packages register the same name, or the object is not a layer (a subclass of
    ``nnspec.layers.base.Layer`` with ``infer`` and ``to_keras``) or not an objective (a subclass of
    ``nnspec.training.objectives.base.Objective``). ``nnspec layers`` lists all layers, including broken ones.
    """

    code = "NN320"
    message = "the {kind} `{name}` cannot be used: {reason}"
