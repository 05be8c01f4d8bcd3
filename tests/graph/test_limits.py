"""What no machine could hold is refused, at the layer that goes too far."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnspec
from nnspec.spec import Limits

HEAD = "nnspec: 1\nname: net\n"


def reported(tmp_path: Path, text: str, **limits: int) -> list[tuple[str, int, str]]:
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(HEAD + text)
    found = nnspec.validate(file, limits=Limits(**limits))
    return [(problem.code, problem.span.line, problem.message) for problem in found if problem.is_error]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("inputs: {x: [4]}\nlayers:\n  - Dense: {units: 1_000_000_000}\n", 5, "4,000,000,000 parameters up to here"),
        ("inputs: {x: [4, 4, 3]}\nlayers:\n  - UpSampling2D: {size: 100_000}\n  - GlobalMaxPooling2D\n", 5, "1,788.1 GiB"),
        ("inputs: {x: [1_000_000, 1_000_000]}\nlayers:\n  - GlobalMaxPooling1D\n", 5, "(inputs only)"),
        ("inputs: {x: [4]}\nlayers:\n  - Dense: {units: 1000}\n  - Dense: {units: 2_000_000}\n", 6, "2,000,005,000"),
    ],
)
def test_a_network_that_no_machine_holds_is_refused_where_it_goes_too_far(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    [(code, at, what)] = reported(tmp_path, text)
    assert (code, at) == ("NN005", line)
    assert message in what


def test_a_limit_can_be_raised(tmp_path: Path) -> None:
    text = "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 1_000_000_000}\n"
    assert reported(tmp_path, text, parameters=5_000_000_000) == []


def test_tensors_of_free_size_are_counted_at_the_smallest_sizes_that_fit(tmp_path: Path) -> None:
    text = "inputs: {x: [T, 4]}\nlayers:\n  - Dense: {units: 100}\n"
    assert reported(tmp_path, text, activations=416) == []
    [(code, _, message)] = reported(tmp_path, text, activations=415)
    assert code == "NN005"
    assert message.startswith("416 B of activations for one example, at the smallest valid sizes")
    assert reported(tmp_path, text.replace("T, ", ""), activations=1) != []
