"""Several independent faults in one document: is each reported as it is alone, with its code and at its place?

Three ways to combine them: the document of one diagnostic as a network of another's (`networks`); two and three edits of
`benchmarks.spec_faults` in one good spec (`edits`); and a fault in each of several sections of one spec (`sections`).

``python -m benchmarks combined_faults`` prints, for each way, how many faults there were and how many were reported.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fault_rules import Fault
from benchmarks.spec_faults import faults
from nnspec.api import validate
from nnspec.diagnostics import Diagnostic
from nnspec.explanations.codes import all_problems

__all__ = ["Combined", "Found", "Validator", "combined", "main"]

Found = tuple[str, int, int]
"""A code, and the line and column of its place, counted from the beginning of the part that has the fault."""

ENDS_THE_FILE = frozenset(
    {"NN004", "NN006", "NN010", "NN011", "NN012", "NN013", "NN014", "NN015", "NN016", "NN017", "NN018", "NN019"}
    | {"NN020", "NN021", "NN022", "NN005", "NN101", "NN106"}
)
"""Codes of text that cannot be read as a document; others come after it has been."""

NEEDS_ALL_ELSE = frozenset({"NN008", "NN802"})
"""Codes that are looked for only where nothing else is wrong: an ignore without a warning, a value that a sweep would try."""


@dataclass(frozen=True)
class Combined:
    """A document with several faults.

    Attributes:
        how: The way in which they were combined.
        names: What was combined.
        text: The document.
        good: The document without the faults.
        expected: What must be found, each as in the document with this fault alone.
        allowed: The codes that may be found beside these.
    """

    how: str
    names: tuple[str, ...]
    text: str
    good: str
    expected: frozenset[tuple[str, int, int]]
    allowed: frozenset[str] = frozenset()

    def unexpected(self, found: frozenset[Found]) -> frozenset[Found]:
        """What follows from no fault alone: on a line, a code, that is not expected there."""
        return frozenset(f for f in found - self.expected if f[0] not in self.allowed | NEEDS_ALL_ELSE)

    def missing(self, found: frozenset[Found]) -> frozenset[Found]:
        """What is expected and was not found."""
        return self.expected - found


class Validator:
    """Validates texts, each once."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "net.nnspec.yaml"
        self._known: dict[str, list[Diagnostic]] = {}

    def diagnostics(self, text: str) -> list[Diagnostic]:
        if text not in self._known:
            self._file.write_text(text, encoding="utf-8")
            self._known[text] = validate(self._file, root=Path("/"))
        return self._known[text]

    def found(self, text: str, *, warnings: bool = True) -> frozenset[Found]:
        """Every code and place; notes and, where asked for, warnings are left out."""
        told = [d for d in self.diagnostics(text) if d.is_error or (warnings and d.severity == "warning")]
        return frozenset((d.code, d.span.line, d.span.column) for d in told)


def combined(
    validator: Validator, *, ways: Sequence[str] = ("networks", "edits", "sections"), seed: int = 7, most: int = 400
) -> Iterator[Combined]:
    """Combinations of each of the ways, at most so many of each, drawn."""
    rng = random.Random(seed)
    found = {"networks": _networks, "edits": _edits, "sections": _sections}
    for way in ways:
        yield from found[way](validator, rng, most)


# --- one diagnostic's document as a network of another's ----------------------------------------------------------------


def _networks(validator: Validator, rng: random.Random, most: int) -> Iterator[Combined]:
    known = [p for p in all_problems().values() if p.fails and p.code not in ENDS_THE_FILE]
    inner = [
        p for p in known if set(_keys(p.fails)) | set(_keys(p.passes)) <= {"nnspec", "name", "inputs", "layers", "outputs"}
    ]
    pairs = [(a, b) for a in inner for b in known if a is not b]
    for a, b in rng.sample(pairs, min(most, len(pairs))):
        clean = _joined(a.passes, b.passes)
        good = _apart(validator, clean)
        both, first, second = (_joined(*texts) for texts in ((a.fails, b.fails), (a.fails, b.passes), (a.passes, b.fails)))
        expected = {found for found in _apart(validator, first) - good if found[0] == "inner"}
        expected |= {found for found in _apart(validator, second) - good if found[0] == "outer"}
        wanted = frozenset(both.back(*found) for found in expected if found[1] not in NEEDS_ALL_ELSE)
        yield Combined("networks", (a.code, b.code), both.text, clean.text, wanted, frozenset(code for _, code, *_ in good))


@dataclass(frozen=True)
class _Joined:
    """A document in another one: the lines that come before the inner one, and those that it has."""

    text: str
    before: int
    lines: int

    def apart(self, found: Found) -> tuple[str, str, int, int]:
        """A place counted in the part where it is."""
        code, line, column = found
        inner = self.before < line <= self.before + self.lines
        shift = self.before if inner else self.lines if line > self.before else 0
        return "inner" if inner else "outer", code, line - shift, column

    def back(self, part: str, code: str, line: int, column: int) -> Found:
        shift = self.before if part == "inner" else self.lines if line > self.before else 0
        return code, line + shift, column


def _apart(validator: Validator, joined: _Joined) -> frozenset[tuple[str, str, int, int]]:
    return frozenset(map(joined.apart, validator.found(joined.text)))


def _keys(text: str) -> list[str]:
    return re.findall(r"^([a-z_]\w*):", text, re.MULTILINE)


def _joined(inner: str, outer: str) -> _Joined:
    """A document with another one's layers as its network `other`."""
    body = re.sub(r"\A(?:(?:nnspec|name):.*\n)*", "", inner)
    indented = "".join(f"    {line}" for line in body.splitlines(keepends=True))
    outer = outer if outer.endswith("\n") else f"{outer}\n"
    if "\nnetworks:\n" in outer:
        head, _, rest = outer.partition("\nnetworks:\n")
        end = re.search(r"^(?! )", rest, re.MULTILINE)
        assert end is not None
        start, rest = f"{head}\nnetworks:\n{rest[: end.start()]}  other:\n", rest[end.start() :]
    else:
        start, rest = f"{outer}networks:\n  other:\n", ""
    return _Joined(start + indented + rest, start.count("\n"), indented.count("\n"))


# --- edits of one good spec ---------------------------------------------------------------------------------------------


def _edits(validator: Validator, rng: random.Random, most: int) -> Iterator[Combined]:
    by_text: dict[str, list[Fault]] = {}
    for fault in faults(seed=rng.randrange(2**31), per_kind=8):
        if fault.text.count("\n") == fault.good.count("\n"):
            by_text.setdefault(fault.good, []).append(fault)
    drawn = 0
    texts = [text for text, found in by_text.items() if len(found) > 1]
    while drawn < most:
        text = rng.choice(texts)
        some = rng.sample(by_text[text], min(len(by_text[text]), rng.choice([2, 3])))
        if len({fault.line for fault in some}) < len(some):
            drawn += 1
            continue
        alone = [validator.found(fault.text, warnings=False) for fault in some]
        drawn += 1
        if any(not found or {code for code, *_ in found} & ENDS_THE_FILE for found in alone):
            continue
        lines_of_others = [{other.line for other in some if other is not fault} for fault in some]
        if any(line in others for found, others in zip(alone, lines_of_others, strict=True) for _, line, _ in found):
            continue  # another edit of its line moves it to another column
        lines = text.splitlines(keepends=True)
        for fault in some:
            lines[fault.line - 1] = fault.text.splitlines(keepends=True)[fault.line - 1]
        names = tuple(fault.kind for fault in some)
        expected = frozenset(f for found in alone for f in found)
        yield Combined("edits", names, "".join(lines), text, expected)


# --- a fault in each of several sections --------------------------------------------------------------------------------

_HEAD = "nnspec: 1\nname: net\n"
_GOOD = {
    "params": "params: {width: 12}\n",
    "inputs": "inputs: {image: [8, 8, 1]}\n",
    "first": "layers:\n  - Conv2D: {filters: $width, kernel_size: 3, padding: same}\n",
    "second": "  - MaxPooling2D: {pool_size: 2}\n",
    "third": "  - Flatten\n",
    "last": "  - Dense: {units: 10, activation: softmax}\n    name: digit\n",
    "data": "data: {train: {builtin: digits}, validation: 0.1}\n",
    "train": "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n",
    "sweep": "sweep: {over: {params.width: {int: [2, 8]}}}\n",
    "export": "export: {opset: 23}\n",
    "budget": "budget: {parameters: 100_000}\n",
}
_GENERATED = {
    "networks": "networks:\n  language:\n    inputs: {words: {shape: [T], dtype: int32}}\n    layers:\n"
    "      - Embedding: {input_dim: 7, output_dim: 4}\n      - GRU: {units: 4, return_sequences: true}\n"
    "      - Dense: {units: 7}\n        name: next\n",
    "generate": "generate: {decode: language, token: {input: words, logits: next}, start: 1, end: 2}\n",
}
_FAULTS: dict[str, tuple[tuple[str, str], ...]] = {
    "params": (("{width: 12}", "{width: 12, width2: '${1 +}'}"), ("{width: 12}", "{width: '${12 +}'}")),
    "inputs": (("[8, 8, 1]", "{shape: [8, 8, 1], dtyp: float32}"), ("image: [8", "image: [0")),
    "first": (
        ("$width", "$widht"),
        ("padding: same", "padding: smae"),
        ("kernel_size", "kernel"),
        ("Conv2D", "Conv2d"),
        ("filters: $width", "filters: -2"),
        ("kernel_size: 3", "kernel_size: three"),
    ),
    "second": (("pool_size: 2", "pool_size: 0"), ("pool_size", "poolsize"), ("MaxPooling2D", "MaxPol")),
    "third": (("  - Flatten", "  - Flaten"), ("  - Flatten", "  - Dropout: {rate: 2}\n  - Flatten")),
    "last": (
        ("softmax", "sofmax"),
        ("units: 10", "units: ten"),
        ("name: digit", "nam: digit"),
        ("name: digit", "name: digit\n    freeze: maybe"),
        ("name: digit", "name: digit\n    form: flatten"),
    ),
    "data": (
        ("builtin: digits", "builtin: digit"),
        ("validation: 0.1", "validation: 1.5"),
        ("validation", "validaton"),
        ("validation: 0.1", "inputs: {picture: image}"),
        ("validation: 0.1", "targets: {digits: target}"),
        ("validation: 0.1", "inputs: {image: pixels}"),
        ("validation: 0.1", "inputs: {image: {transform: [standardise]}}"),
        ("validation: 0.1", "augment: [RandomFlp]"),
    ),
    "train": (
        ("epochs: 1", "epochs: one"),
        ("epochs: 1", "epochs: 1, optimizer: Adm"),
        ("epochs: 1", "epochs: 1, metrics: [Acuracy]"),
        ("epochs: 1", "epochs: 1, metrics: [CategoricalAccuracy]"),
        ("epochs: 1", "epochs: 1, early_stopping: {monitor: val_los}"),
        ("epochs: 1", "epochs: 1, freeze: [digti]"),
        ("epochs: 1", "epochs: 1, class_weight: even"),
        ("epochs: 1", "epochs: 1, input_noise: {picture: 0.1}"),
        ("loss: SparseCategoricalCrossentropy", "loss: {digits: SparseCategoricalCrossentropy}"),
        ("loss: SparseCategoricalCrossentropy", "loss: SparseCrossentropy"),
        ("epochs: 1", "epochs: 1, phases: [{freze: [digit]}]"),
    ),
    "sweep": (("int: [2, 8]", "intt: [2, 8]"), ("params.width", "params.with"), ("sweep: {", "sweep: {trails: 3, ")),
    "export": (("opset: 23", "opset: 3"), ("opset: 23", "outputs: [digits]"), ("opset", "opsett")),
    "budget": (("parameters", "parametres"), ("100_000", "-1")),
    "generate": (("input: words", "input: word"), ("start: 1", "start: one"), ("end: 2", "stop: 2"), ("next}", "nxt}")),
    "networks": (("GRU: {units: 4", "GRU: {units: -4"), ("Embedding", "Embeding"), ("output_dim", "outputdim")),
}


_MEANT = {
    "name: digit\n    form: flatten": "name: digit\n    from: flatten",
    "targets: {digits: target}": "targets: {digit: target}",
    "inputs: {image: {transform: [standardise]}}": "inputs: {image: {transform: [standardize]}}",
    "augment: [RandomFlp]": "augment: [RandomFlip]",
    "epochs: 1, optimizer: Adm": "epochs: 1, optimizer: Adam",
    "epochs: 1, metrics: [Acuracy]": "epochs: 1, metrics: [Accuracy]",
    "epochs: 1, metrics: [CategoricalAccuracy]": "epochs: 1, metrics: [SparseCategoricalAccuracy]",
    "epochs: 1, early_stopping: {monitor: val_los}": "epochs: 1, early_stopping: {monitor: val_loss}",
    "epochs: 1, freeze: [digti]": "epochs: 1, freeze: [digit]",
    "loss: {digits: SparseCategoricalCrossentropy}": "loss: {digit: SparseCategoricalCrossentropy}",
    "epochs: 1, phases: [{freze: [digit]}]": "epochs: 1, phases: [{freeze: [digit]}]",
    "sweep: {trails: 3, ": "sweep: {trials: 3, ",
    "outputs: [digits]": "outputs: [digit]",
}
"""What is meant by faults that are not slips in the good document itself, but in a key or value that they add."""


def _sections(validator: Validator, rng: random.Random, most: int) -> Iterator[Combined]:
    good = {**_GOOD, **_GENERATED}
    for _ in range(most):
        names = rng.sample(sorted(_FAULTS), 3)
        chosen = {name: rng.choice(_FAULTS[name]) for name in names}
        text = _document(good, chosen)
        expected: set[Found] = set()
        for name, edit in chosen.items():
            shift = _shifts(good, chosen, name)
            alone = validator.found(_document(good, {name: edit}), warnings=False)
            expected |= {(code, line + shift(line), column) for code, line, column in alone if code not in NEEDS_ALL_ELSE}
        yield Combined(
            "sections",
            tuple(f"{name}: {edit[1]}" for name, edit in chosen.items()),
            text,
            _document(good, {name: (old, _MEANT.get(new, old)) for name, (old, new) in chosen.items()}),
            frozenset(expected),
        )


def _document(good: dict[str, str], edits: dict[str, tuple[str, str]]) -> str:
    parts = [part.replace(*edits[name], 1) if name in edits else part for name, part in good.items()]
    return _HEAD + "".join(parts)


def _shifts(good: dict[str, str], chosen: dict[str, tuple[str, str]], alone: str) -> Callable[[int], int]:
    """How far a line of the document with one fault stands lower in the one with all."""

    def shift(line: int) -> int:
        at, moved = _HEAD.count("\n"), 0
        for name, part in good.items():
            own = part.replace(*chosen[name], 1) if name in chosen else part
            at += (own if name == alone else part).count("\n")
            if line <= at:
                break
            moved += own.count("\n") - part.count("\n") if name != alone else 0
        return moved

    return shift


def main(arguments: Sequence[str] = ()) -> int:
    """Prints the share of what was found; ``-v`` also what was not."""
    with tempfile.TemporaryDirectory() as folder:
        validator = Validator(Path(folder))
        rows: dict[str, Counter[str]] = {}
        missed: Counter[tuple[str, str]] = Counter()
        shown: dict[tuple[str, str], Combined] = {}
        for case in combined(validator):
            missing = case.missing(validator.found(case.text))
            row = rows.setdefault(case.how, Counter())
            row["documents"] += 1
            row["fully"] += not missing
            row["faults"] += len(case.expected)
            row["reported"] += len(case.expected) - len(missing)
            extra = case.unexpected(validator.found(case.text, warnings=case.how == "networks"))
            row["unexpected"] += len(extra)
            for code, *_ in extra:
                missed[case.how, f"+{code}"] += 1
                shown.setdefault((case.how, f"+{code}"), case)
            for code, *_ in missing:
                missed[case.how, code] += 1
                shown.setdefault((case.how, code), case)
    print(f"{'combined by':<12} {'documents':>10} {'fully reported':>18} {'diagnostics':>12} {'reported':>18} {'beside':>8}")
    for how, row in rows.items():
        fully = f"{row['fully']} ({row['fully'] / row['documents']:.1%})"
        reported = f"{row['reported']} ({row['reported'] / row['faults']:.1%})"
        print(f"{how:<12} {row['documents']:>10} {fully:>18} {row['faults']:>12} {reported:>18} {row['unexpected']:>8}")
    for (how, code), count in missed.most_common() if "-v" in arguments else ():
        print(f"{how} {code}: {count} times missing, as in {shown[how, code].names}")
    return 0
