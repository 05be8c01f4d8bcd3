"""The CSV reader against `pyarrow.csv`: seconds, peak memory, and which malformed files each refuses.

python -m benchmarks csv                          # a numeric and a mixed table of 50 MB, in turns; a minute
python -m benchmarks csv --megabytes 5 --rounds 1

Ours opens the table and reads every column. The peer is `pyarrow.csv.read_csv` with its defaults, which converts all columns.
Memory is that of a process of its own, above what it uses after its imports.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.rows import interleaved
from nnspec.data.kinds import DataError
from nnspec.data.readers.csv import Csv

_COLUMNS = 20
_WORDS = ("red", "green", "blue", "several words", "Zürich")
_WIDE = 20_000

MALFORMED = {
    "a row with one value too few": b"a,b\n1,2\n3\n",
    "two columns of one name": b"a,a\n1,2\n",
    "a column without a name": b"a,\n1,2\n",
    "a null character": b"a,b\n1,\0\n",
    "text after a closing quote": b'a,b\n"1"2,3\n',
    "a quote that is not closed": b'a,b\n"1,2\n',
    "bytes that are not UTF-8": b"a,b\nGr\xfcn,2\n",
    "another delimiter": b"a;b\n1;2\n",
    "JSON Lines": b'{"a": 1}\n{"a": 2}\n',
}


def main(arguments: list[str]) -> int:
    """Print the three tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks csv", description=__doc__)
    parser.add_argument("--megabytes", type=float, default=50, help="the size of each table")
    parser.add_argument("--rounds", type=int, default=5, help="how often each table is read")
    parser.add_argument("--peak", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.peak:
        print(_peak(_READERS[given.peak[0]], Path(given.peak[1])))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'table':<34} {'MB':>5} {'ours s':>8} {'pyarrow s':>10} {'ratio':>6} {'ours MiB':>9} {'pyarrow MiB':>12}")
        for name, write in _TABLES.items():
            path = Path(folder) / f"{name.partition(',')[0]}.csv"
            write(path, int(given.megabytes * 1e6))
            runs: dict[str, Callable[[], object]] = {
                reader: lambda read=read, path=path: read(path) for reader, read in _READERS.items()
            }
            seconds = interleaved(runs, given.rounds)
            peaks = {reader: _peak_of(reader, path) for reader in _READERS}
            times = f"{seconds['ours']:>8.2f} {seconds['pyarrow']:>10.2f} {seconds['ours'] / seconds['pyarrow']:>6.1f}"
            memory = f"{peaks['ours']:>9,} {peaks['pyarrow']:>12,}"
            print(f"{name:<34} {path.stat().st_size / 1e6:>5.0f} {times} {memory}", flush=True)
        print(f"\n{'malformed file':<34} {'ours':<10} pyarrow")
        for name, content in MALFORMED.items():
            path = Path(folder) / "malformed.csv"
            path.write_bytes(content)
            print(f"{name:<34} {_verdict(_ours, path):<10} {_verdict(_pyarrow, path)}")
    return 0


def _numeric(path: Path, size: int) -> None:
    values = np.random.default_rng(0).normal(size=(max(1, size // (_COLUMNS * 8)), _COLUMNS))
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(f"x{i}" for i in range(_COLUMNS)) + "\n")
        np.savetxt(file, values, fmt="%.5f", delimiter=",")


def _mixed(path: Path, size: int) -> None:
    random = np.random.default_rng(0)
    rows = max(1, size // 150)
    numbers = random.normal(size=(rows, 12))
    words = random.integers(0, len(_WORDS), (rows, 4))
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join([*(f"x{i}" for i in range(12)), *"abcd", "id"]) + "\n")
        for row in range(rows):
            cells = [*(f"{x:.5f}" for x in numbers[row]), *(_WORDS[i] for i in words[row]), f"user-{row}"]
            file.write(",".join(cells) + "\n")


def _missing(path: Path, size: int) -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(max(1, size // (_COLUMNS * 8)), _COLUMNS))
    values[random.random(values.shape) < 0.05] = np.nan
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(f"x{i}" for i in range(_COLUMNS)) + "\n")
        for row in values:
            file.write(",".join("" if x != x else f"{x:.5f}" for x in row) + "\n")


def _wide(path: Path, size: int) -> None:
    row = ",".join(("word", "1.5")[i % 2] for i in range(_WIDE)) + "\n"
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(f"feature_{i}" for i in range(_WIDE)) + "\n")
        file.writelines(row for _ in range(max(1, size // len(row))))


_TABLES: dict[str, Callable[[Path, int], None]] = {
    f"numeric, {_COLUMNS} columns": _numeric,
    f"missing, {_COLUMNS} columns": _missing,
    "mixed, 12 of numbers, 5 of text": _mixed,
    f"wide, {_WIDE:,} columns": _wide,
}


def _ours(path: Path) -> None:
    table = Csv(file=str(path)).open({"file": path})
    for column in table.columns:
        table.read(column, slice(None))


def _pyarrow(path: Path) -> None:
    from pyarrow import csv

    csv.read_csv(path)


_READERS: dict[str, Callable[[Path], None]] = {"ours": _ours, "pyarrow": _pyarrow}


def _verdict(read: Callable[[Path], None], path: Path) -> str:
    from pyarrow import ArrowException

    try:
        read(path)
    except (DataError, ArrowException):
        return "refused"
    return "read"


def _peak_of(reader: str, path: Path) -> int:
    """The MiB that reading takes in a process of its own."""
    line = [sys.executable, "-m", "benchmarks", "csv", "--peak", reader, str(path)]
    return int(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def _peak(read: Callable[[Path], None], path: Path) -> int:
    import pyarrow.csv  # noqa: F401

    # The resource module's peak starts at that of the parent process.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _memory("VmRSS")
    read(path)
    return (_memory("VmHWM") - before) // 1024


def _memory(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name))
