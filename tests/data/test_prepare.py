"""Specs over good and hostile data: what is learned, what is refused, and where."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.diagnostics import Diagnostic

TABLE = "inputs: {x: [2]}\nlayers:\n  - Dense: {units: 3, activation: softmax}\n    name: kind\n"
TRAIN = "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
REGRESSION = "inputs: {x: [2]}\nlayers:\n  - Dense: {units: 1}\n    name: price\n"


def csv_spec(data: str = "", net: str = TABLE, train: str = TRAIN) -> str:
    return f"{net}data: {{train: {{csv: a.csv}}{data}}}\n{train}"


def rows(count: int, kind="i % 3") -> str:
    return "a,b,kind\n" + "".join(f"{i},{i * 0.5},{eval(kind)}\n" for i in range(count))


def only(problems: list[Diagnostic]) -> Diagnostic:
    assert len(problems) == 1, problems
    return problems[0]


def test_the_columns_left_are_stacked_and_the_only_target_is_found(project):
    (project.folder / "a.csv").write_text(rows(6))
    prepared = project.prepare(csv_spec())
    batch = prepared.train.batch(np.array([5, 0]))
    assert batch.inputs["x"].tolist() == [[5, 2.5], [0, 0]]
    assert batch.targets["kind"].tolist() == [2, 0]
    assert (batch.inputs["x"].dtype, batch.targets["kind"].dtype) == (np.float32, np.int32)


def test_transforms_learn_from_the_training_part_alone(project):
    (project.folder / "a.csv").write_text(rows(40))
    spec = csv_spec(", validation: 0.25, inputs: {x: {columns: [a, b], transform: [standardize]}}")
    prepared = project.prepare(spec)
    taken = prepared.train.rows
    assert len(taken) == 30
    assert len(prepared.validation) == 10
    [step] = prepared.state["inputs.x"]
    np.testing.assert_allclose(step["learned"]["mean"], [taken.mean(), taken.mean() / 2])
    trained = prepared.train.batch(slice(None)).inputs["x"]
    np.testing.assert_allclose(trained.mean(0), 0, atol=1e-6)


def test_the_validation_part_has_the_classes_in_proportion(project):
    (project.folder / "a.csv").write_text(rows(60, "0 if i % 10 else 1"))
    prepared = project.prepare(csv_spec(", validation: 0.5"))
    assert np.bincount(prepared.validation.batch(slice(None)).targets["kind"]).tolist() == [27, 3]
    assert [warning.code for warning in prepared.warnings] == ["NN474"]  # three units, two classes


def test_classes_too_rare_for_that_are_a_warning(project):
    (project.folder / "a.csv").write_text(rows(20, "2 if i == 7 else i % 2"))
    prepared = project.prepare(csv_spec(", validation: 0.5"))
    assert [warning.code for warning in prepared.warnings] == ["NN431"]
    assert len(prepared.validation) == 10


def test_a_validation_reader_is_transformed_by_what_the_training_data_taught(project):
    (project.folder / "a.csv").write_text("a,b,kind\n0,0,x\n2,4,y\n4,8,z\n")
    (project.folder / "v.csv").write_text("kind,b,a\nz,4,2\n")
    spec = csv_spec(
        ", validation: {csv: v.csv}, inputs: {x: {columns: [a, b], transform: [standardize]}},"
        " targets: {kind: {transform: [label_encode]}}"
    )
    prepared = project.prepare(spec)
    batch = prepared.validation.batch(slice(None))
    assert batch.inputs["x"].tolist() == [[0, 0]]
    assert batch.targets["kind"].tolist() == [2]
    assert prepared.state["targets.kind"][0]["learned"] == {"classes": ["x", "y", "z"]}
    assert set(prepared.fingerprints) == {"train", "validation"}


def test_the_fingerprint_is_of_the_bytes(project):
    (project.folder / "a.csv").write_text(rows(6))
    first = project.prepare(csv_spec()).fingerprints["train"]
    assert project.prepare(csv_spec()).fingerprints["train"] == first
    (project.folder / "a.csv").write_text(rows(6).replace("2.5", "2.6"))
    assert project.prepare(csv_spec()).fingerprints["train"] != first


def test_missing_values_are_imputed_before_they_are_refused(project):
    (project.folder / "a.csv").write_text("a,b,kind\n1,,0\n3,4,1\n,6,2\n")
    spec = csv_spec(", inputs: {x: {columns: [a, b], transform: [{impute: median}]}}")
    assert project.prepare(spec).train.batch(slice(None)).inputs["x"].tolist() == [[1, 5], [3, 4], [2, 6]]


def test_weights_of_examples_come_from_their_column(project):
    (project.folder / "a.csv").write_text("a,b,w,kind\n1,2,0.5,0\n3,4,2,1\n")
    prepared = project.prepare(csv_spec(", targets: {kind: {column: kind, weight: w}}"))
    assert prepared.train.batch(slice(None)).weights["kind"].tolist() == [0.5, 2]


def test_an_axis_of_1_goes_without_saying(project):
    np.savez(project.folder / "a.npz", x=np.ones((4, 2)), price=np.arange(4.0))
    spec = f"{REGRESSION}data: {{train: {{npz: a.npz}}}}\ntrain: {{epochs: 1, loss: mse}}\n"
    assert project.prepare(spec).train.batch(slice(None)).targets["price"].shape == (4, 1)


def test_symbols_take_the_sizes_of_the_data_and_targets_must_agree(project):
    net = "inputs: {x: [T, 3]}\nlayers:\n  - Conv1D: {filters: 2, kernel_size: 2, activation: softmax}\n    name: tag\n"
    spec = net + "data: {train: {npz: a.npz}}\n" + TRAIN
    np.savez(project.folder / "a.npz", x=np.zeros((4, 7, 3)), tag=np.zeros((4, 6), int))
    assert project.prepare(spec).train.batch(slice(None)).targets["tag"].shape == (4, 6)
    np.savez(project.folder / "a.npz", x=np.zeros((4, 7, 3)), tag=np.zeros((4, 7), int))
    problem = only(project.refuses(spec))
    assert problem.code == "NN407"
    assert "(6,)" in problem.message
    assert "(7,)" in problem.message


def test_inputs_that_share_a_symbol_must_agree_on_its_size(project):
    net = "inputs: {a: [T, 3], b: [T, 3]}\nlayers:\n  - Add:\n    from: [a, b]\n"
    np.savez(project.folder / "a.npz", a=np.zeros((4, 7, 3)), b=np.zeros((4, 8, 3)))
    problem = project.refuses(net + "data: {train: {npz: a.npz}}\ntrain: {epochs: 1, loss: Value}\n")[0]
    assert problem.code == "NN407"
    assert "`T` is 7" in problem.message


# --- hostile values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "reported"),
    [
        ("a,b,kind\n1,2,0\n3,nan,1\n", "NN422", "a.csv, line 3, column `b`: the value is missing"),
        ("a,b,kind\n1,2,0\n3,,1\n,,1\n", "NN422", "a.csv, line 3, column `b`: the value is missing (and 1 more row)"),
        ("a,b,kind\n1,2,0\n3,-inf,1\n", "NN423", "a.csv, line 3, column `b`: -inf is not a finite number"),
        ("a,b,kind\n1,2,0\n3,1e39,1\n", "NN423", "a.csv, line 3, column `b`: 1e+39 is not a finite number"),
        ("a,b,kind\n1,2,0\n3,four,1\n", "NN421", "a.csv, line 3, column `b`: 'four' is not a number"),
        (
            "a,b,kind\n1,2,0\n3,4,3\n",
            "NN425",
            "a.csv, line 3, column `kind`: class 3, but the output `kind` has 3 classes, 0 to 2",
        ),
        ("a,b,kind\n1,2,-1\n3,4,1\n", "NN425", "a.csv, line 2, column `kind`: class -1"),
        (
            "a,b,kind\n1,2,0\n3,4,1.5\n",
            "NN424",
            "a.csv, line 3, column `kind`: 1.5 is not a class index, which must be an integer",
        ),
        ("a,b,kind\n1,2,0\n3,4,\n", "NN422", "a.csv, line 3, column `kind`: the value is missing"),
        ("a,b,kind\n1,2,cat\n3,4,dog\n", "NN421", "a.csv, line 2, column `kind`: 'cat' is not a number (and 1 more row)"),
        ("a,b,kind\n", "NN420", "the training data are empty"),
        ("a,b\n1,2\n", "NN405", "cannot infer which column is the target of `kind`"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_place(project, text, code, reported):
    (project.folder / "a.csv").write_text(text)
    spec = csv_spec("" if code == "NN405" else ", inputs: {x: {columns: [a, b]}}")
    problem = project.refuses(spec)[0]
    assert problem.code == code
    assert reported in problem.message
    assert problem.path.startswith("data")


@pytest.mark.parametrize(
    ("loss", "values", "code", "reported"),
    [
        ("mse", [1, np.nan], "NN422", "array `y`, row 1"),
        ("mse", [1, np.inf], "NN423", "inf is not a finite number"),
        ("bce", [0, 2], "NN426", "2 is not from 0 to 1, as `BinaryCrossentropy` requires"),
        ("hinge", [1, 0.5], "NN426", "0.5 is not −1 or 1"),
        ("poisson", [1, -3], "NN426", "-3 is not at least 0"),
    ],
)
def test_a_target_outside_what_its_loss_takes_is_refused(project, loss, values, code, reported):
    np.savez(project.folder / "a.npz", x=np.ones((2, 2)), y=np.array(values, float))
    problem = only(project.refuses(f"{REGRESSION}data: {{train: {{npz: a.npz}}}}\ntrain: {{epochs: 1, loss: {loss}}}\n"))
    assert problem.code == code
    assert reported in problem.message


def test_classes_counted_from_1_are_reported_apart(project):
    (project.folder / "a.csv").write_text(rows(6, "i % 3 + 1"))
    assert "numbered from 1" in only(project.refuses(csv_spec())).help


def test_more_encoded_classes_than_units_are_not_reported_to_be_encoded(project):
    (project.folder / "a.csv").write_text(rows(8, "'abcd'[i % 4]"))
    reported = only(project.refuses(csv_spec(", targets: {kind: {column: kind, transform: [label_encode]}}")))
    assert reported.code == "NN425"
    assert reported.help == "give the layer 4 units, the number of classes that `label_encode` found"


def test_an_unknown_class_of_the_validation_data_is_named(project):
    (project.folder / "a.csv").write_text("a,b,kind\n0,0,x\n2,4,y\n4,8,z\n")
    (project.folder / "v.csv").write_text("a,b,kind\n0,0,x\n1,1,w\n")
    problem = only(project.refuses(csv_spec(", validation: {csv: v.csv}, targets: {kind: {transform: [label_encode]}}")))
    assert problem.code == "NN427"
    assert "v.csv, line 3, column `kind`: 'w' is an unknown class; the classes are 'x', 'y', 'z'" in problem.message
    assert problem.path == "data.targets.kind"


def test_a_one_hot_target_of_another_number_of_classes_is_refused(project):
    (project.folder / "a.csv").write_text(rows(6, "i % 2"))
    spec = csv_spec(", targets: {kind: {transform: [one_hot]}}", train="train: {epochs: 1, loss: CategoricalCrossentropy}\n")
    problem = only(project.refuses(spec))
    assert problem.code == "NN407"
    assert "(3,)" in problem.message
    assert "(2,)" in problem.message


@pytest.mark.parametrize(
    ("weights", "reported"),
    [((-1, 1), "-1 is not a valid weight"), ((0, 0), "0 is not a valid weight"), (("a", 1), "'a' is not")],
)
def test_a_weight_is_a_number_of_at_least_0(project, weights, reported):
    (project.folder / "a.csv").write_text(f"a,b,w,kind\n1,2,{weights[0]},0\n3,4,{weights[1]},1\n")
    spec = csv_spec(", inputs: {x: {columns: [a, b]}}, targets: {kind: {column: kind, weight: w}}")
    assert reported in only(project.refuses(spec)).message


def test_an_input_of_whole_numbers_takes_no_other(project):
    net = "inputs: {x: {shape: [2], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 5, output_dim: 3}\n  - Flatten\n"
    net += "  - Dense: {units: 1}\n    name: price\n"
    for value, reported in ((0.5, "0.5 is not an integer"), (2.0**40, "is not an integer from -2147483648")):
        np.savez(project.folder / "a.npz", x=np.array([[1, 2], [3, value]]), price=np.zeros(2))
        problem = only(project.refuses(f"{net}data: {{train: {{npz: a.npz}}}}\ntrain: {{epochs: 1, loss: mse}}\n"))
        assert problem.code == "NN424"
        assert reported in problem.message


def test_an_input_is_looked_up_in_a_table_that_has_a_row_for_it(project):
    net = "inputs: {x: {shape: [4], dtype: int32}}\nlayers:\n  - Reshape: {target_shape: [2, 2]}\n"
    net += "  - Embedding: {input_dim: 5, output_dim: 3}\n  - Flatten\n  - Dense: {units: 1}\n    name: price\n"
    np.savez(project.folder / "a.npz", x=np.array([[1, 2, 3, 4], [3, 2, 0, 5]]), price=np.zeros(2))
    problem = only(project.refuses(f"{net}data: {{train: {{npz: a.npz}}}}\ntrain: {{epochs: 1, loss: mse}}\n"))
    assert problem.code == "NN433"
    assert "array `x`, row 1: 5 is out of range; the table that `x` indexes has rows 0 to 4" in problem.message


def test_a_validation_part_that_leaves_nothing_to_train_on_is_refused(project):
    (project.folder / "a.csv").write_text("a,b,kind\n1,2,0\n")
    problem = only(project.refuses(csv_spec(", validation: 0.5")))
    assert problem.code == "NN430"
    assert problem.path == "data.validation"


def test_several_bad_columns_are_all_reported_of(project):
    (project.folder / "a.csv").write_text("a,b,kind\nnan,2,7\n1,2,0\n")
    spec = csv_spec(", inputs: {x: {columns: [a, b]}}")
    assert {problem.code for problem in project.refuses(spec)} == {"NN422", "NN425"}


def test_a_file_cut_short_is_reported_at_its_argument(project, write_idx):
    path = write_idx("images", np.zeros((3, 4, 4)))
    path.write_bytes(path.read_bytes()[:-5])
    write_idx("labels", np.zeros(3))
    net = "inputs: {image: [4, 4, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 3, activation: softmax}\n"
    problem = only(project.refuses(f"{net}data: {{train: {{idx: {{images: images, labels: labels}}}}}}\n{TRAIN}"))
    assert problem.code == "NN403"
    assert problem.path == "data.train.idx.images"


def test_test_data_without_a_column_that_is_used_are_refused(project):
    (project.folder / "a.csv").write_text(rows(6))
    (project.folder / "t.csv").write_text("a,bb,kind\n1,2,0\n")
    problem = only(project.refuses(csv_spec(", test: {csv: t.csv}")))
    assert problem.code == "NN411"
    assert problem.help == "did you mean `bb`?"


def test_a_missing_file_is_a_warning_until_training_starts(project):
    spec = csv_spec()
    plan, problems = project.plan(spec, require_data=False)
    assert plan is not None
    assert [(x.code, x.severity, x.path) for x in problems] == [("NN402", "warning", "data.train.csv")]
    assert only(project.refuses(spec)).code == "NN402"


def test_without_data_there_is_nothing_to_train_on(project):
    assert only(project.refuses(TABLE + TRAIN)).code == "NN432"


def test_classes_under_a_loss_of_numbers_are_reported_apart(project):
    (project.folder / "a.csv").write_text(rows(6))
    problem = only(project.refuses(csv_spec(train="train: {epochs: 1, loss: mse}\n")))
    assert problem.code == "NN407"
    assert "`one_hot: {classes: 3}`" in problem.help


def test_the_arguments_of_the_reader_that_change_values_are_in_the_recipe(project):
    (project.folder / "a.csv").write_text(rows(6).replace(",", ";"))
    prepared = project.prepare(csv_spec().replace("{csv: a.csv}", "{csv: {file: a.csv, delimiter: ';'}}"))
    assert prepared.recipe["reader"]["csv"]["delimiter"] == ";"
