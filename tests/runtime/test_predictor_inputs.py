"""What `Predictor.predict` takes: arrays, DataFrames, dicts of columns, texts; one row or many."""

from __future__ import annotations

import numpy as np
import pytest

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.training.loop.progress import Quiet

pd = pytest.importorskip("pandas")
pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves

TABLE = pd.DataFrame({"a": np.arange(12.0), "b": np.arange(12.0)[::-1], "kind": ["x", "y"] * 6})


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    """A model of one input, which contains the standardization of its columns."""
    spec = {
        "nnspec": 1,
        "name": "net",
        "inputs": {"facts": [2]},
        "layers": [{"Dense": {"units": 2, "activation": "softmax"}, "name": "kind"}],
        "data": {
            "inputs": {"facts": {"columns": ["a", "b"], "transform": ["standardize"]}},
            "targets": {"kind": {"column": "kind", "transform": ["label_encode"]}},
        },
        "train": {"epochs": 1, "seed": 1, "loss": "SparseCategoricalCrossentropy"},
    }
    run = nnspec.train(spec, data=TABLE, out=tmp_path_factory.mktemp("inputs") / "run", progress=Quiet())
    nnspec.export(run, run.path / "net.onnx")
    return nnspec.Predictor(run.path / "net.onnx")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A model of two inputs."""
    spec = nnspec.load(
        {
            "nnspec": 1,
            "name": "two",
            "inputs": {"a": [2], "b": [3]},
            "layers": [{"Concatenate": None, "from": ["a", "b"]}, {"Dense": {"units": 1}, "name": "sum"}],
        }
    )
    folder = tmp_path_factory.mktemp("two")
    nnspec.build(spec, folder)
    return nnspec.Predictor(folder / "model.onnx")


def test_rows_are_the_same_in_every_form(predictor):
    array = TABLE[["a", "b"]].to_numpy()
    expected = predictor.predict({"facts": array})["kind"]
    assert expected.shape == (12, 2)
    forms = (array, array.tolist(), TABLE, {"a": TABLE["a"], "b": list(TABLE["b"])}, TABLE.to_dict("list"))
    for form in forms:
        np.testing.assert_array_equal(predictor.predict(form)["kind"], expected)


def test_one_row_is_a_batch_of_one(predictor):
    array = TABLE[["a", "b"]].to_numpy()
    expected = predictor.predict(array[3:4])["kind"]
    assert expected.shape == (1, 2)
    for form in (array[3], {"facts": array[3]}, TABLE.iloc[3].to_dict(), {"b": 8.0, "a": 3.0}, [3.0, 8.0]):
        np.testing.assert_array_equal(predictor.predict(form)["kind"], expected)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((3, 5)), r"the input `facts` \(batch, 2\) float32 has 2 elements on axis 1; got the shape \(3, 5\)"),
        (np.zeros((3, 2, 1)), r"the input `facts` .* has 2 axes, the batch axis first; got the shape \(3, 2, 1\)"),
        (np.array([["a", "b"]]), "the input `facts` .* does not accept <U1 elements"),
        ([[1.0], [1.0, 2.0]], "the input `facts` .* is not an array"),
        ({"fact": np.zeros((3, 2))}, "no input `fact`; did you mean `facts`"),
        (TABLE.drop(columns="a"), "the data have no column `a`, which `facts` requires"),
        (TABLE.assign(a="x"), "row 0, column `a`: 'x' is not a number"),
        (TABLE.assign(b=np.nan), "row 0, column `b`"),
        (None, "data of the type `NoneType` are not supported"),
        ("a.csv", "data of the type `str` are not supported"),
    ],
    ids=range(10),
)
def test_wrong_inputs_are_refused_by_name(predictor, given, message):
    with pytest.raises(NnspecError, match=message):
        predictor.predict(given)


def test_an_array_for_one_of_several_inputs_is_refused(two):
    with pytest.raises(NnspecError, match=r"an array does not state its input(?s:.*)`a` .*`b` "):
        two.predict(np.zeros((3, 2)))
    assert two.predict({"a": np.zeros((3, 2)), "b": np.zeros((3, 3))})["sum"].shape == (3, 1)
    assert two.predict({"a": np.zeros(2), "b": np.zeros(3)})["sum"].shape == (1, 1)
    with pytest.raises(NnspecError, match=r"the input `b` .* has 2 axes"):
        two.predict({"a": np.zeros((3, 2)), "b": np.zeros(3)})
