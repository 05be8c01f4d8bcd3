"""The ONNX models of a document's decoder: an encoder and a decoder step, or one model with the loop inside."""

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
from nnspec.generation.vocabulary import token_number, vocabulary_of
from nnspec.graph import Model
from nnspec.graph.decoding import Decoding
from nnspec.graph.stepping import Step, decoder_step
from nnspec.onnx_backend.decoding_loop import to_loop
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.decoding.procedure import Procedure
from nnspec.runtime.metadata import DATA, GENERATE, SPEC_HASH, SPEC_NAME
from nnspec.spec import Spec


@dataclass(frozen=True)
class DecoderModels:
    """The decoder of a document, ready to be written as ONNX.

    Attributes:
        decoding: Its networks.
        section: The section ``generate``.
        weights: The networks' arrays by identity.
        recipe: How the inputs are made from raw data.
        metadata: Metadata of every model.
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
        return decoder_step(self.decoding)

    @cached_property
    def procedure(self) -> Procedure:
        """How the models are run."""
        return procedure_of(self.decoding, self.step, self.section, self.recipe)

    def parts(self) -> dict[str, onnx.ModelProto]:
        """The models ``encoder``, if there is one, and ``decoder``, which computes one step."""
        metadata = {**self.metadata, DATA: json.dumps(self.recipe), GENERATE: self.procedure.text()}
        decoder = to_onnx(self.step.graph, self.weights, opset=self.opset, metadata=metadata, masks=False)
        if self.decoding.encoder is None:
            return {"decoder": decoder}
        encoder = to_onnx(self.decoding.encoder, self.weights, opset=self.opset, metadata=self.metadata, masks=True)
        return {"encoder": encoder, "decoder": decoder}

    def contents(self) -> dict[str, bytes]:
        """The bytes of the models, by name."""
        return {name: serialized(model) for name, model in self.parts().items()}

    def loop(self) -> onnx.ModelProto:
        """The model that contains the loop and decodes greedily."""
        metadata = {**self.metadata, DATA: json.dumps(self.recipe), GENERATE: self.procedure.text()}
        return to_loop(
            self.decoding,
            self.weights,
            start=self.procedure.start,
            end=self.procedure.end,
            max_length=self.procedure.max_length,
            opset=self.opset,
            metadata=metadata,
        )


def decoder_models(
    spec: Spec, model: Model, weights: Mapping[str, ArrayLike], recipe: Mapping[str, Any], *, opset: int = 23
) -> DecoderModels | None:
    """The decoder of a document; None if it has no section ``generate``.

    Args:
        spec: The document.
        model: Its graphs.
        weights: Their arrays by identity.
        recipe: How the inputs are made from raw data; empty if the model was not trained.
        opset: The version of ONNX's operators.

    Raises:
        SpecError: If the section does not match the networks.
    """
    found = generation_of(spec, model)
    if found is None:
        return None
    section, decoding = found
    return DecoderModels(decoding, section, weights, recipe, {SPEC_NAME: spec.name, SPEC_HASH: spec.hash}, opset)


def procedure_of(decoding: Decoding, step: Step, section: GenerateSection, recipe: Mapping[str, Any]) -> Procedure:
    """Derive the decoding procedure of a document's networks.

    Args:
        decoding: The networks.
        step: The decoder as it runs at each step.
        section: The section ``generate``.
        recipe: How the inputs are made from raw data, with the vocabularies.

    Raises:
        NnspecError: If `start` or `end` is a text that is not in the vocabulary.
    """
    words = vocabulary_of(recipe, decoding.target)
    given = decoding.encoder.output_types if decoding.encoder is not None else {}
    wanted = {name: output for name, output in decoding.memory.items() if step.graph.inputs[name].mask is not None}
    masks = {f"{name}_mask": f"{output}_mask" for name, output in wanted.items() if given[output].mask is not None}
    unmasked = {f"{name}_mask": output for name, output in wanted.items() if given[output].mask is None}
    types = {name: step.graph.inputs[name] for name in step.carry if name not in decoding.begin}
    return Procedure(
        token=decoding.token,
        dtype=decoding.token_type.dtype,
        logits=decoding.logits,
        memory={**decoding.memory, **masks},
        unmasked=unmasked,
        begin=dict(decoding.begin),
        carry=dict(step.carry),
        zeros={
            name: ([size if isinstance(size, int) else 0 for size in kind.shape], kind.dtype) for name, kind in types.items()
        },
        position=step.position,
        whole=step.whole,
        probabilities=decoding.gives_probabilities,
        vocabulary=decoding.vocabulary,
        start=token_number(section.start, words, "start"),
        end=token_number(section.end, words, "end"),
        max_length=section.max_length,
        sources=dict(decoding.sources),
        target=decoding.target,
        beam=section.beam.model_dump() if section.beam is not None else None,
        sample=section.sample.model_dump() if section.sample is not None else None,
    )
