"""What is seen in a table, and the spec that is drafted from it."""

from __future__ import annotations

import csv
import gzip
import json
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.drafting import Draft, draft_spec
from nnspec.formatting import formatted

R = random.Random(0)
SEX = [R.choice(["male", "female"]) for _ in range(120)]
PASSENGERS = {
    "PassengerId": [str(i + 1) for i in range(120)],
    "Survived": [str(int(sex == "female" or R.random() < 0.2)) for sex in SEX],
    "Name": [f"Braund{i}, Mr. Owen {R.choice(['Harris', 'Henry'])}" for i in range(120)],
    "Sex": SEX,
    "Age": ["" if R.random() < 0.2 else f"{R.gauss(30, 9):.1f}" for _ in SEX],
    "Ticket": [f"A/5 {R.randrange(10**6)}" for _ in SEX],
    "Embarked": [R.choice(["S", "C", "Q", ""]) for _ in SEX],
    "Deck": [f"deck {R.randrange(15)}" for _ in SEX],
    "Ship": ["Titanic"] * 120,
}


@pytest.fixture
def table(tmp_path):
    """Writes a table into an empty project."""
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")

    def write(columns: dict[str, list[str]], name: str = "data.csv", *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
        with (tmp_path / name).open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        return tmp_path / name

    return write


def problems_of(draft: Draft, folder: Path) -> list[str]:
    """The problems of a draft with its data; fails if it is not in canonical form."""
    file = folder / "drafted.nnspec.yaml"
    file.write_text(draft.text, encoding="utf-8")
    before, after = formatted(file)
    assert before == after
    return [str(found) for found in nnspec.validate(file, data=True)]


def drafted(path: Path, **options) -> Draft:
    draft = draft_spec(path, path.parent, **options)
    assert problems_of(draft, path.parent) == []
    return draft


def uses(draft: Draft) -> dict[str, str]:
    return {seen.name: seen.use for seen in draft.seen}


def refused(path: Path, **options) -> str:
    with pytest.raises(NnspecError) as caught:
        draft_spec(path, path.parent, **options)
    return str(caught.value)


def test_columns_are_used_by_what_they_contain(table):
    draft = drafted(table(PASSENGERS))
    assert uses(draft) == {
        "PassengerId": "each row has its own value",
        "Survived": "the target",
        "Name": "words, the first 10",
        "Sex": "one-hot",
        "Age": "standardized, median if missing",
        "Ticket": "each row has its own value",
        "Embarked": "one-hot, zeros if missing",
        "Deck": "embedding",
        "Ship": "the same value in every row",
    }
    assert "loss: {survived: BinaryCrossentropy}" in draft.text
    assert "#   Ship: the same value in every row" in draft.text


def test_the_target_can_be_chosen(table):
    assert (
        "loss: {age: MeanSquaredError}"
        in drafted(table({**PASSENGERS, "Age": ["31.5", "20"] * 60}), target="Age", task="regression").text
    )
    assert (
        "Dense: {units: 3, activation: softmax}"
        in drafted(table({**PASSENGERS, "Embarked": ["S", "C", "Q"] * 40}), target="Embarked").text
    )


def test_a_target_that_is_misspelt_gets_a_suggestion(table):
    assert refused(table(PASSENGERS), target="survived") == "there is no column `survived`\n  = help: did you mean `Survived`?"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("Name", "`Name` cannot be predicted: it contains texts"),
        ("Ship", "`Ship` cannot be predicted: it has the same value in every row"),
        ("Ticket", "`Ticket` cannot be predicted: it has another value in nearly every row"),
    ],
)
def test_a_column_that_cannot_be_predicted_is_no_target(table, target, reason):
    assert refused(table(PASSENGERS), target=target).startswith(reason)


def test_rows_without_a_target_are_reported_with_their_number(table):
    assert "the target `Embarked` is missing in " in refused(table(PASSENGERS), target="Embarked")


def test_text_is_not_predicted_as_a_number(table):
    assert "`Sex` is not a number" in refused(table(PASSENGERS), target="Sex", task="regression")


def test_few_whole_numbers_are_classes_and_many_numbers_are_a_regression(table):
    x = [str(R.random()) for _ in range(100)]
    classes = drafted(table({"x": x, "stars": [str(1 + i % 5) for i in range(100)]}))
    assert "label_encode: {classes: [1, 2, 3, 4, 5]}" in classes.text
    number = drafted(table({"x": x, "price": [f"{R.gauss(0, 1):.3f}" for _ in range(100)]}))
    assert "targets:\n    price: {column: price, transform: [standardize]}" in number.text
    as_number = drafted(table({"x": x, "stars": [str(1 + i % 5) for i in range(100)]}), task="regression")
    assert "MeanSquaredError" in as_number.text


def test_what_gives_the_target_away_is_left_out(table):
    y = [R.choice("01") for _ in range(100)]
    price = [f"{R.gauss(0, 1):.3f}" for _ in range(100)]
    x = [str(R.random()) for _ in range(100)]
    copy = drafted(table({"x": x, "alive": [{"0": "no", "1": "yes"}[value] for value in y], "target": y}))
    assert uses(copy)["alive"] == "one to one with the target `target`"
    scaled = drafted(table({"x": x, "cents": [str(round(float(value) * 1000)) for value in price], "price": price}))
    assert uses(scaled)["cents"] == "a multiple of the target `price`"


def test_a_word_that_ends_like_id_is_no_identifier(table):
    columns = {"malic_acid": [f"{R.random():.2f}" for _ in range(60)], "paid": ["yes", "no"] * 30, "y": ["a", "b", "b"] * 20}
    assert uses(drafted(table(columns))) == {"malic_acid": "standardized", "paid": "one-hot", "y": "the target"}


def test_rows_of_one_id_stay_in_one_split(table):
    columns = {
        "patient_id": [str(i // 5) for i in range(150)],
        "x": [str(R.random()) for _ in range(150)],
        "ill": ["0", "1", "1"] * 50,
    }
    assert "group: patient_id" in drafted(table(columns)).text


def test_rows_in_the_order_of_a_date_are_split_by_time(table):
    columns = {
        "day": [f"2024-{1 + i // 28:02}-{1 + i % 28:02}" for i in range(200)],
        "x": [str(R.random()) for _ in range(200)],
        "sold": [f"{R.gauss(0, 1):.2f}" for _ in range(200)],
    }
    assert "time: day" in drafted(table(columns)).text
    columns["day"].reverse()
    unordered = drafted(table(columns))
    assert "time: day" not in unordered.text
    assert uses(unordered)["day"].startswith("a date is no number")


def test_unbalanced_classes_are_weighted_and_reported(table):
    columns = {"x": [str(R.random()) for _ in range(200)], "fraud": ["yes" if i % 10 == 0 else "no" for i in range(200)]}
    draft = drafted(table(columns))
    assert "class_weight: balanced" in draft.text
    assert "The classes are unbalanced (`yes` has 10.0 %)" in " ".join(draft.decisions)
    assert "accuracy misleads" in " ".join(draft.doubts)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_is_found(table, delimiter):
    draft = drafted(table({"a": ["1.5", "2.5"] * 30, "y": ["u", "v", "v"] * 20}, delimiter=delimiter))
    assert f"delimiter: {json.dumps(delimiter)}" in draft.text


def test_the_encoding_decimal_commas_and_marks_of_missing_values_are_found(table):
    columns = {"größe": ["1,5", "2,25", "k.A."] * 20, "gewicht": ["1.234,5", "7,5", "80,0"] * 20, "y": ["ä", "b", "b"] * 20}
    draft = drafted(table(columns, delimiter=";", encoding="cp1252"))
    assert 'encoding: cp1252, delimiter: ";", missing: [k.A.], decimal: ",", thousands: .' in draft.text.replace(
        '"."', "."
    ).replace('"k.A."', "k.A.")
    assert uses(draft)["größe"] == "standardized, median if missing"


def test_a_file_without_a_header_gets_names(table):
    path = table({"1.5": ["2.5", "3.5"] * 30, "7": ["8", "9"] * 30, "a": ["b", "a"] * 30})
    draft = drafted(path)
    assert "names: [column1, column2, column3], header: false" in draft.text


@pytest.mark.parametrize("name", ["null", "true", "off"])
def test_a_file_named_like_a_value_of_yaml_names_the_model(table, name):
    assert drafted(table(PASSENGERS, f"{name}.csv")).text.splitlines()[3] == f'name: "{name}"'


def test_infinite_values_are_missing_values(table):
    ratio = [R.choice(["0.5", "2", "inf", "-inf"]) for _ in range(120)]
    draft = drafted(table({"Ratio": ratio, **PASSENGERS}))
    assert uses(draft)["Ratio"] == "standardized, median if missing"
    assert 'missing: ["-inf", "inf"]' in draft.text


def test_numbers_that_cannot_be_standardized_are_left_out_and_cannot_be_predicted(table):
    no_data = [R.choice(["0.5", "2.25", "-1.7976931348623157e308"]) for _ in range(120)]
    file = table({"Height": no_data, **PASSENGERS})
    assert uses(drafted(file))["Height"] == "infinite values, or values beyond 1e150, cannot be standardized"
    assert "it has infinite values, or values beyond 1e150" in refused(file, target="Height")


@pytest.mark.parametrize("values", [["3", "9007199254740993"], ["3", "9223372036854775809", "18446744073709551617"]])
def test_integers_that_float64_rounds_are_classes_with_all_their_digits(table, values):
    codes = [R.choice(values) for _ in range(120)]
    file = table({"hash": codes, **PASSENGERS})
    assert uses(drafted(file))["hash"] in ("standardized", "one-hot")
    drafted(file, target="hash", task="classification")


def test_the_index_that_pandas_writes_without_a_name_is_left_out(table):
    path = table({"": [str(i) for i in range(60)], "x": ["1.5", "2.5", "3.5"] * 20, "y": ["a", "b"] * 30})
    draft = drafted(path)
    assert uses(draft)["column1"] == "each row has its own value"
    assert 'names: [column1, x, "y"], header: true' in draft.text


def test_control_characters_of_the_data_are_escaped_in_comments(table):
    columns = {"x\x1b[2J": ["1.5", "2.5", "3.5", "4.5"] * 15, "same\x07": ["u"] * 60, "y": ["a\x1b", "b\x1b"] * 30}
    path = table(columns)
    text = draft_spec(path, path.parent).text
    assert [line for line in text.splitlines() if "#" in line and not line.isprintable()] == []


def test_a_compressed_table_and_json_lines_are_read(tmp_path):
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    rows = [{"x": R.random(), "smokes": R.random() < 0.5, "words": ["a", "b"], "y": R.choice(["u", "v"])} for _ in range(60)]
    lines = "\n".join(map(json.dumps, rows))
    (tmp_path / "rows.jsonl").write_text(lines, encoding="utf-8")
    assert uses(drafted(tmp_path / "rows.jsonl")) == {
        "x": "standardized", "smokes": "standardized", "words": "words, the first 10", "y": "the target"
    }  # fmt: skip
    with gzip.open(tmp_path / "rows.csv.gz", "wt", encoding="utf-8") as file:
        file.write("x,y\n" + "1.5,a\n2.5,b\n3.5,b\n" * 30)
    assert drafted(tmp_path / "rows.csv.gz").name == "rows"


def test_only_the_first_rows_of_a_large_table_are_read(table, monkeypatch):
    monkeypatch.setattr("nnspec.drafting.table_sample._MOST_ROWS", 100)
    columns = {
        "x": [str(R.random()) for _ in range(300)],
        "city": [f"c{R.randrange(20)}" for _ in range(300)],
        "y": ["a", "b"] * 150,
    }
    draft = drafted(table(columns))
    assert draft.source == "the first 100 rows of data.csv"
    assert uses(draft)["city"] == "one-hot"  # further cities may follow, which an embedding would have no row for
    assert "Only the first 100 rows were read" in " ".join(draft.doubts)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "data.csv is empty"),
        ("a,b\n", "data.csv has no rows"),
        ("a,b\n1,2\n3\n4,5\n", "data.csv, line 3: expected 2 values, got 1"),
        ("PAR1", "data.csv is a Parquet file, not CSV text"),
        ('{"a": 1}\n{"a": 2}\n', "data.csv is JSON, not CSV text"),
    ],
)
def test_a_damaged_table_is_reported(tmp_path, content, message):
    (tmp_path / "data.csv").write_text(content, encoding="utf-8")
    assert refused(tmp_path / "data.csv").startswith(message)


# --- any table --------------------------------------------------------------------------------------------------------

NAMES = [
    *(
        "a",
        "on",
        "null",
        "1e3",
        "x y",
        "$x",
        "${a}",
        "a:b",
        "#c",
        "über",
        "日本",
        "",
        "name",
        "layers",
        "numbers",
        "a'b",
        'q"r',
    ),
    *(
        "2nd",
        "true",
        "a\tb",
        " lead",
        "[x]",
        "{y}",
        "- z",
        "id",
        "user_id",
        "date",
        "é" * 50,
        "a,b",
        "!t",
        "&r",
        "*s",
        "%p",
        "@w",
    ),
]
WORDS = ["the", "cat", "sat", "£5", "don't", "$x"]
LABELS = ["a", "b b", "$c", "yes", "no", "1", "1.0", "x:y", "#h", "'q'", "null", "é", "-", "true"]


def _column(random: random.Random, rows: int) -> list[str]:
    labels = random.sample(LABELS, random.randint(2, 6))
    kind = random.choice(
        [
            lambda i: f"{random.gauss(0, 1):.4f}",
            lambda i: str(random.randrange(5)),
            lambda i: random.choice(labels),
            lambda i: str(i + 1),
            lambda i: f"2024-{1 + i % 12:02}-{1 + i % 28:02}",
            lambda i: " ".join(random.choices(WORDS, k=random.randint(3, 12))),
            lambda i: "same",
            lambda i: f"v{random.randrange(40)}",
            lambda i: random.choice(["1,234.5", "5.5", "7,000"]),
            lambda i: random.choice(["0.5", "-1", "inf", "-inf"]),
            lambda i: random.choice(["1e300", "-1.7976931348623157e308", "0.5"]),
            lambda i: random.choice(["3", "9007199254740993", "9223372036854775807"]),
            lambda i: random.choice(["3", "9223372036854775808", "18446744073709551617"]),
        ]
    )
    missing = random.choice([0, 0, 0.1, 0.6])
    return ["" if random.random() < missing else kind(i) for i in range(rows)]


@given(st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_a_draft_of_any_table_is_valid_with_its_data_and_in_canonical_form(random):
    names = random.sample(NAMES, random.randint(2, 8))
    rows = random.choice([8, 30, 60, 200])
    columns = [_column(random, rows) for _ in names]
    columns[-1] = [value or random.choice("012") for value in columns[-1]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text("", encoding="utf-8")
        with (folder / "data.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=random.choice(",;\t"))
            writer.writerow(names)
            writer.writerows(zip(*columns, strict=True))
        try:
            draft = draft_spec(folder / "data.csv", folder)
        except NnspecError:
            return
        assert [problem for problem in problems_of(draft, folder) if "error[" in problem] == []
