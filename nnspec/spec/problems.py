"""What can be wrong with a document as text and as a structure: NN001 to NN199."""

from __future__ import annotations

from collections.abc import Iterable

from nnspec.diagnostics import Diagnostic, Note, Problem, Span

_BODY = "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n"
_HEAD = "nnspec: 1\nname: net\n"
_GOOD = _HEAD + _BODY


class NoSuchFile(Problem):
    """The file named on the command line, or by another spec, is not there."""

    code = "NN001"
    message = "there is no such file"


class NotAFile(Problem):
    """A spec is an ordinary file: not a directory, a pipe or a device."""

    code = "NN002"
    message = "this is {what}, not a spec"


class UnreadableFile(Problem):
    """The file is there but cannot be read."""

    code = "NN003"
    message = "the file cannot be read: {reason}"


class NotText(Problem):
    """A spec is UTF-8 text."""

    code = "NN004"
    message = "the file is not UTF-8 text: byte {byte}"


class LimitExceeded(Problem):
    """A document may cost only so much, so that a hostile one costs nobody an hour. Each limit can be raised.

    The limits: bytes (of the file), depth (of lists and mappings), nodes (values, aliases expanded), scalar (characters),
    layers (after blocks, repeats and uses of networks), parameters (of one network), activations (bytes alive at once for one
    example), errors (found before the rest is given up), expanded (values that params, expressions and repeats make).
    """

    code = "NN005"
    message = "{what}; the limit `{limit}` is {most:,}"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 1_000_000_000}\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 1_000}\n"

    @classmethod
    def at(cls, span: Span, path: str = "", *, help: str = "", notes: Iterable[Note] = (), **facts: object) -> Diagnostic:
        help = help or f"if this is meant, raise the limit: `--limit {facts['limit']}=…`"
        return super().at(span, path, help=help, notes=notes, **facts)


class NoSpecInFolder(Problem):
    """A folder was given to ``validate`` and holds no file that ends with ``.nnspec.yaml`` or ``.nnspec.yml``."""

    code = "NN007"
    message = "there is no spec in this folder"


class UselessIgnore(Problem):
    """``# nnspec: ignore[NN203]`` silences a warning on its line; one that silences nothing hides what comes there later.

    The comment stands at the end of the line that the warning names. Several codes are separated by commas. Errors cannot
    be ignored.
    """

    code = "NN008"
    severity = "warning"
    message = "{reason}"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2} # nnspec: ignore[NN231]\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n  - Dropout: {rate: 0.5} # nnspec: ignore[NN242]\n"


class ForbiddenCharacter(Problem):
    """YAML allows no control characters."""

    code = "NN006"
    message = "the character {code} is not allowed in YAML"
    fails = _HEAD + "description: a\x07bell\n" + _BODY
    passes = _GOOD


class NotYaml(Problem):
    """The text is not YAML: a bracket or quote that is not closed, a line indented by the wrong amount, a tab."""

    code = "NN010"
    message = "this is not YAML: {reason}"
    fails = _HEAD + "inputs: {x: [4]\nlayers:\n  - Dense: {units: 2}\n"
    passes = _GOOD


class SeveralDocuments(Problem):
    """A spec is one YAML document; ``---`` in the middle begins another."""

    code = "NN011"
    message = "a second YAML document begins here; a spec is one"
    advice = "write it in a file of its own, or remove the `---`"
    fails = _GOOD + "---\nname: other\n"
    passes = _GOOD


class DuplicateKey(Problem):
    """YAML parsers differ in which of two equal keys they keep, so two are an error."""

    code = "NN012"
    message = "the key `{key}` is given twice"
    advice = "keep one of the two"
    fails = _HEAD + "name: other\n" + _BODY
    passes = _GOOD


class MergeKey(Problem):
    """Merge keys (``<<``) hide where a value comes from, and nested ones take exponential time. Use a block or a param."""

    code = "NN013"
    message = "merge keys (`<<`) are not part of the language"
    advice = "write the values out, or take them from a param: `$width`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {<<: {units: 2}}\n"
    passes = _GOOD


class Tagged(Problem):
    """Types follow from where a value stands; YAML tags are not part of the language."""

    code = "NN014"
    message = "the tag `{tag}` is not part of the language"
    advice = "remove the tag; put a text that looks like a number in quotes"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: !!int 2}\n"
    passes = _GOOD


class KeyIsNoScalar(Problem):
    """A key is a word; a list or a mapping cannot be one. Unquoted ``${…}`` after a brace reads as a mapping, too."""

    code = "NN015"
    message = "a key must be a word, not a list or a mapping"
    advice = 'write a word before the colon, and put an expression in quotes: `"${…}"`'
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - {[Dense]: {units: 2}}\n"
    passes = _GOOD


class UnknownAlias(Problem):
    """An alias (``*name``) repeats what an anchor (``&name``) before it marked."""

    code = "NN016"
    message = "the alias `*{name}` has no anchor `&{name}` before it"
    advice = "mark what it stands for with `&` above, or write the value out"
    fails = _HEAD + "inputs: {x: *shape}\nlayers:\n  - Dense: {units: 2}\n"
    passes = _HEAD + "inputs: {x: &shape [4], y: *shape}\nlayers:\n  - Add:\n    from: [x, y]\n"


class SelfReference(Problem):
    """An alias inside what it stands for would never end."""

    code = "NN017"
    message = "`*{name}` stands inside what it refers to"
    advice = "write out what is meant"
    fails = _HEAD + "inputs: {x: [4]}\nlayers: &all\n  - *all\n"
    passes = _GOOD


class NotAMapping(Problem):
    """A part of the document that has keys was given as something else."""

    code = "NN101"
    message = "{what} must be a mapping of keys, not {got}"
    fails = "- nnspec: 1\n- name: net\n"
    passes = _GOOD


class NotAList(Problem):
    """A part of the document that is a list was given as something else."""

    code = "NN102"
    message = "{what} must be a list, not {got}"
    fails = _HEAD + "inputs: {x: [4]}\nlayers: {Dense: {units: 2}}\n"
    passes = _GOOD


class UnknownKey(Problem):
    """A key that means nothing here. Nothing is ever silently ignored, so that a slip of the pen is seen at once."""

    code = "NN103"
    message = "unknown key `{key}` in {where}"
    fails = _HEAD + "input: {x: [4]}\n" + _BODY
    passes = _GOOD


class MissingKey(Problem):
    """Something that has no default was not given."""

    code = "NN104"
    message = "{where} needs `{key}`"
    fails = "nnspec: 1\n" + _BODY
    passes = _GOOD


class WrongValue(Problem):
    """A value of the wrong type, or out of its range."""

    code = "NN105"
    message = "{reason}"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: -2}\n"
    passes = _GOOD


class UnsupportedVersion(Problem):
    """The first key says which version of the language the document is written in; this is version 1."""

    code = "NN106"
    message = "this is nnspec 1; the document asks for {version}"
    fails = "nnspec: 2\nname: net\n" + _BODY
    passes = _GOOD


class BadName(Problem):
    """Names are kept to what every tool the model meets can bear."""

    code = "NN107"
    message = "`{name}` cannot be the name of {what}: it must match {pattern}"
    fails = "nnspec: 1\nname: My Net\n" + _BODY
    passes = _GOOD


class NotYet(Problem):
    """Part of the language that this release does not build."""

    code = "NN108"
    message = "{what} not in this release"


class BadShape(Problem):
    """A shape is a list of sizes without the batch axis: positive integers, symbols such as ``T``, or null."""

    code = "NN110"
    message = "{reason}"
    fails = _HEAD + "inputs: {x: [0]}\nlayers:\n  - Dense: {units: 2}\n"
    passes = _GOOD


class BadExpression(Problem):
    """An expression that cannot be read or has no value.

    Expressions have the params and counters in scope, numbers, strings, `true`, `false`, `null`, lists and indexing,
    `+ - * / // % **`, comparisons, `and or not`, `a if c else b`, the functions `min max abs round len str range`, and
    computed lists: `${['stage' + str(i) for i in range(3) if i != 1]}`. A range has at most 10,000 numbers, and a result
    10,000 characters or elements.
    """

    code = "NN120"
    message = "{reason}"
    fails = _HEAD + 'params: {width: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: "${width +}"}\n'
    passes = _HEAD + 'params: {width: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: "${width + 1}"}\n'


class UnknownParam(Problem):
    """An expression names a param that is not defined, or only further down."""

    code = "NN121"
    message = "there is no param `{name}` here"
    fails = _HEAD + "params: {width: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $widht}\n"
    passes = _HEAD + "params: {width: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $width}\n"


class UnusedParam(Problem):
    """A param that nothing uses: often one whose use was misspelt, or a number that was meant to be it."""

    code = "NN122"
    severity = "warning"
    message = "the param `{name}` is not used"
    fails = _HEAD + "params: {width: 2}\n" + _BODY
    passes = _HEAD + "params: {width: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $width}\n"


class BadOverride(Problem):
    """``--set path=value`` replaces a value of the document, or adds one in a mapping that is there."""

    code = "NN130"
    message = "--set {text}: {reason}"


class UnknownMember(Problem):
    """A layer, an initializer, an optimizer, a loss … of a name that is not known. Names are Keras's."""

    code = "NN109"
    message = "there is no {kind} `{name}`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2, kernel_initializer: HeNormall}\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2, kernel_initializer: HeNormal}\n"


class NotAStep(Problem):
    """A step is an operation's name, or a mapping with one operation and what stands beside it."""

    code = "NN201"
    message = "a step is an operation, not {got}"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - [Dense, 2]\n"
    passes = _GOOD


class StepWithoutOperation(Problem):
    """A step that has a name or a source, and nothing to run."""

    code = "NN202"
    message = "this step has no operation"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - name: first\n"
    passes = _GOOD


class SeveralOperations(Problem):
    """Each step runs one operation; a forgotten ``- `` puts two into one step."""

    code = "NN203"
    message = "this step has two operations, `{first}` and `{second}`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n    Flatten:\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n  - Flatten:\n"


class UnknownLayer(Problem):
    """An operation that is neither built in nor defined in the document. Built-in ones keep Keras's names."""

    code = "NN204"
    message = "there is no layer `{name}`"
    fails = _HEAD + "inputs: {x: [8, 8, 1]}\nlayers:\n  - Conv2d: {filters: 2, kernel_size: 3}\n"
    passes = _HEAD + "inputs: {x: [8, 8, 1]}\nlayers:\n  - Conv2D: {filters: 2, kernel_size: 3}\n"


class MisplacedKey(Problem):
    """What stands beside an operation (``name``, ``from`` …) was indented into its arguments."""

    code = "NN205"
    message = "`{key}` is no argument of `{op}`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense:\n      units: 2\n      name: first\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense:\n      units: 2\n    name: first\n"


class DuplicateName(Problem):
    """Two steps of one list, or a step and an input, of the same name: no one could say which is meant."""

    code = "NN206"
    message = "the name `{name}` is taken"
    advice = "give one of the two another `name`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n    name: a\n  - Dense: {units: 2}\n    name: a\n"
    passes = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n    name: a\n  - Dense: {units: 2}\n    name: b\n"


def whole(file: str) -> Span:
    """A file as a whole: where what is missing is missing."""
    return Span.whole(file)


_BLOCK = _HEAD + "blocks:\n  unit:\n    layers:\n      - {}\ninputs: {{x: [4]}}\nlayers:\n  - unit\n"


class RepeatedName(Problem):
    """A name in a group that is repeated would be given twice, unless it contains the counter."""

    code = "NN207"
    message = "the name `{name}` would be given {count} times"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - repeat: 2\n    layers:\n      - Dense: {units: 4}\n        name: hidden\n"
    passes = (
        _HEAD + "inputs: {x: [4]}\nlayers:\n  - repeat: 2\n    as: i\n    layers:\n      - Dense: {units: 4}\n"
        "        name: hidden${i}\n"
    )


class BlockInItself(Problem):
    """A block that uses itself, or blocks that use one another in a circle, would never end."""

    code = "NN208"
    message = "a block that contains itself: {chain}"
    advice = "use other blocks or layers in it; `repeat` runs a step several times"
    fails = _BLOCK.format("unit")
    passes = _BLOCK.format("ReLU")


class UnusedDefinition(Problem):
    """A block or a network that no step uses."""

    code = "NN209"
    severity = "warning"
    message = "nothing uses the {kind} `{name}`"
    fails = _HEAD + "blocks:\n  unit:\n    layers:\n      - ReLU\n" + _BODY
    passes = _BLOCK.format("ReLU")


class OutsideRoot(Problem):
    """Paths in a spec may not leave the project, so that a spec from elsewhere reads nothing it should not."""

    code = "NN140"
    message = "`{file}` is outside the project"
    fails = _HEAD + "use: [/etc/passwd]\n" + _BODY
    passes = _GOOD


class UseInCircle(Problem):
    """A document that uses itself, through others or at once."""

    code = "NN141"
    message = "`{file}` is used in a circle"
    advice = "remove it: a document has its own blocks and networks already"
    fails = _HEAD + "use: [net.nnspec.yaml]\n" + _BODY
    passes = _GOOD


class CannotUse(Problem):
    """A file under ``use`` that is no spec."""

    code = "NN142"
    message = "`{file}` cannot be used"
    advice = "name a spec that is there, its path relative to this file"
    fails = _HEAD + "use: [none.nnspec.yaml]\n" + _BODY
    passes = _GOOD


class MissingSpace(Problem):
    """YAML wants a space behind the colon of a key; without it, the colon is part of the word."""

    code = "NN018"
    message = "a space is missing after `{after}`"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense:{units: 2}\n"
    passes = _GOOD


class RunOn(Problem):
    """What stands beside an operation goes on a line of its own, under it."""

    code = "NN019"
    message = "`{key}` stands on the line of `{op}`"
    fails = _HEAD + "inputs: {a: [4], b: [4]}\nlayers:\n  - Add from: [a, b]\n"
    passes = _HEAD + "inputs: {a: [4], b: [4]}\nlayers:\n  - Add:\n    from: [a, b]\n"


class NoColon(Problem):
    """An operation with something under it is a key, and a key ends with a colon, also where it has no arguments."""

    code = "NN020"
    message = "`{op}` has keys under it, but no colon"
    fails = _HEAD + "inputs: {a: [4], b: [4]}\nlayers:\n  - Add\n    from: [a, b]\n"
    passes = _HEAD + "inputs: {a: [4], b: [4]}\nlayers:\n  - Add:\n    from: [a, b]\n"


class Tab(Problem):
    """YAML is indented by spaces; tabs, whose width no two editors agree on, are not allowed."""

    code = "NN021"
    message = "a tab indents this line"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense:\n\t  units: 2\n"
    passes = _GOOD


class Unquoted(Problem):
    """A brace begins a mapping, so that ``${…}`` wants quotes where one is expected or around it."""

    code = "NN022"
    message = "`{value}` wants quotes here"
    fails = _HEAD + "params: {w: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: ${2 * w}}\n"
    passes = _HEAD + 'params: {w: 2}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: "${2 * w}"}\n'


class TooDeep(Problem):
    """Steps may hold steps (``Residual``, ``Parallel``, ``layers``, blocks and networks), but not without end.

    The limit counts every list on the way from the document's own ``layers`` to the innermost one, through blocks and networks.
    """

    code = "NN303"
    message = "steps inside steps, over {most} lists deep"
    advice = "write the innermost steps one after the other, or in fewer blocks"


class NoBraces(Problem):
    """Keys on the line of another key are a mapping of their own, which begins and ends with a brace."""

    code = "NN023"
    message = "what stands after `{after}` wants braces around it"
    fails = _HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: units: 2\n"
    passes = _GOOD


class BrokenPlugin(Problem):
    """A layer or an objective of an installed package, a plug-in, that cannot be used.

    The package does not load, two packages bring the same name, or what it brings is no layer (a subclass of
    ``nnspec.layers.base.Layer`` with ``infer`` and ``to_keras``) or no objective (a subclass of
    ``nnspec.training.objectives.base.Objective``). ``nnspec layers`` lists all layers, broken ones too.
    """

    code = "NN320"
    message = "the {kind} `{name}` cannot be used: {reason}"
