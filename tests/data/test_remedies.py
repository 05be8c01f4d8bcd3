"""What the help of a data diagnostic says, done literally, ends in a spec that works: never in a circle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec.api import validate

CASES = Path(__file__).parent.parent / "cases"
ROWS = [(i / 7, i * 3.5 - 2, "rgb"[i % 3]) for i in range(21)]


@dataclass
class Case:
    """A spec with a fault in its data.

    Attributes:
        text: The spec.
        steps: For each diagnostic in turn what its help must contain, and what following it replaces in the spec, or does
            to the folder.
        files: Writes the data.
    """

    text: str
    steps: list[tuple[str, object]]
    files: Callable[[Path], object] = field(default=lambda folder: None)


def net(
    reader: str, *, x: str = "columns: [a, b], transform: [standardize]", y: str = "transform: [label_encode]", size=2
) -> str:
    return (
        f"nnspec: 1\nname: net\ninputs: {{x: [{size}]}}\nlayers:\n  - Dense: {{units: 3, activation: softmax}}\n    name: y\n"
        f"data:\n  train: {{{reader}}}\n  validation: 0.25\n  inputs: {{x: {{{x}}}}}\n"
        f"  targets: {{y: {{column: k, {y}}}}}\ntrain: {{epochs: 1, loss: SparseCategoricalCrossentropy}}\n"
    )


def table(name: str = "t.csv", *, head: str = "a,b,k", sep: str = ",", more: str = "", row=None, encoding: str = "utf-8"):
    """Writes a table whose rows are made by a function of number and values."""
    row = row or (lambda i, r: map(str, r))

    def write(folder: Path) -> None:
        lines = [head.replace(",", sep), *(sep.join(row(i, r)) for i, r in enumerate(ROWS))]
        (folder / name).write_text("\n".join(lines) + "\n" + more, encoding=encoding)

    return write


def edit(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Changes a file of data."""

    def change(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")

    return change


def copied(name: str) -> Callable[[Path], object]:
    return lambda folder: shutil.copytree(CASES / name, folder, dirs_exist_ok=True)


def lines(name: str, rows: list[dict], form=lambda rows: "\n".join(map(json.dumps, rows))):
    return lambda folder: (folder / name).write_text(form(rows), encoding="utf-8")


def pictures(mode: str = "RGB", size: tuple[int, int] = (8, 8), folders: tuple[str, ...] = ("p/a", "p/b")):
    def write(folder: Path) -> None:
        rng = np.random.default_rng(0)
        for name in folders:
            (folder / name).mkdir(parents=True)
            for i in range(6):
                pixels = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
                Image.fromarray(pixels).convert(mode).save(folder / name / f"{i}.png")

    return write


T, IMPUTE = "csv: t.csv", ("transform: [standardize]", "transform: [{impute: median}, standardize]")
SNIPPET = {
    "q": 'csv: {file: t.csv, missing: ["?"]}',
    "thousands": 'csv: {file: t.csv, thousands: ","}',
    "comma": 'csv: {file: t.csv, decimal: ","}',
}
IMAGES = (
    "nnspec: 1\nname: net\ninputs: {image: [8, 8, 3]}\nlayers:\n  - Flatten\n  - Dense: {units: 2, activation: softmax}\n"
    "    name: y\ndata:\n  train: {images: {folder: p}}\n  validation: 0.25\n"
    "  inputs: {image: {transform: [{rescale: 0.00392156862745098}]}}\n"
    "  targets: {y: {column: label, transform: [label_encode]}}\n"
    "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
)
TAGGER = (
    "nnspec: 1\nname: net\ninputs: {words: {shape: [T], dtype: int32}}\nlayers:\n"
    "  - Embedding: {input_dim: 40, output_dim: 4, mask_zero: true}\n  - GRU: {units: 4, return_sequences: true}\n"
    "  - Dense: {units: 40, activation: softmax}\n    name: tags\ndata:\n  train: {jsonl: t.jsonl}\n  validation: 0.25\n"
    "  inputs: {words: {column: words, transform: [tokenize, {pad: 9}]}}\n"
    "  targets: {tags: {column: tags, transform: [tokenize, {pad: 9}]}}\n"
    "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
)
SENTENCE = {"words": "EU rejects [MASK] call", "tags": "B-ORG O B-MISC O"}
_MASKS = (CASES / "masks" / "net.nnspec.yaml").read_text(encoding="utf-8").replace("ok/", "m255/")

STORY: dict[str, Case] = {
    "question marks": Case(
        net(T),
        [(SNIPPET["q"], (T, SNIPPET["q"])), ("`impute: median` first", IMPUTE)],
        table(row=lambda i, r: ["?" if i == 3 else str(r[0]), str(r[1]), r[2]]),
    ),
    "None beside NA": Case(
        net(T, x="columns: [a, b], transform: [{impute: median}, standardize]"),
        [('csv: {file: t.csv, missing: ["NA", "None"]}', (T, 'csv: {file: t.csv, missing: ["NA", "None"]}'))],
        table(row=lambda i, r: ["None" if i == 3 else "NA" if i == 5 else str(r[0]), str(r[1]), r[2]]),
    ),
    "thousands": Case(
        net(T), [(SNIPPET["thousands"], (T, SNIPPET["thousands"]))], table(row=lambda i, r: [f'"1,{i:03}.5"', str(r[1]), r[2]])
    ),
    "decimal comma": Case(
        net(T, x="column: a", size=1),
        [(SNIPPET["comma"], (T, SNIPPET["comma"]))],
        table(row=lambda i, r: [f'"{i},5"', str(i), r[2]]),
    ),
    "German table": Case(
        net(T),
        [
            ('delimiter: ";"', (T, 'csv: {file: t.csv, delimiter: ";"}')),
            (
                'csv: {file: t.csv, delimiter: ";", decimal: ",", thousands: .}'.replace("thousands: .", 'thousands: "."'),
                ('delimiter: ";"}', 'delimiter: ";", decimal: ",", thousands: "."}'),
            ),
        ],
        table(sep=";", row=lambda i, r: [f"1.{i:03},50", f"{i},5", r[2]]),
    ),
    "comma decimals beside point decimals": Case(
        net(T),
        [("write the values of `a` in the file as numbers such as 1234.5", edit("t.csv", ',5",', '.5",'))],
        table(row=lambda i, r: [f'"{i},5"', str(r[1]), r[2]]),
    ),
    "infinite": Case(
        net(T),
        [('csv: {file: t.csv, missing: ["inf"]}', (T, 'csv: {file: t.csv, missing: ["inf"]}')), ("`impute: median` first", IMPUTE)],
        table(row=lambda i, r: ["inf" if i == 3 else str(r[0]), str(r[1]), r[2]]),
    ),
    "missing number": Case(
        net(T),
        [("put `impute: median` first under `transform`", IMPUTE)],
        table(row=lambda i, r: ["" if i == 3 else str(r[0]), str(r[1]), r[2]]),
    ),
    "missing class of an input": Case(
        net(T, x="column: k, transform: [label_encode]", size=1, y="").replace("column: k, }", "column: b}"),
        [
            (
                "put `impute: most_frequent` first under `transform`",
                ("transform: [label_encode]", "transform: [{impute: most_frequent}, label_encode]"),
            ),
        ],
        table(row=lambda i, r: [str(r[0]), str(i % 3), "" if i == 3 else r[2]]),
    ),
    "median of a text": Case(
        net(T, x="column: k, transform: [{impute: median}]", size=1, y="").replace("column: k, }", "column: b}"),
        [
            (
                "replace `impute: median` by `impute: most_frequent` and `label_encode` or `one_hot`",
                ("{impute: median}", "{impute: most_frequent}, label_encode"),
            ),
        ],
        table(row=lambda i, r: [str(r[0]), str(i % 3), "" if i == 3 else r[2]]),
    ),
    "median of a text before its classes": Case(
        net(T, x="column: k, transform: [{impute: median}, label_encode]", size=1, y="").replace("column: k, }", "column: b}"),
        [("replace `impute: median` by `impute: most_frequent`", ("{impute: median}", "{impute: most_frequent}"))],
        table(row=lambda i, r: [str(r[0]), str(i % 3), "" if i == 3 else r[2]]),
    ),
    "median of a text in JSON lines": Case(
        net("jsonl: t.jsonl", x="column: a, transform: [{impute: median}]", size=1),
        [
            (
                "write `impute: most_frequent`, and `label_encode` or `one_hot` after it",
                ("{impute: median}", "{impute: most_frequent}, label_encode"),
            ),
        ],
        lines("t.jsonl", [{"a": None if i == 3 else "xyz"[i % 3], "k": "rg"[i % 2]} for i in range(12)]),
    ),
    "missing target": Case(
        net(T),
        [("remove rows without a target from the file", edit("t.csv", "9,9,\n", ""))],
        table(more="9,9,\n"),
    ),
    "class where a number is expected": Case(
        net(T, x="column: k, transform: [standardize]", size=1, y="").replace("column: k, }", "column: b}"),
        [("put `label_encode` or `one_hot` first under `transform`", ("[standardize]", "[label_encode, standardize]"))],
        table(row=lambda i, r: [str(r[0]), str(i % 3), r[2]]),
    ),
    "class among numbers": Case(
        net(T, x="columns: [a, c], transform: [standardize]"),
        [("remove it from `columns`", ("columns: [a, c]", "columns: [a, b]"))],
        table(head="a,b,c,k", row=lambda i, r: [str(r[0]), str(r[1]), "xy"[i % 2], r[2]]),
    ),
    "text and numbers stacked": Case(
        net(T, x="columns: [a, c], transform: [label_encode]"),
        [("remove it from `columns`", ("columns: [a, c]", "columns: [a, b]"))],
        table(head="a,b,c,k", row=lambda i, r: [str(i % 3), str(i % 2), "xy"[i % 2], r[2]]),
    ),
    "target of text": Case(
        net(T, y="transform: []"),
        [("put `label_encode` under `transform`", ("transform: []", "transform: [label_encode]"))],
        table(),
    ),
    "dates": Case(
        net(T),
        [
            ("remove it from `columns`", ("columns: [a, b]", "columns: [b]")),
            ("declare the input as `x: [1]`", ("inputs: {x: [2]}", "inputs: {x: [1]}")),
        ],
        table(row=lambda i, r: [f"2024-01-{i + 1:02}", str(r[1]), r[2]]),
    ),
    "numbers with a unit": Case(
        net(T),
        [("remove the unit `%`", edit("t.csv", "%", ""))],
        table(row=lambda i, r: [f"{i}%", str(r[1]), r[2]]),
    ),
    "vectors of one hot where a number is expected": Case(
        net(T, x="column: k, transform: [one_hot]", size=1, y="").replace("column: k, }", "column: b}"),
        [("declare the input as `x: [3]`", ("inputs: {x: [1]}", "inputs: {x: [3]}"))],
        table(row=lambda i, r: [str(r[0]), str(i % 3), r[2]]),
    ),
    "too few units": Case(
        net(T).replace("units: 3", "units: 2"), [("give the layer 3 units", ("units: 2", "units: 3"))], table()
    ),
    "classes from 1": Case(
        net(T, y="transform: []"),
        [("put `label_encode` under `transform`", ("transform: []", "transform: [label_encode]"))],
        table(row=lambda i, r: [str(r[0]), str(r[1]), str(i % 3 + 1)]),
    ),
    "classes far apart": Case(
        net(T, y="transform: []"),
        [("put `label_encode` under `transform`", ("transform: []", "transform: [label_encode]"))],
        table(row=lambda i, r: [str(r[0]), str(r[1]), str(i % 3 * 500)]),
    ),
    "yes and no as 1 and 2": Case(
        net(T, y="transform: []").replace("units: 3, activation: softmax", "units: 1, activation: sigmoid")
        .replace("SparseCategoricalCrossentropy", "BinaryCrossentropy"),
        [("put `label_encode` under `transform`", ("transform: []", "transform: [label_encode]"))],
        table(row=lambda i, r: [str(r[0]), str(r[1]), str(i % 2 + 1)]),
    ),
    "fractions for an integer input": Case(
        net(T, x="columns: [a, b]").replace("inputs: {x: [2]}", "inputs: {x: {shape: [2], dtype: int32}}"),
        [("`dtype: float32`", ("dtype: int32", "dtype: float32"))],
        table(),
    ),
    "names that replace a header": Case(
        net("csv: {file: t.csv, names: [one, two, k]}", x="columns: [one, two]", y="transform: [label_encode]"),
        [("write `header: true` if the first line is a header", ("names: [one, two, k]", "names: [one, two, k], header: true"))],
        table(head="a,b,c"),
    ),
    "column without a name": Case(
        net(T),
        [
            (
                "write `names: [column1, a, b, k]` and `header: true`",
                (T, "csv: {file: t.csv, names: [column1, a, b, k], header: true}"),
            ),
        ],
        table(head=",a,b,k", row=lambda i, r: map(str, (i, *r))),
    ),
    "two columns of one name": Case(
        net(T, x="columns: [a, a_2]"),
        [("write `names: [a, a_2, k]` and `header: true`", (T, "csv: {file: t.csv, names: [a, a_2, k], header: true}"))],
        table(head="a,a,k"),
    ),
    "names of rows": Case(
        net(T),
        [
            (
                "give all `names`, with `header: true`",
                (T, "csv: {file: t.csv, names: [row, a, b, k], header: true}"),
            ),
        ],
        table(row=lambda i, r: map(str, (i, *r))),
    ),
    "quotes in a text": Case(
        net(T),
        [("write `quote: none`", (T, "csv: {file: t.csv, quote: none}"))],
        table(row=lambda i, r: [str(r[0]), str(r[1]), f'"{r[2]}" x']),
    ),
    "Latin-1": Case(
        net(T),
        [("`encoding: latin-1`", (T, "csv: {file: t.csv, encoding: latin-1}"))],
        table(row=lambda i, r: [str(r[0]), str(r[1]), "grün" if i % 2 else "blau"], encoding="latin-1"),
    ),
    "JSON given to csv": Case(
        net(T), [("read it with `jsonl: t.csv`", (T, "jsonl: t.csv"))],
        lines("t.csv", [{"a": r[0], "b": r[1], "k": r[2]} for r in ROWS]),
    ),
    "question marks in JSON lines": Case(
        net("jsonl: t.jsonl"),
        [("write null for a missing value", edit("t.jsonl", '"?"', "null")), ("`impute: median` first", IMPUTE)],
        lines("t.jsonl", [{"a": "?" if i == 3 else r[0], "b": r[1], "k": r[2]} for i, r in enumerate(ROWS)]),
    ),
    "grey images": Case(
        IMAGES, [("write `color_mode: rgb`", ("folder: p", "folder: p, color_mode: rgb"))], pictures("L")
    ),
    "one grey image among others": Case(
        (CASES / "images" / "net.nnspec.yaml").read_text(encoding="utf-8").replace("folder: ok", "folder: grey_in_rgb"),
        [("`cat/0.png` is 16×16 grayscale: write `color_mode: rgb`", ("grey_in_rgb}", "grey_in_rgb, color_mode: rgb}"))],
        copied("images"),
    ),
    "images of another size": Case(
        IMAGES, [("write `image_size: [8, 8]`", ("folder: p", "folder: p, image_size: [8, 8]"))], pictures(size=(9, 7))
    ),
    "void of a mask": Case(
        _MASKS,
        [
            (
                "`SparseCategoricalCrossentropy: {ignore_class: 255}`",
                ("loss: SparseCategoricalCrossentropy", "loss: {SparseCategoricalCrossentropy: {ignore_class: 255}}"),
            ),
        ],
        copied("masks"),
    ),
    "mask of 0 and 255": Case(
        _MASKS.replace("masks: m255/m", "masks: b").replace("mask: mask", "mask: {column: mask}"),
        [
            (
                "put `label_encode` under `transform`",
                ("mask: {column: mask}", "mask: {column: mask, transform: [label_encode]}"),
            ),
        ],
        lambda folder: (copied("masks")(folder), _black_and_white(folder)),
    ),
    "labels divided into words": Case(
        TAGGER,
        [("write `tokenize: {by: space}` for both", ("[tokenize, ", "[{tokenize: {by: space}}, "))],
        lines("t.jsonl", [SENTENCE] * 12),
    ),
    "a label that is missing": Case(
        TAGGER.replace("[tokenize, ", "[{tokenize: {by: space}}, "),
        [("provide one label per token", edit("t.jsonl", "O B-MISC\"", "O B-MISC O\""))],
        lines("t.jsonl", [*[SENTENCE] * 12, SENTENCE | {"tags": "B-ORG O B-MISC"}]),
    ),
    "tokens as classes": Case(
        TAGGER.replace("tags, transform: [tokenize, {pad: 9}]", "tags, transform: [label_encode]"),
        [("replace `label_encode` by `tokenize` and `pad`", ("[label_encode]", "[tokenize, {pad: 9}]"))],
        lines("t.jsonl", [{name: text.split() for name, text in SENTENCE.items()}] * 12),
    ),
}  # fmt: skip


def _black_and_white(folder: Path) -> None:
    (folder / "b").mkdir()
    for file in (folder / "m255/m").iterdir():
        Image.fromarray(np.where(np.asarray(Image.open(file)) > 1, 255, 0).astype(np.uint8)).save(folder / "b" / file.name)


@pytest.mark.parametrize("name", STORY)
def test_a_help_that_is_followed_ends_in_a_spec_that_works(tmp_path, name):
    case = STORY[name]
    case.files(tmp_path)
    text, spec = case.text, tmp_path / "remedy.nnspec.yaml"
    for reported, remedy in case.steps:
        spec.write_text(text, encoding="utf-8")
        errors = [found for found in validate(spec, data=True) if found.is_error]
        assert errors and reported in errors[0].help, errors
        if callable(remedy):
            remedy(tmp_path)
        else:
            old, new = remedy
            assert old in text
            text = text.replace(old, new)
    spec.write_text(text, encoding="utf-8")
    assert [found for found in validate(spec, data=True) if found.is_error] == []


@pytest.mark.parametrize(
    ("name", "help"), [("thou", 'thousands: ","'), ("q_na", 'missing: ["?"]'), ("none_na", 'missing: ["None"]')]
)
def test_the_help_names_the_argument_of_the_reader(name, help):
    found = validate(CASES / "csv" / "numbers.nnspec.yaml", [f"data.train.csv={name}.csv"], data=True)
    assert [(one.code, help in one.help) for one in found] == [("NN421", True)]


def test_names_in_the_place_of_a_header_make_no_row_of_it():
    spec = CASES / "csv" / "cat.nnspec.yaml"
    found = validate(spec, data=True)
    assert [(one.code, "has shape (3,)" in one.message) for one in found if one.is_error] == [("NN407", True)]
    assert not any(one.is_error for one in validate(spec, ["inputs.x=[3]"], data=True))


@pytest.mark.parametrize("name", ["ok", "binary", "sview"])
def test_text_of_parquet_is_read_however_it_is_stored(name):
    pytest.importorskip("pyarrow")
    assert validate(CASES / "parquet" / "net.nnspec.yaml", [f"data.train.parquet={name}.parquet"], data=True) == []


def test_a_folder_one_level_too_high_warns_and_names_the_folder():
    found = validate(CASES / "images" / "net.nnspec.yaml", ["data.train.images.folder=split_nested"])
    assert [(one.code, one.severity, "split_nested/train" in one.help) for one in found] == [("NN481", "warning", True)]
