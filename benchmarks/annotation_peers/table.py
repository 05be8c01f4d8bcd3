"""The table of what nnspec and other tools say of each kind of mistake."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.annotation_mistakes import MISTAKES, Mistake
from benchmarks.annotation_peers.asking import Copy, ask_datumaro, ask_supervision, ask_ultralytics

RATINGS = ("nothing", "something", "file", "place", "remedy")
REMEDY = re.compile(
    r"\b(must|should|expected|use|set|remove|correct|replace|convert|write|provide|rename|try|ensure|only|normalize|require[sd]?|"
    r"add|fix|see|not in the range|please)\b",
    re.IGNORECASE,
)

_PEERS: Mapping[str, tuple[tuple[str, ...], Callable[[Path, Sequence[Copy]], list[list[str]]]]] = {
    "Ultralytics": (("yolo",), ask_ultralytics),
    "Datumaro": (("coco", "yolo", "voc"), ask_datumaro),
    "Supervision": (("coco", "yolo", "voc"), ask_supervision),
}


def print_beside(found: Sequence[bool], clean: Path, work: Path, python: Path, *, show: bool) -> None:
    """Ask the tools, and print a row for each mistake and the counts of each rating.

    Args:
        found: Whether nnspec finds each mistake.
        clean: The data set without mistakes.
        work: An empty folder for the copies.
        python: The Python that has the tools.
        show: Whether to print what they say.
    """
    names = ["nnspec", *_PEERS]
    said: dict[str, list[list[str] | None]] = {name: _said(name, clean, work / name, python) for name in _PEERS}
    ratings = {
        name: [None if own is None else rating(m, own) for m, own in zip(MISTAKES, said[name], strict=True)] for name in _PEERS
    }
    ratings["nnspec"] = ["remedy" if ok else "something" for ok in found]
    print(f"{'':<5} {'mistake':<40}" + "".join(f"{name:>13}" for name in names))
    for place, mistake in enumerate(MISTAKES):
        print(f"{mistake.format:<5} {mistake.kind:<40}" + "".join(f"{ratings[name][place] or '.':>13}" for name in names))
        for name in _PEERS if show else ():
            for line in said[name][place] or ():
                print(f"          {name}: {line[:300]}")
    counts = {name: Counter(each for each in ratings[name] if each) for name in names}
    print()
    for each in RATINGS:
        print(f"{each:<46}" + "".join(f"{counts[name][each]:>13}" for name in names))
    print(f"{'mistakes':<46}" + "".join(f"{sum(counts[name].values()):>13}" for name in names))


def _said(name: str, clean: Path, work: Path, python: Path) -> list[list[str] | None]:
    """Return what a tool says of each mistake but not of the clean data set; None if it does not read the format."""
    formats, ask = _PEERS[name]
    copies: list[Copy] = []
    for format_ in formats:
        shutil.copytree(clean / format_, work / f"clean_{format_}")
        copies.append(Copy(work / f"clean_{format_}", format_))
    for number, mistake in enumerate(MISTAKES):
        if mistake.format in formats:
            folder = work / str(number)
            shutil.copytree(clean / mistake.format, folder)
            mistake.make(folder)
            copies.append(Copy(folder, mistake.format))
    answers = ask(python, copies)
    usual = dict(zip(formats, answers, strict=False))
    rest = iter(answers[len(formats) :])
    return [
        [line for line in next(rest) if line not in usual[mistake.format]] if mistake.format in formats else None
        for mistake in MISTAKES
    ]


def rating(mistake: Mistake, lines: Sequence[str]) -> str:
    """Rate what a tool says of a mistake, as the documentation of the package states."""
    best = max((_rating(mistake, line) for line in lines), default=0)
    return RATINGS[best]


def _rating(mistake: Mistake, line: str) -> int:
    file, _, _ = mistake.where.partition(", ")
    stems = {Path(name).stem for name in (file, "001.png" if "image 2" in mistake.where else file)}
    ids = re.findall(r"annotation \d+|image \d+|line \d+", mistake.where)
    if not any(re.search(rf"(?<![\w.]){re.escape(stem)}(?!\w)", line) for stem in stems) and not _has_id(ids, line):
        return 1
    if ids and not _has_id(ids, line) and not _has_value(mistake, line):
        return 2
    return 4 if REMEDY.search(line) else 3


def _has_id(ids: Sequence[str], line: str) -> bool:
    return any(
        re.search(rf"{word}\D{{0,12}}\b{number}\b", line, re.IGNORECASE) for word, number in (each.split() for each in ids)
    )


def _has_value(mistake: Mistake, line: str) -> bool:
    """Whether the value at fault is shown: numbers of the row or box, or a class."""
    del mistake
    return bool(re.search(r"\[ *-?\d|\bclass(es)? \D{0,12}\d|'[^']+'|-?\d+\.\d{2,}", line))
