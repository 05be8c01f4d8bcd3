"""Readers of other packages, installed as pip would install them."""

from __future__ import annotations

import subprocess
import sys

import pytest

READER = '''
from nnspec.data.kinds import Column
from nnspec.data.readers import Reader, Table


class Counting(Reader):
    """Numbers and their parity."""

    rows: int = 10

    def columns(self, files):
        return {"n": Column((), "float64"), "target": Column((), "int64")}

    def open(self, files):
        return Numbers(self.rows, self.columns(files))


class Numbers(Table):
    def __init__(self, rows, columns):
        import numpy as np

        self.columns = columns
        self._values = {"n": np.arange(rows) / rows, "target": np.arange(rows) % 2}

    def __len__(self):
        return len(self._values["n"])

    def read(self, column, rows):
        return self._values[column][rows]

    def where(self, column, row):
        return f"number {row}"


counting = Counting
other = 3
'''
SPEC = """nnspec: 1
name: net
inputs: {n: []}
layers:
  - Reshape: [1]
  - Dense: {units: 2, activation: softmax}
    name: odd
data: {train: READER, validation: 0.5, inputs: {n: n}, targets: {odd: target}}
train: {epochs: 1, loss: SparseCategoricalCrossentropy}
"""


@pytest.fixture
def validate(tmp_path):
    """Runs `nnspec validate` where a package with readers is installed."""
    (tmp_path / "site" / "count_reader-0.3.dist-info").mkdir(parents=True)
    (tmp_path / "site" / "count_reader.py").write_text(READER)
    info = tmp_path / "site" / "count_reader-0.3.dist-info"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: count-reader\nVersion: 0.3\n")

    def run(reader: str, entry: str = "counting = count_reader:counting", *options: str) -> str:
        (info / "entry_points.txt").write_text(f"[nnspec.readers]\n{entry}\n")
        (tmp_path / "net.nnspec.yaml").write_text(SPEC.replace("READER", reader))
        code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); from nnspec.cli import main; main()"
        arguments = ["validate", str(tmp_path / "net.nnspec.yaml"), *options]
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    return run


def test_a_reader_of_another_package_is_checked_and_read_as_any(validate):
    assert "1 spec OK" in validate("counting", "counting = count_reader:counting", "--data")
    assert "unknown key `row` in `counting`" in validate("{counting: {row: 3}}")


@pytest.mark.parametrize(
    ("entry", "reported"),
    [
        ("counting = count_reader:other", "of the package count-reader 0.3 is not a subclass of `nnspec.data.readers.Reader`"),
        ("counting = count_reader:Counting", "must be called `counting` in its module"),
        ("counting = missing_module:counting", "cannot be loaded (ModuleNotFoundError"),
        ("csv = count_reader:other", "unknown reader `counting`"),
    ],
)
def test_a_reader_that_cannot_be_used_is_named_with_its_package(validate, entry, reported):
    text = validate("counting", entry)
    assert reported in text
    assert "Traceback" not in text
