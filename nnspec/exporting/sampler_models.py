"""The ONNX model of a document's sampler, and its comparison with the same steps in Keras."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike

from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.generation.sampling import Sampling
from nnspec.graph import Graph
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.parity import Parity, Reference, measure
from nnspec.onnx_backend.proof import named_outputs, ties_of
from nnspec.onnx_backend.proto import sealed, serialized
from nnspec.onnx_backend.samples import draw
from nnspec.onnx_backend.sampling_loop import to_sampler
from nnspec.runtime.metadata import SAMPLES
from nnspec.runtime.model_file import ModelFile
from nnspec.runtime.session import Arrays, Run

_COMPARED = 3
"""The number of steps of which the network is compared by itself."""


@dataclass(frozen=True)
class SamplerModel:
    """The sampler of a document, ready to be written as ONNX.

    Attributes:
        sampling: The sampler.
        weights: The arrays by identity.
        metadata: Metadata of the model.
        opset: The version of ONNX's operators.
        samples: How samples are generated, as stored in a run; None if it was not trained.
    """

    sampling: Sampling
    weights: Mapping[str, ArrayLike]
    metadata: Mapping[str, str]
    opset: int
    samples: Mapping[str, Any] | None = None

    @cached_property
    def model(self) -> onnx.ModelProto:
        """The ONNX model."""
        more = {} if self.samples is None else {SAMPLES: json.dumps(self.samples)}
        return to_sampler(self.sampling, self.weights, opset=self.opset, metadata={**self.metadata, **more})

    def write(self, path: Path, parity: SamplerParity, check_size: Callable[[int], None]) -> None:
        """Write the model with its parity record.

        Args:
            path: The file.
            parity: Its parity with Keras.
            check_size: Receives the size of the file in bytes, and raises if it is too large.

        Raises:
            NnspecError: If the file cannot be written.
        """
        if path.is_dir():
            raise NnspecError(f"{path} is a folder; pass a file, `-o {path / 'model.onnx'}`")
        content = sealed(self.model, parity.as_json())
        check_size(len(content))
        write_whole(path, content)


@dataclass(frozen=True)
class SamplerParity:
    """The parity of a sampler and the same steps in Keras.

    Attributes:
        samples: The parity of the samples.
        step: The parity of the network at single steps; None if it runs once.
        steps: The number of steps.
    """

    samples: Parity
    step: Parity | None
    steps: int

    @property
    def agrees(self) -> bool:
        return self.samples.agrees and (self.step is None or self.step.agrees)

    def as_json(self) -> dict[str, object]:
        """The parity record that is written into the model."""
        if self.step is None:
            return self.samples.as_json()
        return {"steps": self.steps, "networks": {"samples": self.samples.as_json(), "step": self.step.as_json()}}

    def text(self) -> str:
        """A summary as text."""
        if self.step is None:
            return self.samples.text()
        lines = [f"after {self.steps} steps: {line}" for line in self.samples.text().splitlines()]
        return "\n".join([*lines, *(f"at one step: {line}" for line in self.step.text().splitlines())])


def prove_sampler(
    model: SamplerModel, keras_of: Callable[[Graph], Reference], *, golden: Arrays | None = None, seed: int = 0
) -> SamplerParity:
    """Compare a sampler in ONNX with the same steps in Keras, from the same random values and conditions.

    Args:
        model: The sampler.
        keras_of: Returns the reference of a network with the same weights.
        golden: Real values of all conditions, in addition to random ones.
        seed: The seed of the random values.

    Raises:
        NnspecError: If something differs.
    """
    sampling = model.sampling
    network = keras_of(sampling.graph)
    cases = list(_cases(sampling, golden or {}, seed))
    step = _step_parity(model, network, cases[-1], seed)
    if sampling.steps == 1:
        found = SamplerParity(_of_samples(model, network, cases, seed, step.drawn), None, 1)
    else:
        found = SamplerParity(_of_samples(model, network, cases, seed), step, sampling.steps)
    if not found.agrees:
        raise NnspecError(f"the ONNX sampler differs from the Keras model, so no file is written:\n{found.text()}")
    return found


def _of_samples(
    model: SamplerModel, network: Reference, cases: Sequence[Arrays], seed: int, drawn: Parity | None = None
) -> Parity:
    """The parity of the samples."""
    sampling = model.sampling
    reference = network.around(sampling.repeated)
    loop = ModelFile(serialized(model.model), "the sampler")

    def lowered(others: Arrays) -> Run:
        return ModelFile(serialized(to_sampler(sampling, others, opset=model.opset)), "the sampler")

    ties = ties_of(sampling.graph, model.weights, reference, loop, lowered, seed=seed, repeated=[sampling.result])
    return replace(measure(reference, loop, cases, seed=seed, ties=ties), drawn=drawn)


def _step_parity(model: SamplerModel, network: Reference, inputs: Arrays, seed: int) -> Parity:
    """The parity of the network at the first steps and at the last one, with its own weights and with random ones."""
    sampling, graph = model.sampling, model.sampling.graph
    read: list[Arrays] = []

    def noted(given: Arrays) -> Arrays:
        read.append(given)
        return network(given)

    sampling.repeated(noted)(inputs)
    cases = [*read[: _COMPARED - 1], *read[_COMPARED - 1 :][-1:]]

    def compared(weights: Mapping[str, ArrayLike], reference: Reference) -> Parity:
        def lowered(others: Arrays) -> Run:
            return named_outputs(graph, to_onnx(graph, others, opset=model.opset, masks=False))

        candidate = lowered(weights)  # type: ignore[arg-type]
        ties = ties_of(graph, weights, reference, candidate, lowered, seed=seed)
        return measure(reference, candidate, cases, seed=seed, ties=ties)

    found = compared(model.weights, network)
    if network.drawn is None or not any(True for _ in graph.weights()):
        return found
    others, changed = network.drawn(cases[0])
    return replace(found, drawn=compared(others, changed))


def _cases(sampling: Sampling, golden: Arrays, seed: int) -> Iterator[dict[str, Any]]:
    """Random values, with conditions."""
    rng = np.random.default_rng(seed)
    draws = {**sampling.begin, **sampling.draw}
    for given in [*draw(sampling.graph, seed=seed, empty_rows=False), *([golden] if golden else [])]:
        size = len(next(iter(given.values())))
        values = {name: own.values(rng, (size, *sampling.sizes(name))) for name, own in draws.items()}
        chosen = {name: given[name] for name in sampling.conditions}
        yield {name: {**chosen, **values}[name].astype(type_.dtype) for name, type_ in sampling.inputs.items()}
