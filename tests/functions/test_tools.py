"""What the commands show of `Compute`: its expressions, where they come from, and the masks that they drop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.graph import problems as g

_SPEC = """\
nnspec: 1
name: shown
params: {width: 8}
inputs:
  tokens: {shape: [T], dtype: int32}
layers:
  - Embedding: {input_dim: 100, output_dim: 8, mask_zero: true}
    name: words
  - Compute: x * sigmoid(1.702 * x)
    name: gate
  - Compute:
      weights: "softmax(sum(words * gate, axis=2) / sqrt(width))"
      context: sum(expand_dims(weights, 2) * words, axis=1)
    name: attended
  - Dense: {units: 2}
    from: attended.context
"""


def _run(folder: Path, *arguments: str, text: str = _SPEC, other: str = "") -> str:
    (folder / "net.nnspec.yaml").write_text(text, "utf-8")
    (folder / "other.nnspec.yaml").write_text(other or text, "utf-8")
    done = CliRunner().invoke(main, [each if each != "net" else str(folder / "net.nnspec.yaml") for each in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_table_shows_an_expression_and_the_names_of_several(tmp_path):
    shown = _run(tmp_path, "inspect", "net")
    assert "Compute: x * sigmoid(1.702 * x)" in shown
    assert "Compute: weights, context" in shown


def test_json_has_the_expressions_by_result(tmp_path):
    layers = json.loads(_run(tmp_path, "inspect", "net", "--format", "json"))["networks"]["main"]["layers"]
    assert [layer.get("expressions", {}) for layer in layers] == [
        {},
        {"output": "x * sigmoid(1.702 * x)"},
        {
            "weights": "softmax(sum(words * gate, axis=2) / sqrt(width))",
            "context": "sum(expand_dims(weights, 2) * words, axis=1)",
        },
        {},
    ]


@pytest.mark.parametrize("form", ["svg", "html"])
def test_drawings_show_the_expressions(tmp_path, form):
    shown = _run(tmp_path, "inspect", "net", "--format", form)
    assert "Compute: x * sigmoid" in shown
    assert "sum(expand_dims(weights, 2) * words, axis=1)" in shown


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("gate", "gate = x * sigmoid(1.702 * x)\n"),
        ("layers[1].Compute", "gate = x * sigmoid(1.702 * x)\n"),
        ("layers[2].Compute.context", "attended.context = sum(expand_dims(weights, 2) * words, axis=1)\n"),
        ("attended.weights", "attended.weights = softmax(sum(words * gate, axis=2) / sqrt(width))\n"),
    ],
)
def test_explain_shows_where_an_expression_is_written(tmp_path, path, origin):
    shown = _run(tmp_path, "explain", "net", path)
    assert shown.startswith(origin)
    assert "written here" in shown


def test_diff_shows_expressions_and_the_params_that_they_use(tmp_path):
    (tmp_path / "other.nnspec.yaml").write_text(_SPEC.replace("1.702", "1.5").replace("width: 8", "width: 9"), "utf-8")
    (tmp_path / "net.nnspec.yaml").write_text(_SPEC, "utf-8")
    files = [str(tmp_path / "net.nnspec.yaml"), str(tmp_path / "other.nnspec.yaml")]
    shown = CliRunner().invoke(main, ["diff", *files]).stdout
    assert "output: x * sigmoid(1.702 * x) → x * sigmoid(1.5 * x)" in shown
    assert "params.width: 8 → 9" in shown
    assert "reads" not in shown


def test_fmt_keeps_expressions(tmp_path):
    text = _SPEC.replace("  - Compute:\n", '  - Compute: {a: "x[:, 1:]", b: "[1.0] * a[..., :1]"}\n  - Compute:\n')
    text = text.replace("1.702", "1_702")
    (tmp_path / "net.nnspec.yaml").write_text(text, "utf-8")
    CliRunner().invoke(main, ["fmt", str(tmp_path / "net.nnspec.yaml")])
    kept = (tmp_path / "net.nnspec.yaml").read_text("utf-8")
    for expression in ("x * sigmoid(1_702 * x)", '"x[:, 1:]"', '"[1.0] * a[..., :1]"', "sum(expand_dims(weights, 2) * words"):
        assert expression in kept


_RECURRENT = """\
nnspec: 1
name: dropped
inputs: {tokens: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 100, output_dim: 8, mask_zero: true}
    name: words
  - Compute: EXPRESSION
  - LSTM: {units: 4}
"""


@pytest.mark.parametrize(
    ("expression", "warns"),
    [
        ("x * 2", False),
        ("x * mean(x, axis=1, keepdims=true)", False),
        ("x[:, ::-1]", True),
        ("softmax(x @ swapaxes(x, 1, 2)) @ x", False),
        ("swapaxes(x @ swapaxes(x, 1, 2), 1, 2) @ x", True),
        ("where(mask(x)[..., null], x, 0)[:, ::-1]", False),
    ],
)
def test_a_dropped_mask_is_a_warning_unless_the_expression_reads_it(checked, expression, warns):
    _, problems = checked(_RECURRENT.replace("EXPRESSION", f'"{expression}"'))
    found = [problem for problem in problems if problem.code == g.DroppedMask.code]
    assert not any(problem.is_error for problem in problems)
    assert [problem.help for problem in found] == (
        ["compute with `mask(x)` so that padding does not count, or move it after `LSTM`"] if warns else []
    )
