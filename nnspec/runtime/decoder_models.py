"""A document's decoder as ONNX models: two that are run step by step, or one with the loop inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import onnx
from numpy.typing import ArrayLike

from nnspec.generation.check import generation_of
from nnspec.generation.section import GenerateSection
from nnspec.graph import Model
from nnspec.graph.decoding import Decoding
from nnspec.graph.stepping import Step, step_of
from nnspec.onnx_backend.decoding_loop import to_loop
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.metadata import DATA, GENERATE, SPEC_HASH, SPEC_NAME
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.decoding.procedure import Procedure, procedure_of
from nnspec.spec import Spec

__all__ = ["DecoderModels", "decoder_models"]


@dataclass(frozen=True)
class DecoderModels:
    """What a document decodes with.

    Attributes:
        decoding: Its networks.
        section: The section ``generate``.
        weights: The networks' arrays by identity.
        recipe: What the model says of its inputs.
        metadata: Written into every model.
        opset: The version of ONNX's operators.
    """

    decoding: Decoding
    section: GenerateSection
    weights: Mapping[str, ArrayLike]
    recipe: Mapping[str, Any]
    metadata: Mapping[str, str]
    opset: int

    @cached_property
    def step(self) -> Step:
        """The decoder as it runs at each step."""
        return step_of(self.decoding)

    @cached_property
    def procedure(self) -> Procedure:
        """How the models are run."""
        return procedure_of(self.decoding, self.step, self.section, self.recipe)

    def parts(self) -> dict[str, onnx.ModelProto]:
        """The encoder, where there is one, and the decoder of one step, by these names."""
        told = {**self.metadata, DATA: json.dumps(self.recipe), GENERATE: self.procedure.text()}
        decoder = to_onnx(self.step.graph, self.weights, opset=self.opset, metadata=told, masks=False)
        if self.decoding.encoder is None:
            return {"decoder": decoder}
        encoder = to_onnx(self.decoding.encoder, self.weights, opset=self.opset, metadata=self.metadata, masks=True)
        return {"encoder": encoder, "decoder": decoder}

    def contents(self) -> dict[str, bytes]:
        """The same as bytes."""
        return {name: serialized(model) for name, model in self.parts().items()}

    def loop(self) -> onnx.ModelProto:
        """The one model that decodes by itself, greedily."""
        told = {**self.metadata, DATA: json.dumps(self.recipe), GENERATE: self.procedure.text()}
        return to_loop(
            self.decoding,
            self.weights,
            start=self.procedure.start,
            end=self.procedure.end,
            max_length=self.procedure.max_length,
            opset=self.opset,
            metadata=told,
        )


def decoder_models(
    spec: Spec, model: Model, weights: Mapping[str, ArrayLike], recipe: Mapping[str, Any], *, opset: int = 23
) -> DecoderModels | None:
    """What a document decodes with; None where it has no section ``generate``.

    Args:
        spec: The document.
        model: Its graphs.
        weights: Their arrays by identity.
        recipe: What the model says of its inputs; nothing where it was not trained.
        opset: The version of ONNX's operators.

    Raises:
        SpecError: Where the section does not fit.
    """
    found = generation_of(spec, model)
    if found is None:
        return None
    section, decoding = found
    return DecoderModels(decoding, section, weights, recipe, {SPEC_NAME: spec.name, SPEC_HASH: spec.hash}, opset)
