"""Compares the tokens of a decoder in ONNX with those of Keras.

Each token is compared with Keras's prediction from the tokens before it, so that one tie (two tokens that are equally likely
except for rounding) does not make all later tokens count as different.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.exporting.decoder_models import DecoderModels
from nnspec.graph import Graph
from nnspec.graph.decoding import Decoding
from nnspec.graph.model import Ref
from nnspec.graph.tables import table_rows
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.float64 import allowed, distance, scale_of
from nnspec.onnx_backend.parity import Parity, Reference
from nnspec.onnx_backend.proof import verify, verify_varied
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import draw
from nnspec.runtime.decoding.one_by_one import greedy
from nnspec.runtime.decoding.stepper import Stepper
from nnspec.runtime.model_file import ModelFile
from nnspec.runtime.session import Arrays, Run

_MOST = 24
"""The most tokens of a sequence that are compared."""

Tokens = NDArray[np.int64]


@dataclass(frozen=True)
class DecodingParity:
    """The parity of a decoder and Keras.

    Attributes:
        networks: The parity of the encoder and of the decoder.
        sequences: The number of decoded sequences.
        tokens: The number of their tokens.
        ties: The number of tokens for which Keras predicts another token that is equally likely, within the tolerance of the
            logits, or within rounding of Keras in float64.
        differing: The number of tokens for which Keras predicts another one.
    """

    networks: Mapping[str, Parity]
    sequences: int
    tokens: int
    ties: int
    differing: int

    @property
    def agrees(self) -> bool:
        return self.differing == 0 and all(parity.agrees for parity in self.networks.values())

    def as_json(self) -> dict[str, object]:
        """The parity record that is written into the model."""
        networks = {name: parity.as_json() for name, parity in self.networks.items()}
        return {"sequences": self.sequences, "tokens": self.tokens, "ties": self.ties, "networks": networks}

    def text(self) -> str:
        """A summary as text."""
        lines = [f"{name}: {line}" for name, parity in self.networks.items() for line in parity.text().splitlines()]
        ties = f", {self.ties} of them ties" if self.ties else ""
        count = f"{self.differing} of {self.tokens} tokens differ" if self.differing else f"all {self.tokens} tokens agree"
        return "\n".join([*lines, f"{count}{ties}, in {self.sequences} sequences"])


def prove_decoder(
    models: DecoderModels, keras_of: Callable[[Graph], Reference], *, golden: Arrays | None = None, seed: int = 0
) -> DecodingParity:
    """Decode with the loop and step by step, and compare both with Keras.

    Args:
        models: The decoder.
        keras_of: Returns the reference of a network with the same weights, masks included.
        golden: Real sources by the encoder's names, in addition to random ones.
        seed: The seed of the random sources.

    Raises:
        NnspecError: If something differs.
    """
    decoding, opset = models.decoding, models.opset
    keras: dict[str, Reference] = {
        graph.name: keras_of(graph) for graph in (decoding.encoder, decoding.decoder) if graph is not None
    }
    parts = models.parts()
    networks = {}
    for graph in (decoding.encoder, decoding.decoder):
        if graph is not None:
            own = to_onnx(graph, models.weights, opset=opset)
            alone = verify(graph, models.weights, own, keras[graph.name], opset=opset, seed=seed)
            networks[graph.name] = verify_varied(graph, models.weights, alone, keras[graph.name], opset=opset, seed=seed)
    tolerance = networks[decoding.decoder.name].outputs[decoding.logits].tolerance
    files = {name: ModelFile(serialized(model), name) for name, model in parts.items()}
    stepper = Stepper(models.procedure, files.get("encoder"), files["decoder"])
    comparison = TokenComparison(decoding, keras, models.procedure.start, models.procedure.end, tolerance)
    in_graph = ModelFile(serialized(models.loop()), "the loop")
    for inputs, prompt in _cases(models, golden, seed):
        most = np.array(min(models.procedure.max_length, _MOST), np.int64)
        shown = {decoding.sources[name]: array for name, array in inputs.items() if name in decoding.sources}
        answer = in_graph({**shown, "prompt": prompt, "max_length": most})
        comparison.take(inputs, prompt, answer["generated"], answer["lengths"])
        tokens, lengths = greedy(stepper, stepper.begin(inputs, len(prompt)), prompt, int(most))
        comparison.take(inputs, prompt, tokens, lengths)
    found = DecodingParity(networks, comparison.sequences, comparison.tokens, comparison.ties, comparison.differing)
    if not found.agrees:
        raise NnspecError(f"the ONNX decoder differs from the Keras model, so no file is written:\n{found.text()}")
    return found


def _cases(models: DecoderModels, golden: Arrays | None, seed: int) -> Iterator[tuple[dict[str, NDArray[Any]], Tokens]]:
    """Sources and prompts."""
    encoder = models.decoding.encoder
    if encoder is not None:
        # The output for an example of only padding is undefined.
        for inputs in [*draw(encoder, seed=seed, empty_rows=False), *([golden] if golden else [])]:
            yield dict(inputs), np.full((len(next(iter(inputs.values()))), 1), -1, np.int64)
        return
    decoding = models.decoding
    assert decoding.vocabulary is not None  # a decoder without a source has nothing to point at
    most = min(decoding.vocabulary, table_rows(decoding.decoder).get(Ref(decoding.token), decoding.vocabulary))
    rng = np.random.default_rng(seed)
    for size in (1, 5):
        prompt = rng.integers(0, most, (size, 4))
        prompt[np.arange(4)[None, :] >= 1 + rng.integers(0, 4, (size, 1))] = -1
        yield {}, prompt


class TokenComparison:
    """Compares tokens with Keras's logits: by the quick bound first, then with those in float64."""

    def __init__(
        self, decoding: Decoding, keras: Mapping[str, Run | Reference], start: int | None, end: int | None, tolerance: float
    ) -> None:
        self._decoding, self._keras = decoding, keras
        self._exact: dict[str, Run] | None = None
        self._start, self._end, self._tolerance = start, end, tolerance
        self.sequences = self.tokens = self.ties = self.differing = 0

    def take(self, inputs: Arrays, prompt: Tokens, tokens: Tokens, lengths: Tokens) -> None:
        """Compare and count the tokens of a batch."""
        first = [] if self._start is None else [np.full((len(tokens), 1), self._start, np.int64)]
        read = np.concatenate([*first, tokens], axis=1)
        targets = read[:, 1:]
        logits = self._logits(self._keras, inputs, read[:, :-1])
        places = np.arange(targets.shape[1])[None, :] + (0 if first else 1)
        # The end token is predicted; tokens of the prompt are not.
        counted = places <= lengths[:, None] if self._end is not None else places < lengths[:, None]
        forced = np.zeros_like(counted)
        width = min(prompt.shape[1], tokens.shape[1])
        forced[:, : width - (0 if first else 1)] = prompt[:, (0 if first else 1) : width] >= 0
        counted = counted & ~forced
        gap = _logit_gap(logits, targets)
        tied = (gap > 0) & (gap <= self._tolerance) & counted
        differing = (gap > self._tolerance) & counted
        if differing.any() and (exact := self._in_float64()) is not None:
            # Each of two logits may deviate by the largest allowed error.
            true = self._logits(exact, inputs, read[:, :-1])
            excused = differing & (_logit_gap(true, targets) <= 2 * allowed(distance(true, logits, true)))
            tied, differing = tied | excused, differing & ~excused
        self.sequences += len(tokens)
        self.tokens += int(counted.sum())
        self.ties += int(tied.sum())
        self.differing += int(differing.sum())

    def _in_float64(self) -> dict[str, Run] | None:
        """The networks in float64; None if one has no float64 form."""
        if self._exact is None:
            made = {name: run.exact for name, run in self._keras.items() if isinstance(run, Reference) and run.exact}
            if len(made) < len(self._keras):
                return None
            self._exact = {name: make() for name, make in made.items()}
        return self._exact

    def _logits(self, keras: Mapping[str, Run | Reference], inputs: Arrays, read: Tokens) -> NDArray[np.float64]:
        """Keras's logits after each token: rows, steps, vocabulary. In one call if the decoder is causal."""
        decoding = self._decoding
        fed = self.fed(inputs, len(read), keras)
        run = keras[decoding.decoder.name]
        dtype = decoding.token_type.dtype
        if decoding.by_token and decoding.logits_type.rank == 2 and not isinstance(decoding.token_type.shape[0], int):
            return np.asarray(run({**fed, decoding.token: read.astype(dtype)})[decoding.logits], np.float64)
        steps = []
        for count in range(1, read.shape[1] + 1):
            if decoding.by_token and isinstance(decoding.token_type.shape[0], int):
                answer = run({**fed, decoding.token: read[:, count - 1 : count].astype(dtype)})
                fed |= {name: answer[output] for name, output in decoding.carry.items()}
            else:
                answer = run({**fed, decoding.token: read[:, :count].astype(dtype)})
            logits = answer[decoding.logits]
            steps.append(logits if logits.ndim == 2 else logits[:, -1])
        return np.stack(steps, axis=1).astype(np.float64)

    def fed(self, inputs: Arrays, rows: int, keras: Mapping[str, Run | Reference] | None = None) -> dict[str, NDArray[Any]]:
        """The decoder's inputs other than the tokens, at the first step.

        Args:
            inputs: The encoder's inputs.
            rows: The number of sequences.
            keras: The networks; by default those in float32.
        """
        decoding = self._decoding
        encoded = (keras or self._keras)[decoding.encoder.name](inputs) if decoding.encoder is not None else {}
        fed = {name: encoded[output] for name, output in {**decoding.memory, **decoding.begin}.items()}
        for name, output in decoding.memory.items():
            if (kind := decoding.decoder.inputs[name]).mask is not None:
                sizes = fed[name].shape[: len(kind.mask or ()) + 1]
                fed[f"{name}_mask"] = encoded.get(f"{output}_mask", np.ones(sizes, bool))
        for name in decoding.carry:
            if name not in fed:
                kind = decoding.decoder.inputs[name]
                fed[name] = np.zeros((rows, *(size for size in kind.shape if isinstance(size, int))), kind.dtype)
        return fed


def _logit_gap(logits: NDArray[np.float64], chosen: Tokens) -> NDArray[np.float64]:
    """The logit of the likeliest token minus that of each chosen token, relative to the largest logit."""
    gap: NDArray[np.float64] = logits.max(-1) - np.take_along_axis(logits, chosen[..., None], -1)[..., 0]
    return gap / scale_of(logits)
