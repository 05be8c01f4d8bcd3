"""Each pass ensures what it states, and keeps what the graph computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from nnspec.onnx_backend import proto
from nnspec.onnx_backend.builder import Body, Builder
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.passes import PASSES, Pass, Property
from nnspec.onnx_backend.proto import finish, serialized
from nnspec.types import TensorType
from tests.generation.documents import language_model, models_of

from .graph_properties import HOLDS
from .nets import graph_of, random_weights
from .test_nonempty import NETS

BY_NAME = {each.name: each for each in PASSES}

SPECS = {
    **NETS,
    "a shared output": ("  - Dense: 3\n    name: a\n", "{x: [4]}", "{y: a, z: a, same: x}"),
    "normalizations": (
        "  - Dense: 3\n  - BatchNormalization\n  - BatchNormalization\n  - Normalization: {mean: [1, 2, 3], variance: [1, 2, 3]}\n",
        "{x: [4]}",
    ),
    "convolutions": ("  - Conv2DTranspose: {filters: 2, kernel_size: 3}\n  - BatchNormalization\n", "{x: [5, 5, 3]}"),
}


def test_each_pass_finds_what_it_requires_and_at_the_end_every_property_holds() -> None:
    found: set[Property] = set()
    for each in PASSES:
        assert each.requires <= found, each.name
        found = (found - each.ends) | each.ensures
    assert found == set(Property)


def checked(each: Pass, found: set[Property]) -> Pass:
    """The pass, which checks the properties of the graph before and after it."""

    def run(b: Builder) -> None:
        assert all(HOLDS[required](b) for required in each.requires)
        each.run(b)
        found.difference_update(each.ends)
        found.update(each.ensures)
        assert {own for own in found if HOLDS[own](b)} == found, each.name

    return replace(each, run=run)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> set[Property]:
    found: set[Property] = set()
    monkeypatch.setattr(proto, "PASSES", tuple(checked(each, found) for each in PASSES))
    return found


@pytest.mark.parametrize("name", SPECS)
def test_passes_ensure_what_they_state_for_a_network(name: str, checks: set[Property]) -> None:
    graph = graph_of(*SPECS[name])
    to_onnx(graph, random_weights(graph))
    assert checks == set(Property)


def test_passes_ensure_what_they_state_for_a_decoding_loop(checks: set[Property]) -> None:
    models_of(language_model("  - GRU: {units: 5}\n")).loop()
    assert checks == set(Property)


# --- each pass on a small graph -------------------------------------------------------------------------------------------

Write = Callable[[Builder], "str | tuple[str, ...]"]
X = np.arange(-6, 6, dtype=np.float32).reshape(3, 4)


def built(write: Write) -> Builder:
    """A graph of the input ``x``, whose outputs are those that a function writes."""
    b = Builder(23)
    b.claim("x")
    with b.at("layer"):
        made = write(b)
    b.outputs = {f"y{place}": name for place, name in enumerate([made] if isinstance(made, str) else made)}
    return b


def numbers(b: Builder, shape: tuple[int, ...], out: Mapping[str, int] | None = None) -> list[np.ndarray[Any, Any]]:
    ranks = out or {}
    kinds = {name: TensorType((1,) * ranks.get(name, 1)) for name in b.outputs}
    model = finish(b, {"x": TensorType(shape)}, kinds, name="net", metadata={}, version="0", passes=())
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    return list(
        onnxruntime.InferenceSession(serialized(model), providers=["CPUExecutionProvider"]).run(
            None, {"x": X.reshape(-1, *shape)}
        )
    )


def rewritten(name: str, write: Write, shape: tuple[int, ...] = (4,), *, valid_before: bool = True) -> Builder:
    """The graph after one pass, which computes the same as before it."""
    b = built(write)
    BY_NAME[name].run(b)
    if valid_before:
        for left, right in zip(numbers(built(write), shape), numbers(b, shape), strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-6)
    assert all(HOLDS[own](b) for own in BY_NAME[name].ensures)
    return b


def types_of(operations: list[Any]) -> list[str]:
    return [operation.type for operation in operations]


KERNEL = np.arange(12, dtype=np.float32).reshape(4, 3) / 7


def dense(b: Builder, x: str) -> str:
    return b.op("Gemm", x, b.constant(KERNEL, "kernel"), b.constant(np.ones(3, np.float32), "bias"))


def normalized(b: Builder, x: str) -> str:
    scaled = b.op("Mul", x, b.rounded(np.array([1 / 3, 2, 3]), "scale"))
    return b.op("Add", scaled, b.rounded(np.array([0.1, 0, 1]), "offset"))


def test_a_normalization_is_folded_into_the_dense_layer_before_it() -> None:
    b = rewritten("fold_normalizations", lambda b: normalized(b, normalized(b, dense(b, "x"))))
    assert types_of(b.operations) == ["Gemm"]


def test_a_mean_that_is_subtracted_first_is_folded() -> None:
    def write(b: Builder) -> str:
        centered = b.op("Sub", b.op("Gemm", "x", b.constant(KERNEL, "kernel")), b.rounded(np.array([1.0, 2, 3]), "mean"))
        return b.op("Mul", centered, b.rounded(np.array(1 / 3), "scale"))

    assert types_of(rewritten("fold_normalizations", write).operations) == ["Gemm"]


@pytest.mark.parametrize("operator", ["Conv", "ConvTranspose"])
def test_a_batch_normalization_is_folded_into_a_convolution(operator: str) -> None:
    kernel = np.arange(12, dtype=np.float32).reshape((3, 1, 2, 2) if operator == "Conv" else (1, 3, 2, 2))

    def write(b: Builder) -> str:
        y = b.op(operator, "x", b.constant(kernel, "kernel"), kernel_shape=[2, 2])
        names = [b.rounded(np.array([1 / 3, 2, 3]), "scale"), b.rounded(np.array([0.1, 0, 1]), "offset")]
        names += [b.constant(np.zeros(3, np.float32), "mean"), b.constant(np.ones(3, np.float32), "variance")]
        return b.op("BatchNormalization", y, *names, epsilon=0.0)

    assert types_of(rewritten("fold_normalizations", write, (1, 2, 2)).operations) == [operator]


def test_a_layer_that_is_read_twice_keeps_its_kernel() -> None:
    def write(b: Builder) -> tuple[str, str]:
        y = dense(b, "x")
        return normalized(b, y), y

    assert types_of(rewritten("fold_normalizations", write).operations) == ["Gemm", "Mul", "Add"]


def test_a_shared_kernel_is_folded_for_the_layer_that_is_normalized() -> None:
    b = rewritten("fold_normalizations", lambda b: (normalized(b, dense(b, "x")), dense(b, "x")))
    assert types_of(b.operations) == ["Gemm", "Gemm"]
    assert b.operations[0].inputs[1] != b.operations[1].inputs[1]


@pytest.mark.parametrize("attributes", [{"alpha": 2.0}, {"beta": 2.0}])
def test_a_product_with_a_factor_is_not_folded(attributes: dict[str, float]) -> None:
    def write(b: Builder) -> str:
        bias = b.constant(np.ones(3, np.float32), "bias")
        return normalized(b, b.op("Gemm", "x", b.constant(KERNEL, "kernel"), bias, bodies=None, **attributes))

    b = built(write)
    BY_NAME["fold_normalizations"].run(b)
    assert types_of(b.operations) == ["Gemm", "Mul", "Add"]


def test_a_scale_that_varies_along_another_axis_is_not_folded() -> None:
    def write(b: Builder) -> str:
        rows = b.op("Mul", dense(b, "x"), b.rounded(np.ones((3, 1)), "scale"))
        return b.op("Add", rows, b.rounded(np.zeros((3, 1)), "offset"))

    b = built(write)
    BY_NAME["fold_normalizations"].run(b)
    assert types_of(b.operations) == ["Gemm", "Mul", "Add"]


def test_other_constants_are_not_folded() -> None:
    def write(b: Builder) -> str:
        one = b.constant(np.ones(3, np.float32), "one")
        return b.op("Add", b.op("Mul", dense(b, "x"), one), one)

    assert types_of(rewritten("fold_normalizations", write).operations) == ["Gemm", "Mul", "Add"]


def loop(b: Builder, write: Callable[[str, str], tuple[str, ...]]) -> list[str]:
    """A ``Scan`` over the rows of ``x``, whose state is a row."""
    with b.body() as body:
        state, step = b.name("state"), b.name("step")
        made = write(state, step)
    row = TensorType(())
    body.inputs = [(state, row), (step, row)]
    body.outputs = [(name, row) for name in made]
    start = b.op("Slice", "x", b.ints([0], "from"), b.ints([1], "to"), b.ints([0], "axis"))
    start = b.op("Squeeze", start, b.ints([0], "axis"))
    return b.ops("Scan", [start, "x"], len(made), bodies={"body": body}, num_scan_inputs=1)


def body_of(b: Builder) -> Body:
    return next(body for operation in b.operations for body in operation.bodies.values())


def test_what_is_equal_at_every_step_is_computed_before_the_loop() -> None:
    def write(b: Builder) -> tuple[str, ...]:
        def step(state: str, row: str) -> tuple[str, ...]:
            most = b.op("ReduceMax", "x", keepdims=0)
            return b.op("Add", b.op("Mul", state, most), row), b.op("Sub", row, b.op("Exp", b.op("Neg", most)))

        return tuple(loop(b, step))

    b = rewritten("hoist_loop_invariants", write)
    assert types_of(body_of(b).operations) == ["Mul", "Add", "Sub"]
    assert types_of(b.operations)[-4:] == ["ReduceMax", "Neg", "Exp", "Scan"]


def test_what_an_inner_loop_does_not_need_leaves_both_loops() -> None:
    def write(b: Builder) -> tuple[str, ...]:
        def inner(_: str, row: str) -> tuple[str, ...]:
            return b.op("Add", row, b.op("ReduceMax", "x", keepdims=0)), row

        def outer(state: str, row: str) -> tuple[str, ...]:
            return b.op("Add", state, loop(b, inner)[0]), row

        return tuple(loop(b, outer))

    b = built(write)
    BY_NAME["hoist_loop_invariants"].run(b)
    assert "ReduceMax" in types_of(b.operations)
    assert HOLDS[Property.INVARIANTS_OUTSIDE_LOOPS](b)


def test_an_output_that_cannot_be_one_is_copied() -> None:
    def write(b: Builder) -> tuple[str, ...]:
        y = b.op("Neg", "x")
        return "x", y, y, b.constant(np.ones(2, np.float32), "one")

    b = rewritten("copy_outputs", write, valid_before=False)
    found = numbers(b, (4,))
    for left, right in zip(found, [X, -X, -X, np.ones(2)], strict=True):
        np.testing.assert_array_equal(left, right)
    assert types_of(b.operations) == ["Neg", "Identity", "Identity", "Identity"]


def test_an_output_of_a_body_that_is_computed_outside_is_copied_in_the_body() -> None:
    def write(b: Builder) -> tuple[str, ...]:
        outside = b.op("ReduceMax", "x", b.ints([0], "axis"), keepdims=0)

        def step(state: str, row: str) -> tuple[str, ...]:
            after = b.op("Add", state, row)
            return after, after, outside

        return tuple(loop(b, step))

    b = rewritten("copy_outputs", write, valid_before=False)
    last, steps, outside = numbers(b, (4,))
    np.testing.assert_array_equal(steps, X[0] + np.cumsum(X, axis=0))
    np.testing.assert_array_equal(last, steps[-1])
    np.testing.assert_array_equal(outside, np.broadcast_to(X.max(axis=0), (3, 4)))
    assert types_of(body_of(b).operations) == ["Add", "Identity", "Identity"]


def test_nodes_and_constants_that_no_output_needs_are_removed() -> None:
    def write(b: Builder) -> tuple[str, ...]:
        normalized(b, dense(b, "x"))

        def step(state: str, row: str) -> tuple[str, ...]:
            b.op("Neg", row)
            return b.op("Add", state, row), row

        return (loop(b, step)[0],)

    b = rewritten("remove_unused", write, valid_before=False)
    assert types_of(b.operations) == ["Slice", "Squeeze", "Scan"]
    assert types_of(body_of(b).operations) == ["Add"]
    assert set(b.constants) == {"layer/from", "layer/to", "layer/axis"}


def test_an_operator_that_crashes_on_an_empty_tensor_reads_guarded_ones() -> None:
    def write(b: Builder) -> str:
        return b.op("Einsum", "x", b.constant(KERNEL, "kernel"), bodies=None, equation="ab,bc->ac")

    b = rewritten("guard_empty_tensors", write)
    assert types_of(b.operations) == ["Shape", "Max", "Reshape", "Einsum"]
