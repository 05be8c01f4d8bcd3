"""Fault injection: single mistakes put into good specs by rule, and what `validate` says of each.

A fault is one edit to one line of a spec, of the kind people make. What is asked of the answer: is it found (an error), on
the right line, at the right token, with the fix that undoes it, and is nothing else reported? ``python -m benchmarks faults``.
"""

from __future__ import annotations

import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jsonschema import Draft202012Validator

from nnspec.api import validate
from nnspec.json_schema import schema
from nnspec.spec import read_text

SPECS = (Path(__file__).parent.parent / "tests" / "corpus", Path(__file__).parent.parent / "specs")
SEED = 7
PER_KIND = 12


@dataclass(frozen=True)
class Fault:
    """One edit.

    Attributes:
        kind: Which rule made it.
        text: The spec with the fault.
        line: The line at fault, from 1.
        column: The first column of the token at fault, from 1.
        fix: What the help must contain, or the message where the fault is a value out of its range; ``|`` parts alternatives.
    """

    kind: str
    text: str
    line: int
    column: int
    fix: str


Rule = Callable[[str, random.Random], Iterator[tuple[re.Match[str], int, str, str]]]
RULES: dict[str, Rule] = {}


def _rule(
    kind: str, pattern: str, token: int | str = 0, *, line: int = 0
) -> Callable[[Callable[..., tuple[str, str] | None]], None]:
    """A rule that edits matches of a pattern; the function gives the new text of the whole match and the fix."""

    def register(edit: Callable[..., tuple[str, str] | None]) -> None:
        def apply(text: str, rng: random.Random) -> Iterator[tuple[re.Match[str], int, str, str]]:
            for match in re.finditer(pattern, text, re.MULTILINE):
                edited = edit(match, rng)
                if edited is not None:
                    yield match, match.start(token), *edited

        RULES[kind] = apply

    return register


def _misspelt(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    how = rng.randrange(3)
    if how == 0:
        return word[:at] + word[at + 1 :]
    if how == 1 and word[at] != word[at + 1]:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at] + word[at:]


def _in(match: re.Match[str], group: int | str, new: str) -> str:
    """The match with one group replaced."""
    start, end = match.start(group) - match.start(), match.end(group) - match.start()
    return match[0][:start] + new + match[0][end:]


OP = r"- ([A-Z]\w+): \{"
ARGUMENT = r"(?<=[{ ])(filters|units|kernel_size|pool_size|strides|activation|padding|use_bias|input_dim|output_dim|rate): "


@_rule("a layer misspelt", OP, 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("a layer in the wrong case", r"- (Conv2D|Conv1D|BatchNormalization|MaxPooling2D|GlobalAveragePooling2D)\b", 1)
def _(match, rng):
    return _in(match, 1, match[1].replace("D", "d") if match[1][-1] == "D" else "Batchnormalization"), match[1]


@_rule("PyTorch's name of a layer", r"- (Dense|Conv2D|BatchNormalization|MaxPooling2D)\b", 1)
def _(match, rng):
    theirs = {"Dense": "Linear", "Conv2D": "Conv2d", "BatchNormalization": "BatchNorm2d", "MaxPooling2D": "MaxPool2d"}
    return _in(match, 1, theirs[match[1]]), match[1]


@_rule("a Keras alias of a layer", r"- (MaxPooling2D|AveragePooling2D|GlobalAveragePooling2D)\b", 1)
def _(match, rng):
    return _in(match, 1, match[1].replace("Pooling", "Pool").replace("Average", "Avg")), match[1]


@_rule("an argument misspelt", ARGUMENT, 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("PyTorch's name of an argument", r"(?<=[{ ])(filters|units|strides|use_bias|output_dim): ", 1)
def _(match, rng):
    theirs = {
        "filters": "out_channels",
        "units": "out_features",
        "strides": "stride",
        "use_bias": "bias",
        "output_dim": "embedding_dim",
    }
    declared = "params:" in match.string[match.string.rfind("\n", 0, match.start()) : match.start()]
    return None if declared else (_in(match, 1, theirs[match[1]]), match[1])


@_rule("an argument that follows from the input", r"- (?:Dense|Conv2D): \{()(?=[a-z])", 1)
def _(match, rng):
    return _in(match, 1, "in_channels: 3, " if "Conv" in match[0] else "in_features: 3, "), "leave it out"


@_rule("a negative size", r"(?:filters|units|kernel_size|pool_size): (\d+)", 1)
def _(match, rng):
    return _in(match, 1, f"-{match[1]}"), "greater than 0|positive integer"


@_rule("a size of zero", r"(?:filters|units|output_dim): (\d+)", 1)
def _(match, rng):
    return _in(match, 1, "0"), "greater than 0"


@_rule("a fraction for a whole number", r"(?:filters|units|output_dim): (\d+)", 1)
def _(match, rng):
    return _in(match, 1, f"{match[1]}.5"), "an integer"


@_rule("a number in quotes", r"(?:filters|units|kernel_size): (\d+)", 1)
def _(match, rng):
    return _in(match, 1, f'"{match[1]}"'), "without quotes"


@_rule("an activation misspelt", r"activation: (relu|tanh|softmax|sigmoid)", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("a padding misspelt", r"padding: (same|valid|causal)", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("a padding in capitals", r"padding: (same|valid)", 1)
def _(match, rng):
    return _in(match, 1, match[1].upper()), match[1]


@_rule("yes and no for true and false", r"(?:use_bias|mask_zero|return_sequences|return_state): (true|false)", 1)
def _(match, rng):
    return _in(match, 1, {"true": "yes", "false": "no"}[match[1]]), match[1]


@_rule("a needed argument left out", r"- (Dense|Conv2D|Conv1D|LSTM|GRU): \{((?:filters|units): [^,{}]+, )", 1)
def _(match, rng):
    return _in(match, 2, ""), match[2].partition(":")[0]


@_rule("a misspelt name under from", r"^ +from: ([a-z]\w{3,})$", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("a misspelt name in a list under from", r"^ +from: \[([a-z_]\w{3,}),", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("a step key misspelt", r"^ +(name|from|repeat): ", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("a key of the document misspelt", r"^(inputs|layers|outputs|params|blocks|networks|train|budget):", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("another version", r"^nnspec: (1)$", 1)
def _(match, rng):
    return _in(match, 1, "2"), "nnspec: 1"


@_rule("capitals in the model's name", r"^name: (\w+)$", 1)
def _(match, rng):
    return _in(match, 1, match[1].capitalize()), match[1]


@_rule("a param misspelt", r"\$(\w{4,})", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("a param misspelt in an expression", r"\"\$\{(base|width|depth)\b", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule(
    "a colon missing behind an operation", r"^( +- )(Concatenate|Subtract|Attention|encoder|tower|decoder)(:)(?=\n +from)", 2
)
def _(match, rng):
    return _in(match, 3, ""), f"{match[2]}:"


@_rule("no space behind an argument's colon", r"(?<=[{ ])(filters|units|pool_size|rate):( )(?=\d)", 1)
def _(match, rng):
    return _in(match, 2, ""), f"{match[1]}: "


@_rule("an expression without quotes", r"\"(\$\{[^}\"]*\})\"(?=[,}])", 0)
def _(match, rng):
    return match[1], f'"{match[1]}"'


@_rule("a size of zero in a shape", r"^ +\w+: \[(\d+),", 1)
def _(match, rng):
    return _in(match, 1, "0"), "positive integer"


@_rule("the batch axis in a shape", r"^ +\w+: \[(?=[\dHWT])()", 1)
def _(match, rng):
    return _in(match, 1, "-1, "), "batch axis is implied"


@_rule("a symbol in small letters", r"shape: \[([TS])\]", 1)
def _(match, rng):
    return _in(match, 1, match[1].lower()), f"`{match[1]}`"


@_rule("an element type misspelt", r"dtype: (int32)", 1)
def _(match, rng):
    return _in(match, 1, rng.choice(["int_32", "in32", "int23"])), "int32"


@_rule("an output misspelt", r"^outputs: \[(\w+)", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("an output of a step misspelt", r"recurrent\.(output|state)\b", 0)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("a block's name misspelt", r"^ +- (double_conv|conv_bn|inception|downsampling_unit): \{", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("a block's argument misspelt", r"^ +- (?:double_conv|conv_bn|unit|downsampling_unit): \{(filters): ", 1)
def _(match, rng):
    return _in(match, 1, _misspelt(match[1], rng)), match[1]


@_rule("a tab for indentation", r"^(  )- [A-Z]", 1)
def _(match, rng):
    return _in(match, 1, "\t"), "spaces"


@_rule("a merge key", r"- Dense: \{()units", 1)
def _(match, rng):
    return _in(match, 1, "<<: {use_bias: true}, "), ""


@_rule("an argument given twice", r"- (?:Dense|Conv2D): \{((?:units|filters): [^,{}]+), ()", 2)
def _(match, rng):
    return _in(match, 2, f"{match[1]}, "), ""


@_rule("a budget that is too small", r"budget: \{parameters: ([\d_]+)", 1)
def _(match, rng):
    return _in(match, 1, "10"), "the budget is 10"


def faults(seed: int = SEED, per_kind: int = PER_KIND) -> Iterator[Fault]:
    """Faults of every kind, at most ``per_kind`` of each, drawn from all the specs."""
    rng = random.Random(seed)
    texts = [file.read_text(encoding="utf-8") for folder in SPECS for file in sorted(folder.glob("*.yaml"))]
    for kind, rule in RULES.items():
        found: list[Fault] = []
        for text in texts:
            for match, start, new, fix in rule(text, rng):
                faulty = text[: match.start()] + new + text[match.end() :]
                if faulty != text:
                    line = faulty.count("\n", 0, start) + 1
                    found.append(Fault(kind, faulty, line, start - faulty.rfind("\n", 0, start), fix))
        yield from rng.sample(found, min(per_kind, len(found)))


def _refused_by_schema() -> Callable[[str], bool]:
    """Whether an editor with the JSON Schema alone would mark a document that our reader can parse."""
    validator = Draft202012Validator(schema())

    def refused(text: str) -> bool:
        tree = read_text(text, "net.nnspec.yaml", [])
        return tree is not None and not validator.is_valid(json.loads(json.dumps(tree.plain())))

    return refused


def main() -> int:
    """Prints a row for each kind, and what fell short; `schema` counts those that the JSON Schema alone refuses."""
    answers: dict[str, Counter[str]] = {}
    missed: list[str] = []
    refused = _refused_by_schema()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.nnspec.yaml"
        for fault in faults():
            file.write_text(fault.text, encoding="utf-8")
            errors = [d for d in validate(file, root=Path("/")) if d.is_error]
            row = answers.setdefault(fault.kind, Counter())
            first = next((d for d in errors if d.span.line == fault.line), errors[0] if errors else None)
            token = (
                first is not None
                and first.span.line == fault.line
                and first.span.column <= fault.column < first.span.end_column
            )
            said = f"{first.message} {first.help}" if first else ""
            marks = {
                "found": first is not None,
                "line": first is not None and first.span.line == fault.line,
                "token": bool(token),
                "fix": any(fix in said for fix in fault.fix.split("|")),
                "alone": len(errors) == 1,
            }
            row.update(["all", *(name for name, good in marks.items() if good)])
            row["schema"] += refused(fault.text)
            if not all(marks.values()):
                wrong = ", ".join(name for name, good in marks.items() if not good)
                line = fault.text.splitlines()[fault.line - 1].strip()
                heard = "; ".join(f"{d.span.line}:{d.span.column} {d.code} {d.message} [{d.help}]" for d in errors[:3])
                missed.append(f"{fault.kind} ({wrong}): {line}\n    {heard}")
    names = ("all", "found", "line", "token", "fix", "alone", "schema")
    print(f"{'kind of fault':<44}" + "".join(f"{name:>8}" for name in names))
    for kind, row in answers.items():
        print(f"{kind:<44}" + "".join(f"{row[name]:>8}" for name in names))
    total: Counter[str] = sum(answers.values(), Counter())
    print(f"{f'{len(answers)} kinds':<44}" + "".join(f"{total[name]:>8}" for name in names))
    print(f"{'':<44}" + "".join(f"{total[name] / total['all']:>8.1%}" for name in names))
    print("\nnot all of it right:" if missed else "", *missed, sep="\n")
    return 0
