"""The table of what nnspec and other tools say of each kind of mistake."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from benchmarks.annotation_mistakes import MISTAKES, Mistake
from benchmarks.annotation_peers.asking import Copy, ask_datumaro, ask_supervision, ask_ultralytics

RATINGS = ("nothing", "something", "file", "place", "remedy")
REMEDY = re.compile(
    r"\b(must|should|expected|use|set|remove|correct|replace|convert (it|them|to)|write|provide|rename|try|ensure|normalize|requires|"
    r"required|at most|at least|add|fix|see|valid range|please)\b",
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
    changed = []
    for number, mistake in enumerate(MISTAKES):
        folder = work / "changed" / str(number)
        shutil.copytree(clean / mistake.format, folder)
        mistake.make(folder)
        changed.append(changed_files(clean / mistake.format, folder))
    said: dict[str, list[list[str] | None]] = {name: _said(name, clean, work / name, python) for name in _PEERS}
    ratings: dict[str, list[str | None]] = {}
    for name in _PEERS:
        answers = zip(MISTAKES, said[name], changed, strict=True)
        ratings[name] = [None if lines is None else rating(mistake, lines, files) for mistake, lines, files in answers]
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
    usual = {format_: {_without_image(line) for line in own} for format_, own in zip(formats, answers, strict=False)}
    for format_, lines in usual.items():
        if any(re.match(r"[\w.]*(Error|Exception)\b", line) for line in lines):
            raise RuntimeError(f"{name} refuses the data set in {format_} without mistakes:\n" + "\n".join(lines))
    rest = iter(answers[len(formats) :])
    return [
        [line for line in next(rest) if _without_image(line) not in usual[mistake.format]]
        if mistake.format in formats
        else None
        for mistake in MISTAKES
    ]


def _without_image(line: str) -> str:
    """Return a finding without its image: one that the tool always reports is not about the mistake."""
    return re.sub(r" \(image [^)]*\)$", "", line)


def rating(mistake: Mistake, lines: Sequence[str], changed: Collection[str] = ()) -> str:
    """Rate what a tool says of a mistake, as the documentation of the package states.

    Args:
        mistake: The mistake.
        lines: What the tool says.
        changed: The names of the files that the mistake changed, without extension.
    """
    best = max((_rating(mistake, line, changed) for line in lines), default=0)
    return RATINGS[best]


def changed_files(clean: Path, folder: Path) -> set[str]:
    """Return the names of files that differ from those of the clean data set, without extension."""
    contents = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*") if path.is_file()} for root in (clean, folder)
    ]
    names = {path for path in {*contents[0], *contents[1]} if contents[0].get(path) != contents[1].get(path)}
    return {path.stem for path in names if path.suffix not in (".yaml", ".json", ".cache")}


def _rating(mistake: Mistake, line: str, changed: Collection[str]) -> int:
    file = mistake.where.partition(",")[0]
    line_of = re.search(r"line \d+", mistake.where)
    annotation = re.search(r"annotation (?:id )?(\d+)", mistake.where)
    image = re.search(r"images? (\d+)", mistake.where)
    # Images have the number that follows from their name; that of `copy.png` is 99.
    own = {"99": "copy"}.get(image[1], f"{int(image[1]) - 1:03}") if image else ""
    names = {Path(file).stem, own, *changed} - {""}
    shows_file = any(re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", line) for name in names)
    shows_line = bool(line_of and re.search(rf"\b{line_of[0]}\b", line))
    shows_id = bool(annotation and re.search(rf"annotation\D{{0,12}}\b{annotation[1]}\b", line, re.IGNORECASE))
    # COCO has one file, in which a line or the id of an annotation is enough.
    if mistake.format == "coco" and (shows_id or re.search(r"\bline \d+", line)):
        shows_file = shows_line = True
    if not shows_file:
        return 1
    if (line_of or annotation) and not (shows_line or shows_id or _VALUE.search(line)):
        return 2
    return 4 if REMEDY.search(line) else 3


_VALUE = re.compile(r"\[ *-?\d|\bclass(es)?(_id)? \D{0,12}\d|'[^']+'|-?\d+\.\d{2,}")
"""What shows the value at fault: numbers of a row or box, a class, or a quoted text."""
