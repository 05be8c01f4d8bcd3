"""What free sizes must satisfy: as inferred from symbols, and as the layers themselves say of every size."""

from __future__ import annotations

import pytest

from nnspec.graph import build
from nnspec.spec import read_spec

VALID = """nnspec: 1
name: valid_unet
inputs: {image: [H, 46, 1]}
layers:
  - Conv2D: {filters: 2, kernel_size: 3}
    name: down0
  - MaxPooling2D
  - Conv2D: {filters: 2, kernel_size: 3}
    name: down1
  - MaxPooling2D
  - Conv2D: {filters: 2, kernel_size: 3}
  - Conv2DTranspose: {filters: 2, kernel_size: 2, strides: 2}
    name: up1
  - Cropping2D: {cropping: 2}
    from: down1
    name: skip1
  - Concatenate: {}
    from: [up1, skip1]
  - Conv2D: {filters: 2, kernel_size: 3}
  - %s
    name: up0
  - Cropping2D: {cropping: 8}
    from: down0
    name: skip0
  - Concatenate: {}
    from: [up0, skip0]
"""
UPS = {
    "transposed": "Conv2DTranspose: {filters: 2, kernel_size: 2, strides: 2}",
    "nearest": "UpSampling2D: {size: 2}",
}


def built(folder, text: str):
    file = folder / "net.nnspec.yaml"
    file.write_text(text)
    problems: list = []
    spec = read_spec(file, problems)
    model = build(spec, problems) if spec is not None else None
    return model, [problem for problem in problems if problem.is_error]


@pytest.mark.parametrize("way", UPS)
def test_the_condition_of_a_network_without_padding_is_met_by_the_sizes_that_its_layers_take_and_no_others(
    tmp_path, way: str
) -> None:
    text = VALID % UPS[way]
    model, problems = built(tmp_path, text)
    assert problems == []
    condition = model.main.conditions["H"]
    taken = [size for size in range(1, 70) if not built(tmp_path, text.replace("[H,", f"[{size},"))[1]]
    assert taken == [size for size in range(1, 70) if condition.is_met(size)]
    assert condition.remainder and condition.multiple_of == 4
