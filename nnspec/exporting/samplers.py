"""The sampler of a run, without a framework: its network runs in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from nnspec.exporting.sampler_models import SamplerModel
from nnspec.generation.sampler_check import sampling_of
from nnspec.runtime.metadata import SPEC_HASH, SPEC_NAME
from nnspec.training.run.folder import Run


def sampler_of_run(run: Run, weights: Mapping[str, NDArray[Any]], *, opset: int = 23) -> SamplerModel:
    """Create the sampler of a run whose spec has one.

    Raises:
        SpecError: If the section ``generate`` has errors.
    """
    sampling = sampling_of(run.spec, run.model)
    assert sampling is not None
    metadata = {SPEC_NAME: run.name, SPEC_HASH: run.spec.hash}
    return SamplerModel(sampling, weights, metadata, opset, run.generator_record())
