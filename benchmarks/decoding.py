"""Tokens a second of greedy decoding: the loop in the graph against a loop in Python, Keras's ``predict`` in a loop, and PyTorch.

The net of the corpus with GRU cells, and the Transformer of ``specs/``, with random weights; 32 tokens for each of the batch's
rows, whatever the net says of the end, from sources of 20 tokens. Ours is the file that ``nnspec export`` writes; the Python
loop runs the two files of ``--form parts`` (with the same cache); Keras answers with ``predict``, one token at a time where the
state is carried, and all of them anew where it has no cache. The tokens of ours and of the Python loop are compared first.
PyTorch, in an environment of its own, is timed behind the others rather than by turns; without it that peer is left out.

    python -m benchmarks decoding
    python -m benchmarks decoding --nets gru --batches 1 --torch /opt/torch/bin/python
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import nnspec
from benchmarks.rows import Row, interleaved
from nnspec.exporting.decoder_models import DecoderModels, decoder_models
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.decoding.one_by_one import greedy
from nnspec.runtime.decoding.stepper import Stepper
from nnspec.runtime.model_file import ModelFile

_ROOT = Path(__file__).parent.parent
NETS = {"gru": "tests/corpus/seq2seq.nnspec.yaml", "transformer": "specs/transformer.nnspec.yaml"}
STEPS, SOURCE = 32, 20

Tokens = np.ndarray


def rows(*arguments: str) -> Iterator[Row]:
    """The rows of the table: each net at each batch size against each peer.

    Args:
        arguments: As on the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks decoding")
    parser.add_argument("--nets", type=lambda text: text.split(","), default=list(NETS), help=f"some of {', '.join(NETS)}")
    parser.add_argument("--batches", type=lambda text: [int(n) for n in text.split(",")], default=[1, 8, 32])
    parser.add_argument("--rounds", type=int, default=9, help="how often each is measured; Keras a third as often")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has torch")
    given = parser.parse_args(arguments)
    if unknown := set(given.nets) - set(NETS):
        parser.error(f"there is no net {', '.join(sorted(unknown))}: {', '.join(NETS)}")
    seconds: dict[tuple[str, int], float] = {}
    for name in given.nets:
        net = _Net.of(name)
        for batch in given.batches:
            for row in net.measured(f"{name}, batch {batch}", batch, given.rounds):
                seconds[name, batch] = batch * STEPS / row.ours
                yield row
    if given.torch:
        yield from _against_torch(given, seconds)


@dataclass
class _Net:
    """One net, ready to run in every way."""

    models: DecoderModels
    loop: ModelFile
    again: ModelFile
    stepper: Stepper
    keras: dict[str, Any]

    @classmethod
    def of(cls, name: str, steps: int = STEPS) -> _Net:
        from nnspec.keras_backend import to_keras, weight_arrays

        spec = nnspec.load(_ROOT / NETS[name])
        model = nnspec.compile(spec)
        networks = {part: model.networks[part] for part in ("encoder", "decoder")}
        keras = {part: to_keras(graph, seed=1) for part, graph in networks.items()}
        weights: dict[str, np.ndarray] = {}
        for part, graph in networks.items():
            weights |= weight_arrays(keras[part], graph)
        models = decoder_models(spec, model, weights, {})
        assert models is not None
        # No token ends a sequence here: all are of one length.
        endless = replace(models, section=models.section.model_copy(update={"end": None, "max_length": steps}))
        content = serialized(endless.loop())
        files = {part: ModelFile(own, part) for part, own in endless.contents().items()}
        stepper = Stepper(endless.procedure, files["encoder"], files["decoder"])
        return cls(endless, ModelFile(content, "ours"), ModelFile(content, "ours"), stepper, keras)

    def measured(self, what: str, batch: int, rounds: int) -> Iterator[Row]:
        """Ours against what runs in this process."""
        tokens = np.random.default_rng(0).integers(1, 800, (batch, SOURCE)).astype("int32")
        nothing = np.full((batch, 1), -1)
        ways: dict[str, Callable[[], Tokens]] = {
            "ours": lambda: self.loop({"source": tokens})["generated"],
            "ours again": lambda: self.again({"source": tokens})["generated"],
            "a loop in Python": lambda: greedy(self.stepper, self.stepper.begin({"tokens": tokens}, batch), nothing, STEPS)[0],
        }
        answers = {name: run() for name, run in ways.items()}
        if (answers["ours"] != answers["a loop in Python"]).any():
            raise RuntimeError(f"{what}: the tokens differ")
        taken = interleaved(ways, rounds)
        slow: dict[str, Callable[[], Tokens]] = {"Keras's predict in a loop": lambda: self._by_keras(tokens)}
        same = float((slow["Keras's predict in a loop"]() == answers["ours"]).mean())
        if same < 0.9:  # ties apart, which make what comes behind them another sequence
            raise RuntimeError(f"{what}: {1 - same:.0%} of Keras's tokens are others")
        taken |= interleaved(slow, max(2, rounds // 3))
        noise = abs(taken["ours"] - taken["ours again"]) / taken["ours"]
        for peer in ("a loop in Python", "Keras's predict in a loop"):
            ours, theirs = (batch * STEPS / taken[name] for name in ("ours", peer))
            yield Row(what, ours, theirs, "tokens/s", peer, better="high", noise=noise)

    def _by_keras(self, tokens: Tokens) -> Tokens:
        decoding = self.models.decoding
        encoded = self.keras["encoder"].predict({"tokens": tokens}, verbose=0, batch_size=len(tokens))
        fed = {name: encoded[output] for name, output in {**decoding.memory, **decoding.begin}.items()}
        fed |= {f"{name}_mask": tokens != 0 for name in decoding.memory}
        read = np.full((len(tokens), 1), 1, "int32")
        for _ in range(STEPS):
            last = read[:, -1:] if decoding.carry else read
            answer = self.keras["decoder"].predict({**fed, "tokens": last}, verbose=0, batch_size=len(tokens))
            fed |= {name: answer[output] for name, output in decoding.carry.items()}
            read = np.concatenate([read, answer["logits"][:, -1].argmax(-1)[:, None].astype("int32")], axis=1)
        return read[:, 1:]


def _against_torch(given: argparse.Namespace, seconds: Mapping[tuple[str, int], float]) -> Iterator[Row]:
    wanted = {"nets": given.nets, "batches": given.batches, "steps": STEPS, "source": SOURCE, "rounds": given.rounds}
    script = Path(__file__).with_name("torch_decoding.py")
    done = subprocess.run([given.torch, str(script), json.dumps(wanted)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"PyTorch decoded nothing: {done.stderr.strip()[-500:]}")
    found = json.loads(done.stdout)
    for (name, batch), ours in seconds.items():
        count = batch * STEPS
        yield Row(f"{name}, batch {batch}", count / ours, count / found[name][str(batch)], "tokens/s", "PyTorch", better="high")
