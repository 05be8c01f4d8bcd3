"""Numbers in place of free sizes: ``nnspec inspect --at``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError, SpecError

UNET = Path(__file__).parent.parent / "corpus" / "unet.nnspec.yaml"

SEVERAL = """nnspec: 1
name: several
networks:
  encoder: {inputs: {x: [N, 4]}, layers: [{Conv1D: {filters: 4, kernel_size: 3, padding: same}}]}
inputs: {a: [T, 4], b: [S, 4], c: [U, 4], d: [8, 4], e: [V, 4]}
layers:
  - {encoder: , from: a}
  - {MaxPooling1D: , from: b, name: half}
  - {Add: , from: [encoder, half], name: first}
  - {Add: , from: [c, d], name: second}
  - {Add: , from: [a, e], name: third}
  - {MaxPooling1D: {pool_size: 4}, from: a, name: down}
  - {UpSampling1D: {size: 4}, name: up}
  - {Add: , from: [up, a], name: fourth}
outputs: [first, second, third, fourth]
"""


@pytest.fixture
def several(write) -> Path:
    return write(SEVERAL)


def at(file: Path, **sizes: int) -> dict:
    return nnspec.inspect(file, at=sizes)["networks"]


def inspected(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["inspect", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def test_every_expression_becomes_a_number(several: Path) -> None:
    network = at(several, T=8, S=17)["main"]
    assert network["inputs"]["b"]["shape"] == [None, 17, 4]
    assert network["outputs"]["fourth"]["shape"] == [None, 8, 4]
    assert network["macs"] == 8 * 48
    assert isinstance(network["peak_activation_bytes"], int)
    assert "conditions" not in network and "relations" not in network
    assert all(isinstance(layer["activation_bytes"], int) for layer in network["layers"])


def test_a_size_that_follows_from_another_need_not_be_given(several: Path) -> None:
    assert at(several, S=16)["main"]["outputs"]["third"]["shape"] == [None, 8, 4]


def test_sizes_hold_for_the_networks_that_have_them(several: Path) -> None:
    networks = at(several, N=6)
    assert networks["encoder"]["outputs"]["conv1d"]["shape"] == [None, 6, 4]
    assert networks["main"]["outputs"]["third"]["shape"] == [None, "T", 4]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"T": 7}, r"`T` must be a multiple of 4, not 7; the next valid size is 8"),
        ({"S": 9, "T": 5}, r"the next valid sizes are S=16 and T=8"),
        ({"U": 9}, r"`U` must be 8, not 9"),
        ({"V": 12, "T": 16}, r"`V` must be `T`, which is 16 here, not 12"),
        ({"X": 4}, r"unknown free size `X`: the free sizes are `N`"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_the_next_that_do(several: Path, sizes: dict[str, int], message: str) -> None:
    with pytest.raises(NnspecError, match=message):
        at(several, **sizes)


def test_a_size_that_leaves_another_none_is_refused(several: Path) -> None:
    with pytest.raises(SpecError, match="NN311"):
        at(several, S=15)


def test_a_spec_of_numbers_has_no_free_size(write) -> None:
    file = write("nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers: [{Dense: {units: 2}}]\n")
    with pytest.raises(NnspecError, match="this spec has no free sizes"):
        at(file, T=4)


@pytest.mark.parametrize(
    ("setting", "received", "help"),
    [
        ("H", "got `H`", "write `--at H=572`"),
        ("H:4", "got `H:4`", "write `--at H=572,W=572`"),
        ("=4", "got `=4`", "write `--at H=572,W=572`"),
        ("", "got an empty entry", "write `--at H=572,W=572`"),
        ("H=4,", "got an empty entry", "write `--at H=572,W=572`"),
        ("H=4,H=8", "duplicate `H` in --at", "remove one of them"),
        ("H=", "`H` must be an integer from 1 to 999,999,999,999, not nothing", "as in `H=572`"),
        ("H=0", "`H` must be an integer from 1 to 999,999,999,999, not 0", "as in `H=572`"),
        ("H=-4", "not '-4'", "as in `H=572`"),
        ("H=4.5", "not '4.5'", "as in `H=572`"),
        ("H=1e3", "not '1e3'", "as in `H=572`"),
        ("H=\u0665", "not '\u0665'", "as in `H=572`"),
        ("H=9999999999999", "not 9999999999999", "as in `H=572`"),
        ("h=64", "unknown free size `h`: the free sizes are `H`, `W`", "did you mean `H`?"),
        ("image=64", "`image` is an input with the free sizes `H`, `W`", ""),
        ("H=63,W=64", "not 63", "write `H=64,W=64`"),
    ],
)
def test_what_is_no_size_is_refused_with_what_to_write(setting: str, received: str, help: str) -> None:
    result = CliRunner().invoke(main, ["inspect", str(UNET), "--at", setting])
    assert result.exit_code == 1
    assert received in result.output and help in result.output


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "64", None, 10**12])
def test_a_python_caller_gives_whole_numbers(size: object) -> None:
    with pytest.raises(NnspecError, match="`H` must be an integer from 1"):
        nnspec.inspect(UNET, at={"H": size})


@pytest.mark.parametrize("form", ["text", "json", "svg", "html", "mermaid"])
def test_every_form_shows_the_numbers(form: str) -> None:
    free = inspected(UNET, "--format", form)
    fixed = inspected(UNET, "--format", form, "--at", "H=64,W=96")
    half = {"svg": "⌊H/2⌋", "html": r"\u230aH/2\u230b", "mermaid": "#8970;H/2#8971;"}.get(form, "H//2")
    assert half in free and half not in fixed
    assert "32" in fixed and "48" in fixed


def test_json_names_the_sizes() -> None:
    document = json.loads(inspected(UNET, "--format", "json", "--at", "H=64", "--at", "W=96"))
    assert document["networks"]["main"]["at"] == {"H": 64, "W": 96}


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_relations_between_several_sizes_are_shown(several: Path, form: str) -> None:
    assert "S//2 must equal T" in inspected(several, "--format", form).replace('["sizes","S//2 must', "S//2 must")
