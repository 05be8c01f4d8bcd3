"""The table of layers of `nnspec inspect`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec.cli import main

SPECS = Path(__file__).parents[2] / "specs"


def inspected(spec: str, *arguments: str, columns: int | None = None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    if columns:
        monkeypatch.setenv("COLUMNS", str(columns))
    else:
        monkeypatch.delenv("COLUMNS", raising=False)
    result = CliRunner().invoke(main, ["inspect", str(SPECS / f"{spec}.nnspec.yaml"), *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def row(lines: list[str], name: str) -> list[str]:
    [found] = [line.split() for line in lines if line.strip().startswith(name)]
    return found


def test_a_repeated_step_of_a_large_network_is_one_row_with_the_sum_of_its_parameters(monkeypatch) -> None:
    lines = inspected("resnet50", columns=100, monkeypatch=monkeypatch)
    assert row(lines, "▸ stage1 ×2")[3:7] == ["20", "layers", "56×56×256", "143,104"]
    assert any("--depth 1 opens" in line for line in lines)


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("spec", ["resnet50", "mobilenet", "efficientnet_b0", "lenet5", "transformer", "unet_ct"])
def test_the_table_fits_the_terminal(spec: str, columns: int, monkeypatch) -> None:
    lines = inspected(spec, columns=columns, monkeypatch=monkeypatch)
    rows = [line for line in lines if not line.startswith(("outputs:", "peak", "multiply"))]
    assert max(map(len, rows)) <= columns


def test_a_small_network_is_shown_with_its_blocks_open(monkeypatch) -> None:
    lines = inspected("neural_turing_machine", monkeypatch=monkeypatch)
    assert row(lines, "▾ write") == ["▾", "write"]
    assert not any("▸" in line for line in lines)


def test_depth_opens_the_blocks_of_a_large_network_one_level(monkeypatch) -> None:
    lines = inspected("resnet50", "--depth", "1", monkeypatch=monkeypatch)
    assert row(lines, "▾ stage1 ×2") == ["▾", "stage1", "×2"]
    assert any(line.startswith("  ▸ 0 ") for line in lines)


def test_wide_shows_every_layer_with_its_full_name(monkeypatch) -> None:
    lines = inspected("resnet50", "--wide", columns=80, monkeypatch=monkeypatch)
    assert row(lines, "stage1/1/residual/conv_bn_2/conv2d")[1] == "Conv2D"
    assert not any("▸" in line for line in lines)


def test_parameters_of_the_rows_add_up_to_the_total(monkeypatch) -> None:
    lines = inspected("resnet50", columns=100, monkeypatch=monkeypatch)
    start = next(i for i, line in enumerate(lines) if "operation" in line)
    end = lines.index("", start)
    column = lines[start].index("parameters")
    cells = [line[column : column + len("parameters")].replace(",", "").strip() for line in lines[start + 2 : end]]
    assert f"parameters: {sum(int(cell) for cell in cells if cell):,} (53,120 frozen)" in lines


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", ["resnet50", "unet_nuclei", "transformer", "dcgan"])
def test_no_line_is_longer_than_the_terminal(name, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = CliRunner().invoke(main, ["inspect", str(SPECS / f"{name}.nnspec.yaml")])
    assert shown.exit_code == 0
    assert [line for line in shown.output.splitlines() if len(line) > columns] == []


def test_free_sizes_are_said_to_be_settable():
    unet = str(SPECS / "unet_nuclei.nnspec.yaml")
    assert "--at H=N,W=N sets sizes" in " ".join(CliRunner().invoke(main, ["inspect", unet]).output.split())
    assert "--at" not in CliRunner().invoke(main, ["inspect", unet, "--at", "H=64,W=64"]).output
