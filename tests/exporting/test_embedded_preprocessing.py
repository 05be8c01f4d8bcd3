"""Numeric transforms as part of an exported graph."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.data.recipe import read_inputs
from nnspec.data.transforms import TRANSFORMS, Transform
from nnspec.data.transforms.classes import label_encode, one_hot
from nnspec.data.transforms.numbers import impute, rescale, standardize
from nnspec.diagnostics import SpecError
from nnspec.exporting.embedded_preprocessing import embed_preprocessing
from nnspec.exporting.preprocessing_ops import PREPROCESSING_OPS
from nnspec.onnx_backend import to_onnx
from nnspec.onnx_backend.parity import measure
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.session import runner

from ..onnx_backend.nets import graph_of, random_weights
from .tables import ArrayTable, learn

OUTSIDE = {"boxes", "tokenize", "pad", "positions", "resize", "rgb"}
"""What is no matter of numbers alone, and stays in the recipe."""


def processed(transforms, raw: np.ndarray, dtype: str = "float32", extra: int = 0):
    """A net behind transforms: its recipe, its preprocessing, its raw model, and the bare one after the transforms in NumPy."""
    reported, made = learn(transforms, raw)
    shape = [*made.shape[1:], *([1] * extra)] if extra >= 0 else list(made.shape[1:-1])
    layers = "- Flatten\n- Dense: {units: 2}" if "float" in dtype else "- Embedding: {input_dim: 9, output_dim: 2}"
    graph = graph_of(layers, f"{{x: {{shape: {shape}, dtype: {dtype}}}}}")
    weights = random_weights(graph)
    recipe = {"inputs": {"x": {"columns": ["x"], "stacked": False, "transforms": reported}}}
    served, preprocessing = embed_preprocessing(recipe, ArrayTable({"x": raw}), graph.inputs)
    bare = runner(serialized(to_onnx(graph, weights)))

    def reference(inputs):
        values = inputs["x"].reshape(inputs["x"].shape[: raw.ndim] + (1,) * (raw.ndim - inputs["x"].ndim))
        for transform, step in zip(transforms, reported, strict=True):
            values = transform.apply(values, step["learned"])
        return bare({"x": values.reshape(len(values), *shape).astype(dtype)})

    model = to_onnx(graph, weights, preprocessing=preprocessing.inputs if preprocessing else {})
    return served, preprocessing, model, reference


numbers = st.one_of(
    st.builds(rescale, scale=st.floats(-3, 3), offset=st.sampled_from([0.0, -1.5, 7.25])),
    st.builds(standardize, axis=st.sampled_from([-1, None, 0])),
    st.builds(impute, strategy=st.sampled_from(["mean", "median", "most_frequent", 0.5])),
)
classes = st.one_of(
    st.builds(one_hot, unknown=st.booleans()),
    st.builds(label_encode, unknown=st.booleans()),
    st.builds(one_hot, classes=st.just(5)),
)


@st.composite
def tables(draw):
    """Values of a column, and transforms that can follow each other on it."""
    encoders = draw(st.booleans())
    shape = draw(st.sampled_from([(), (1,), (3,), (4, 3), (3, 2, 1)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    size = (draw(st.integers(2, 12)), *shape)
    if encoders:
        raw = rng.integers(0, 5, size).astype(draw(st.sampled_from(["int64", "uint8", "float64", "int16"])))
        chain = [draw(classes), *draw(st.lists(numbers, max_size=2))]
    else:
        dtype = draw(st.sampled_from(["float64", "float32", "uint8", "int32"]))
        spread, centre = draw(st.sampled_from([0.1, 1, 50])), draw(st.sampled_from([0, 3, 2000, 1e7]))
        raw = np.clip(rng.normal(centre, spread, size), 0, 255 if dtype == "uint8" else None).astype(dtype)
        chain = draw(st.lists(numbers, min_size=1, max_size=4))
    if raw.dtype.kind == "f" and draw(st.booleans()):
        raw[1:][rng.random(raw[1:].shape) < 0.2] = np.nan
        chain = [impute(strategy="most_frequent" if encoders else draw(st.sampled_from(["median", "mean"]))), *chain]
    rank, kept = len(shape), []
    for transform in chain:
        fits = not isinstance(transform, standardize) or transform.axis is None or -rank <= transform.axis < max(rank, 1)
        kept.append(transform if fits else standardize())
        rank += isinstance(transform, one_hot)
    drops = shape and shape[-1] == 1 and rank == len(shape) and rank > 1
    return kept, raw, 1 if rank == 0 else draw(st.sampled_from([0, 1, -1] if drops else [0, 1]))


@settings(max_examples=60)
@given(tables())
def test_a_graph_on_raw_values_answers_as_one_without_the_transforms_on_transformed_values(drawn):
    transforms, raw, extra = drawn
    _, preprocessing, model, reference = processed(transforms, raw, extra=extra)
    assert preprocessing is not None
    taken = preprocessing.inputs["x"].type.dtype
    parity = measure(reference, runner(serialized(model)), preprocessing.cases, seed=1)
    assert parity.agrees, (taken, parity)


def test_every_transform_is_in_the_graph_or_is_reported_as_outside():
    assert {transform.__name__ for transform in PREPROCESSING_OPS} | OUTSIDE == set(TRANSFORMS.names())


def element(model, name: str = "x") -> str:
    [given] = [given for given in model.graph.input if given.name == name]
    return {1: "float32", 2: "uint8", 6: "int32", 7: "int64", 11: "float64"}[given.type.tensor_type.elem_type]


@pytest.mark.parametrize(
    ("transforms", "raw", "wanted"),
    [
        ([rescale(scale=1 / 255)], np.arange(6, dtype=np.uint8).reshape(3, 2), "uint8"),
        ([standardize()], np.arange(6.0).reshape(3, 2), "float32"),
        ([standardize()], np.arange(6).reshape(3, 2), "float32"),
        ([standardize()], 1.7e9 + np.arange(6.0).reshape(3, 2), "float64"),
        ([one_hot()], np.array([[1], [2], [5]]), "int64"),
        ([one_hot()], np.array([[1.0], [2.0], [5.0]]), "float32"),
        ([one_hot()], np.array([[16777216.0], [16777217.0]]), "float64"),
        ([impute(strategy=0), rescale(scale=2)], np.array([[1.0], [np.nan]]), "float32"),
    ],
)
def test_an_input_takes_the_element_type_that_keeps_its_raw_values(transforms, raw, wanted):
    assert element(processed(transforms, raw)[2]) == wanted


def test_nodes_and_what_was_learned_are_named_after_the_input_and_the_transform():
    _, _, model, _ = processed([impute(strategy="mean"), standardize()], np.array([[0.5, 1.0], [np.nan, 4.0]]))
    names = {node.name for node in model.graph.node} | {constant.name for constant in model.graph.initializer}
    assert {"x/impute/Where", "x/impute/value", "x/standardize/Div", "x/standardize/mean", "x/standardize/std"} <= names


def test_what_is_no_number_stays_outside_and_what_follows_it_is_in_the_graph():
    raw = np.array([["b"], ["a"], ["b"]], object)
    served, preprocessing, model, _ = processed([label_encode(), rescale(scale=0.5)], raw)
    assert [step["transform"] for step in served["inputs"]["x"]["transforms"]] == ["label_encode"]
    assert element(model) == "float32"
    answers = runner(serialized(model))(read_inputs(ArrayTable({"x": raw}), "t", served, {"x": preprocessing.inputs["x"].type}))
    assert len(next(iter(answers.values()))) == 3


def test_classes_that_are_numbers_become_indices_in_the_graph_of_an_integer_input():
    served, _, model, reference = processed([label_encode(classes=[3, 5, 9])], np.array([[3], [9], [5]]), "int32")
    assert served["inputs"]["x"] == {
        "columns": ["x"],
        "stacked": False,
        "transforms": [],
        "missing": False,
        "classes": [3, 5, 9],
    }
    case = {"x": np.array([[9], [5]])}
    np.testing.assert_array_equal(*(next(iter(run(case).values())) for run in (runner(serialized(model)), reference)))


def test_numbers_that_must_be_whole_are_made_outside():
    served, preprocessing, _, _ = processed([impute(strategy=1)], np.array([[2.0], [np.nan]]), "int32")
    assert preprocessing is None
    assert len(served["inputs"]["x"]["transforms"]) == 1


def read(transforms: list[Transform], raw: np.ndarray, other: np.ndarray):
    served, preprocessing, _, _ = processed(transforms, raw)
    return read_inputs(ArrayTable({"x": other}), "t", served, {"x": preprocessing.inputs["x"].type})["x"]


def test_a_missing_value_goes_into_the_graph_only_where_that_fills_it():
    raw, holed = np.array([[0.5], [1.0]]), np.array([[np.nan], [2.0]])
    assert np.isnan(read([impute(strategy="mean"), standardize()], raw, holed)[0, 0])
    with pytest.raises(SpecError, match="is missing"):
        read([standardize()], raw, holed)
    with pytest.raises(SpecError, match="inf"):
        read([impute(strategy="mean")], raw, np.array([[np.inf]]))


def test_bytes_that_are_all_classes_leave_none_that_is_unknown():
    raw = np.arange(256, dtype=np.uint8)[:, None]
    _, preprocessing, model, reference = processed([one_hot(unknown=True)], raw)
    assert measure(reference, runner(serialized(model)), preprocessing.cases).agrees


def test_a_class_that_the_graph_does_not_know_is_refused_before_it():
    raw = np.array([[3.0], [5.0]])
    with pytest.raises(SpecError, match="row 1, column `x`"):
        read([one_hot()], raw, np.array([[3.0], [4.0]]))
    assert read([one_hot(unknown=True)], raw, np.array([[3.0], [4.0]])).shape == (2, 1)
    assert read([impute(strategy=3), one_hot()], raw, np.array([[np.nan], [5.0]])).shape == (2, 1)
    with pytest.raises(SpecError, match="is missing"):
        read([impute(strategy=4), one_hot()], raw, np.array([[np.nan], [5.0]]))
