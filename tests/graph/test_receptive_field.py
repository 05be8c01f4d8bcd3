"""Receptive fields against what really reaches an output: positions followed one by one."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

import nnspec
from nnspec.graph.receptive_field import receptive_fields

LENGTH = 64


def _compiled(checked, layers, inputs="{x: [64, 1]}"):
    model, problems = checked(f"nnspec: 1\nname: net\ninputs: {inputs}\nlayers: {json.dumps(layers)}\n")
    assert model is not None, problems
    return model.main


def _reached(graph):
    """For each node, for each output position, the input positions that it depends on, by simulating each layer in 1-D."""
    seen = {name: [{p} for p in range(LENGTH)] for name in graph.inputs}
    for name, node in graph.nodes.items():
        before = [seen[ref.source] for ref in node.inputs.values()]
        count = node.output.shape[0]
        match node.op:
            case "Conv1D":
                size, stride, gap = node.layer.kernel_size[0], node.layer.strides[0], node.layer.dilation_rate[0]
                pad = _before(node, (size - 1) * gap + 1, stride)
                taps = [[p * stride - pad + k * gap for k in range(size)] for p in range(count)]
            case "MaxPooling1D":
                size, stride = node.layer.pool_size[0], node.layer.steps[0]
                pad = _before(node, size, stride)
                taps = [[p * stride - pad + k for k in range(size)] for p in range(count)]
            case "Conv1DTranspose":
                size, stride = node.layer.kernel_size[0], node.layer.strides[0]
                cut = max(size - stride, 0) // 2 if node.layer.padding == "same" else 0
                taps = [[i for i in range(len(before[0])) if 0 <= p + cut - i * stride < size] for p in range(count)]
            case _:
                taps = [[p] for p in range(count)]
        seen[name] = [{q for source in before for t in tap if 0 <= t < len(source) for q in source[t]} for tap in taps]
    return {name: seen[name] for name in graph.nodes}


def _before(node, span, stride):
    if node.layer.padding == "valid":
        return 0
    if node.layer.padding == "causal":
        return span - 1
    size = node.input_types["x"].shape[0]
    return max((-(-size // stride) - 1) * stride + span - size, 0) // 2


_conv = st.fixed_dictionaries(
    {"filters": st.just(1), "kernel_size": st.integers(1, 5), "padding": st.sampled_from(["same", "valid", "causal"])},
    optional={"strides": st.integers(1, 2)},
)
_step = st.one_of(
    _conv.map(lambda arguments: {"Conv1D": arguments}),
    st.integers(1, 3).map(lambda d: {"Conv1D": {"filters": 1, "kernel_size": 3, "padding": "same", "dilation_rate": d}}),
    st.integers(1, 3).map(lambda size: {"MaxPooling1D": {"pool_size": size, "padding": "same"}}),
    st.integers(2, 5).map(lambda k: {"Conv1DTranspose": {"filters": 1, "kernel_size": k, "strides": 2, "padding": "same"}}),
)


@settings(max_examples=60)
@given(steps=st.lists(_step, min_size=1, max_size=5))
def test_no_output_sees_past_its_receptive_field_and_convolutions_fill_it(tmp_path_factory, steps):
    file = tmp_path_factory.mktemp("net") / "net.nnspec.yaml"
    file.write_text(f"nnspec: 1\nname: net\ninputs: {{x: [{LENGTH}, 1]}}\nlayers: {json.dumps(steps)}\n")
    if any(problem.is_error for problem in nnspec.validate(file)):
        return
    graph = nnspec.compile(nnspec.load(file)).main
    fields, reached = receptive_fields(graph), _reached(graph)
    ups = False
    for name, node in graph.nodes.items():
        field = fields[name]
        [size], [stride], [start] = field.size, field.stride, field.start
        ups = ups or node.op == "Conv1DTranspose"
        for position, inputs in enumerate(reached[name]):
            first = position * stride + start
            # A start is rounded once, so a fraction may lie before it.
            assert all(first - 1 < q <= first + size for q in inputs)
            whole = first >= 0 and first + size <= LENGTH and not ups
            assert not whole or (min(inputs), max(inputs)) == (first, first + size - 1)


def test_a_merge_sees_from_the_first_position_of_its_branches_to_the_last(checked):
    graph = _compiled(
        checked,
        [
            {"Conv1D": {"filters": 1, "kernel_size": 3, "padding": "causal"}, "name": "back"},
            {"Conv1D": {"filters": 1, "kernel_size": 5, "padding": "same"}, "name": "around", "from": "x"},
            {"Add": None, "name": "sum", "from": ["back", "around", "x"]},
        ],
    )
    field = receptive_fields(graph)["sum"]
    assert (field.size, field.stride, field.start) == ((5,), (1,), (-2,))
    assert _reached(graph)["sum"][20] == set(range(18, 23))


def test_an_upsampling_path_meets_the_skip_at_its_own_stride(checked):
    graph = _compiled(
        checked,
        [
            {"Conv1D": {"filters": 1, "kernel_size": 3, "padding": "same"}, "name": "skip"},
            {"MaxPooling1D": {}},
            {"Conv1D": {"filters": 1, "kernel_size": 3, "padding": "same"}},
            {"Conv1DTranspose": {"filters": 1, "kernel_size": 2, "strides": 2}, "name": "up"},
            {"Concatenate": None, "name": "both", "from": ["up", "skip"]},
        ],
    )
    field = receptive_fields(graph)["both"]
    assert field.stride == (1,)
    widest = max(max(seen) - min(seen) + 1 for seen in _reached(graph)["up"])
    assert field.size[0] >= widest


def test_where_branches_of_different_strides_meet_there_is_no_receptive_field(checked):
    graph = _compiled(
        checked,
        [
            {"Conv1D": {"filters": 1, "kernel_size": 3, "strides": 64, "padding": "same"}, "name": "coarse"},
            {"Add": None, "name": "sum", "from": ["x", "coarse"]},
        ],
    )
    assert receptive_fields(graph)["sum"] is None


def test_the_receptive_field_of_vgg16_is_the_published_one(checked):
    convolution = {"Conv2D": {"filters": 1, "kernel_size": 3, "padding": "same"}}
    layers = [step for count in (2, 2, 3, 3, 3) for step in [*[convolution] * count, {"MaxPooling2D": {}}]]
    field = list(receptive_fields(_compiled(checked, layers, "{x: [224, 224, 3]}")).values())[-1]
    # Araujo et al. 2019, table 1: size 212, stride 32, padding 90.
    assert (field.size, field.stride, field.start) == ((212, 212), (32, 32), (-90, -90))


def test_the_receptive_field_of_a_padded_axis_of_unknown_size_begins_at_no_known_place(checked):
    graph = _compiled(checked, [{"Conv1D": {"filters": 1, "kernel_size": 3, "strides": 2, "padding": "same"}}], "{x: [T, 1]}")
    field = receptive_fields(graph)["conv1d"]
    assert (field.size, field.stride, field.start) == ((3,), (2,), (None,))
