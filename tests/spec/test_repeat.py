"""Repeated blocks and networks that carry several values, and computed names under ``from``."""

from __future__ import annotations

import pytest

HEAD = "nnspec: 1\nname: net\ninputs: {a: [4], b: [4]}\n"
CELL = """blocks:
  cell:
    params: {units: 4}
    inputs: [x, h]
    layers:
      - Add:
        from: [x, h]
      - Dense: {units: $units}
        name: new
      - Multiply:
        from: [new, h]
    outputs: {x: new, h: multiply}
"""
USE = "layers:\n  - cell:\n    from: {x: a, h: b}\n    repeat: 3\n    name: cells\noutputs: {x: cells.x, h: cells.h}\n"


def errors(problems):
    return [problem for problem in problems if problem.is_error]


def test_each_repetition_reads_the_outputs_of_the_one_before_by_name(checked):
    model, problems = checked(HEAD + CELL + USE)
    assert not problems
    nodes = model.main.nodes
    assert [str(ref) for ref in nodes["cells/0/add"].inputs.values()] == ["a", "b"]
    assert [str(ref) for ref in nodes["cells/1/add"].inputs.values()] == ["cells/0/new", "cells/0/multiply"]
    assert [str(ref) for ref in nodes["cells/2/multiply"].inputs.values()] == ["cells/2/new", "cells/1/multiply"]
    assert {name: str(ref) for name, ref in model.main.outputs.items()} == {"x": "cells/2/new", "h": "cells/2/multiply"}
    assert model.main.parameters == 3 * 20


def test_a_counter_reaches_the_arguments_of_each_repetition(checked):
    text = CELL.replace("    outputs: {x: new, h: multiply}", "    outputs: {x: x, h: new}").replace("[new, h]", "[h, h]")
    text = text.replace("      - Multiply:\n        from: [h, h]\n", "") + USE.replace(
        "- cell:", "- cell: {units: '${4 + 0 * i}'}"
    )
    model, problems = checked(HEAD + text.replace("repeat: 3", "repeat: 3\n    as: i"))
    assert not errors(problems)
    assert [node.layer.units for node in model.main.nodes.values() if node.op == "Dense"] == [4, 4, 4]


def test_no_repetitions_pass_the_inputs_through_by_name(checked):
    model, problems = checked(HEAD + CELL + USE.replace("repeat: 3", "repeat: 0"))
    assert not errors(problems)
    assert {name: str(ref) for name, ref in model.main.outputs.items()} == {"x": "a", "h": "b"}


def test_missing_outputs_of_a_repeated_block_are_named(checked):
    _, problems = checked(HEAD + CELL.replace("{x: new, h: multiply}", "{x: new, state: multiply}") + USE)
    [found] = errors(problems)
    assert (found.code, found.message) == ("NN239", "`cell` has no output `h` to feed to the next repetition")
    assert "its outputs are `x`, `state`" in found.help


def test_a_repeated_block_of_several_inputs_must_state_them_all(checked):
    _, problems = checked(HEAD + CELL + USE.replace("{x: a, h: b}", "a"))
    assert [(d.code, d.message) for d in errors(problems)] == [("NN225", "`cell` requires the input `h`")]


def test_a_repeated_layer_takes_a_single_input_as_before(checked):
    _, problems = checked(HEAD + "layers:\n  - Attention:\n    from: {query: a, value: b}\n    repeat: 2\n")
    assert errors(problems)[0].message == "a repeated step takes a single input"


def test_a_block_of_one_input_feeds_the_output_with_its_name(checked):
    block = CELL.replace("inputs: [x, h]", "inputs: [x]").replace("from: [x, h]", "from: [x, x]").replace(", h]", ", x]")
    block = block.replace("{x: new, h: multiply}", "{x: new, other: multiply}")
    model, problems = checked(
        HEAD + block + "layers:\n  - cell:\n    from: a\n    repeat: 2\n    name: c\n  - Add:\n    from: [c.x, c.other, b]\n"
    )
    assert not errors(problems)
    assert [str(ref) for ref in model.main.nodes["c/1/add"].inputs.values()] == ["c/0/new", "c/0/new"]


NETWORK = """networks:
  cell:
    inputs: {x: [4], h: [4]}
    layers:
      - Add:
        from: [x, h]
      - Dense: {units: 4}
        name: new
    outputs: {x: new, h: add}
"""


def test_a_repeated_network_shares_its_weights_and_carries_by_name(checked):
    model, problems = checked(HEAD + NETWORK + USE)
    assert not errors(problems)
    assert model.main.parameters == 20
    assert [str(ref) for ref in model.main.nodes["cells/1/add"].inputs.values()] == ["cells/0/new", "cells/0/add"]


def test_a_tap_reads_a_repetition_within_a_block_by_its_outputs(checked):
    text = "layers:\n  - repeat: 2\n    as: i\n    layers:\n      - cell:\n        from: {x: a, h: b}\n        name: c${i}\n"
    model, problems = checked(HEAD + CELL + text + "  - Add:\n    from: ${['c' + str(i) + '.h' for i in range(2)]}\n")
    assert "add" in model.main.nodes, [d.message for d in problems]


STEPS = "layers:\n" + "".join(f"  - Dense: {{units: 4}}\n    name: e{i}\n    from: a\n" for i in range(3))


@pytest.mark.parametrize(
    "source", ["${['e' + str(i) for i in range(3)]}", "\"${['e' + str(i) for i in range(3)]}\"", "$names", "${names}"]
)
def test_from_can_be_a_computed_list_of_names(checked, source):
    text = "nnspec: 1\nname: net\nparams: {names: [e0, e1, e2]}\ninputs: {a: [4]}\n" + STEPS
    model, problems = checked(text + f"  - Add:\n    from: {source}\n")
    assert not errors(problems)
    assert [str(ref) for ref in model.main.nodes["add"].inputs.values()] == ["e0", "e1", "e2"]


def test_a_name_in_a_mapping_under_from_can_be_computed(checked):
    text = "nnspec: 1\nname: net\nparams: {q: r0, number: 1}\ninputs: {x: [T, 4]}\nlayers:\n"
    text += "".join(f"  - Dense: {{units: 4}}\n    name: r{i}\n    from: x\n" for i in range(2))
    model, problems = checked(text + "  - Attention:\n    from: {query: $q, value: 'r${number}'}\n")
    assert not problems
    assert {port: str(ref) for port, ref in model.main.nodes["attention"].inputs.items() if port != "key"} == {
        "query": "r0",
        "value": "r1",
    }


def test_a_param_of_a_block_can_name_its_sources(checked):
    block = "blocks:\n  b:\n    params: {names: {default: [p, q], type: [str, str]}}\n    layers:\n"
    block += "".join(f"      - Dense: {{units: 4}}\n        name: {n}\n        from: x\n" for n in "pqr")
    block += "      - Add:\n        from: $names\n"
    model, problems = checked(HEAD + block + "layers:\n  - b: {names: [r, q]}\n    name: c\n    from: a\n")
    assert not errors(problems)
    assert [str(ref) for ref in model.main.nodes["c/add"].inputs.values()] == ["c/r", "c/q"]


def test_an_unknown_computed_name_is_an_error_at_its_expression(checked):
    text = "nnspec: 1\nname: net\ninputs: {a: [4]}\n" + STEPS + "  - Add:\n    from: ${['e' + str(i) for i in range(4)]}\n"
    [found] = errors(checked(text)[1])
    assert (found.code, found.message, found.span.line) == ("NN221", "undefined input or step `e3`", 15)


def test_a_computed_list_of_numbers_is_no_list_of_names(checked):
    text = "nnspec: 1\nname: net\ninputs: {a: [4]}\n" + STEPS + "  - Add:\n    from: ${[i for i in range(2)]}\n"
    assert {d.message for d in errors(checked(text)[1])} == {"expected a name under `from`, not 0"}
