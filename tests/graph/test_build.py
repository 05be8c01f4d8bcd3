from __future__ import annotations

import pytest

HEAD = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n"


def test_names_default_to_the_operation_in_snake_case_numbered_from_the_second(checked):
    model, _ = checked(HEAD + "  - Dense: {units: 2}\n  - ReLU\n  - Dense: {units: 2}\n  - Dense: {units: 2}\n")
    assert list(model.main.nodes) == ["dense", "relu", "dense_1", "dense_2"]


def test_a_default_name_is_the_first_that_nothing_bears(checked):
    model, _ = checked(
        HEAD
        + "  - Dense: {units: 2}\n  - Dense: {units: 3}\n    name: dense\n  - Dense: {units: 4}\n    name: dense_2\n  - Dense: {units: 5}\n"
    )
    assert {name: node.layer.units for name, node in model.main.nodes.items()} == {
        "dense_1": 2,
        "dense": 3,
        "dense_2": 4,
        "dense_3": 5,
    }


def test_a_step_without_from_reads_the_step_above(checked):
    model, _ = checked(HEAD + "  - Dense: {units: 2}\n  - ReLU\n")
    assert [str(ref) for ref in model.main.nodes["relu"].inputs.values()] == ["dense"]


def test_a_merge_reads_a_list(checked):
    model, _ = checked(
        "nnspec: 1\nname: net\ninputs: {a: [4], b: [3]}\nlayers:\n  - Concatenate:\n    from: [a, b]\n  - Dense: {units: 1}\n"
    )
    assert model.main.nodes["concatenate"].output.shape == (7,)


def test_outputs_may_be_renamed_by_a_mapping(checked):
    model, problems = checked(
        HEAD + "  - Dense: {units: 2}\n    name: a\n  - Dense: {units: 3}\n    name: b\noutputs: {first: a, last: b}\n"
    )
    assert {name: type_.shape for name, type_ in model.main.output_types.items()} == {"first": (2,), "last": (3,)}
    assert [problem.code for problem in problems] == ["NN233"]


def test_a_state_is_an_output_of_its_own(checked):
    model, _ = checked(
        "nnspec: 1\nname: net\ninputs: {x: [T, 4]}\nlayers:\n  - LSTM: {units: 3, return_state: true}\n    name: r\n"
        "  - Dense: {units: 2}\n    from: r.state_c\n    name: a\n  - Dense: {units: 2}\n    from: r\n    name: b\noutputs: [a, b]\n"
    )
    assert str(next(iter(model.main.nodes["a"].inputs.values()))) == "r.state_c"
    assert str(next(iter(model.main.nodes["b"].inputs.values()))) == "r"


@pytest.mark.parametrize(
    "step", ["Dense: {units: 4}", "Residual: {layers: [ReLU]}", "two: {}", "repeat: 2\n    layers: [ReLU]\n    name: g"]
)
def test_a_repeated_step_may_name_the_port_it_is_fed_by(checked, step):
    head = HEAD.replace("layers:", "blocks: {two: {layers: [ReLU, ReLU]}}\nlayers:")
    repeat = "" if step.startswith("repeat") else "    repeat: 2\n"
    model, problems = checked(head + f"  - {step}\n{repeat}    from: {{x: x}}\n")
    assert [problem for problem in problems if problem.is_error] == []
    assert next(iter(model.main.nodes.values())).inputs["x"].source == "x"


def test_an_initial_state_is_fed_by_its_port(checked):
    model, problems = checked(
        "nnspec: 1\nname: net\ninputs: {x: [T, 4], s: [3]}\nlayers:\n  - GRU: {units: 3}\n    from: {x: x, state: s}\n"
    )
    assert not problems
    assert {port: str(ref) for port, ref in model.main.nodes["gru"].inputs.items()} == {"x": "x", "state": "s"}


def test_what_no_output_depends_on_is_warned_of_and_not_in_the_graph(checked):
    model, problems = checked(HEAD + "  - Dense: {units: 2}\n    name: lost\n  - Dense: {units: 2}\n    from: x\n    name: y\n")
    assert list(model.main.nodes) == ["y"]
    assert model.main.parameters == 10
    assert [problem.code for problem in problems] == ["NN231"]


def test_frozen_weights_are_counted_but_not_as_trainable(checked):
    model, _ = checked(HEAD + "  - Dense: {units: 2}\n    freeze: true\n  - Dense: {units: 1}\n")
    assert (model.main.parameters, model.main.trainable_parameters) == (13, 3)


def test_all_problems_of_a_file_are_found_in_one_pass(checked):
    _, problems = checked(
        "nnspec: 1\nname: net\nparams: {width: 3}\ninputs: {x: [8, 8, 1]}\nlayers:\n"
        "  - Conv2d: {filters: 2, kernel_size: 3}\n"
        "  - Conv2D: {filter: 2, kernel_size: 3}\n    from: x\n"
        "  - MaxPooling2D: {pool_size: 20}\n    from: x\n"
        "  - Dense: {units: $widht}\n    from: y\n"
        "  - Dense: {units: -2}\nouputs: [z]\n"
    )
    assert sorted(problem.code for problem in problems) == [
        "NN103",
        "NN103",
        "NN105",
        "NN121",
        "NN204",
        "NN221",
        "NN227",
        "NN301",
    ]


def test_one_mistake_is_reported_once(checked):
    _, problems = checked(HEAD + "  - Dens: {units: 2}\n  - ReLU\n  - Dense: {units: 2}\n  - Flatten\n")
    assert [problem.code for problem in problems] == ["NN204"]


def test_a_cycle_is_shown_from_end_to_end(checked):
    _, problems = checked(
        HEAD
        + "  - Dense: {units: 4}\n    name: a\n    from: c\n  - Dense: {units: 4}\n    name: b\n  - Dense: {units: 4}\n    name: c\n"
    )
    assert [problem.message for problem in problems] == ["circular dependency: `a` → `c` → `b` → `a`"]


def test_a_step_that_reads_itself_is_a_cycle(checked):
    _, problems = checked(HEAD + "  - Dense: {units: 4}\n    name: a\n    from: a\n")
    assert [problem.code for problem in problems] == ["NN223"]


@pytest.mark.parametrize(
    ("steps", "code", "line", "column", "help"),
    [
        ("  - Dense: {units: 2}\n    frm: x\n", "NN103", 6, 5, "did you mean `from`?"),
        (
            "  - Dense: {units: 2}\n    units: 3\n",
            "NN103",
            6,
            5,
            "it is an argument: write `Dense: {units: …}`, or indent it under `Dense:`",
        ),
        (
            "  - Dense: {units: 2, name: a}\n",
            "NN205",
            5,
            23,
            "`name` is a key of the step, not an argument of `Dense`: unindent it",
        ),
        ("  - Dense\n", "NN104", 5, 5, "write `Dense: {units: …}`"),
        ("  - Conv2D: 10\n", "NN101", 5, 13, "write `Conv2D: {kernel_size: …, filters: …}`"),
        ("  - Linear: {units: 2}\n", "NN204", 5, 5, "use `Dense` instead"),
        ("  - Dense: {units: 2, activation: rleu}\n", "NN105", 5, 35, "did you mean `relu`?"),
        ("  - Dense: {units: 2, use_bias: no}\n", "NN105", 5, 33, "write `false`: in YAML 1.2 `no` is a string"),
        ("  - Dense: {units: 2}\n    name: 9a\n", "NN107", 6, 11, ""),
        ("  - Dense: {units: 2}\n    freeze: 1\n", "NN105", 6, 13, ""),
        ("  - ReLU\n    name: a\n", "NN020", 5, 5, "write `- ReLU:`, so that it can have `name` below it"),
        ("  - Add:\n    from: x\n", "NN225", 6, 11, "write `from: [a, b]`"),
        ("  - Dense: {units: 2}\n    from: {}\n", "NN225", 6, 11, "write `from: {x: …}`"),
        ("  - Dense: {units: 2}\n    from: x.state\n", "NN226", 6, 11, "write `x`"),
    ],
)
def test_a_mistake_is_shown_at_its_token_with_a_fix(checked, steps, code, line, column, help):
    _, problems = checked(HEAD + steps)
    assert [(p.code, p.span.line, p.span.column, p.help) for p in problems] == [(code, line, column, help)]


def test_shapes_that_do_not_fit_name_where_each_comes_from(checked):
    _, problems = checked("nnspec: 1\nname: net\ninputs: {a: [4, 3], b: [5, 3]}\nlayers:\n  - Add:\n    from: [a, b]\n")
    assert problems[0].code == "NN301"
    assert [(note.message, note.span.line) for note in problems[0].notes] == [("`a` is (4, 3)", 3), ("`b` is (5, 3)", 3)]


def test_a_long_chain_takes_no_recursion(checked):
    steps = "  - Dense: {units: 4}\n" * 5000
    model, problems = checked(HEAD + steps)
    assert not problems
    assert len(model.main.nodes) == 5000


def test_what_a_network_hands_on_may_be_dropped_out(checked):
    net = "networks:\n  n:\n    inputs: {x: [4]}\n    layers: [Dense: {units: 2}, Dropout: 0.5]\n"
    _, problems = checked(f"nnspec: 1\nname: net\n{net}inputs: {{x: [4]}}\nlayers:\n  - n\n  - Dense: {{units: 2}}\n")
    assert [problem.code for problem in problems] == []


def test_a_parameter_after_an_output_does_not_read_it(checked):
    _, problems = checked(HEAD + "  - Dense: {units: 2}\n    name: a\n  - Parameter: [3]\n    name: b\noutputs: [a, b]\n")
    assert not problems


@pytest.mark.parametrize(("step", "port"), [("RNN: {cell: cell}", "h"), ("GRU: {units: 4}", "state")])
def test_a_state_has_no_mask_that_a_recurrence_would_use(checked, step, port):
    cell = "  cell:\n    inputs: {x: [F], h: [F]}\n    layers:\n      - Compute: x + h\n    outputs: {output: compute, h: compute}\n"
    words = (
        "inputs: {words: {shape: [T], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n"
    )
    start = "  - Compute: words[:, 0]\n    from: {words: embedding}\n    name: start\n"
    use = f"  - {step}\n    from: {{x: embedding, {port}: start}}\n"
    _, problems = checked(f"nnspec: 1\nname: net\nblocks:\n{cell}{words}{start}{use}")
    assert "NN244" not in [problem.code for problem in problems]
