"""What an encoder that was trained without labels is worth: classifiers that start from it against others from scratch.

For each seed the digits are drawn anew (``split.py``), the autoencoder and the classifier trained anew by the specs as they
are, and the classifiers judged by the 400 test digits. From scratch it is the same network trained in one phase, as there is
nothing to keep frozen: for as many epochs as both phases have, at the higher rate of the two, with the weights of the best
epoch. The network was chosen on the draws 0 and 1; these begin at 2.
Run ``python examples/pretraining/compare.py [SEEDS [FIRST]]``.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
from split import write_split

from nnspec.spec import load
from nnspec.training import Run, evaluate, train
from nnspec.training.loop.progress import Quiet

_SPECS = Path(__file__).parents[2] / "specs"
_ROOT = Path("/")
_ONE_PHASE = "train.phases=[{epochs: 80, optimizer: {Adam: {learning_rate: 1e-3}}}]"


def accuracies(seed: int, folder: Path) -> tuple[float, float]:
    """The share of the test digits that is right: with the encoder's weights, and from scratch.

    Args:
        seed: Which draw of the digits, and of all that is random in the trainings.
        folder: Where files and runs are written.
    """
    write_split(folder, seed)

    def run(spec: str, name: str, *overrides: str) -> Run:
        keras.backend.clear_session(free_memory=True)
        read = load(_SPECS / f"{spec}.nnspec.yaml", [f"train.seed={seed}", *overrides], root=_ROOT)
        return train(read, out=folder / name, progress=Quiet())

    def right(name: str, *overrides: str) -> float:
        data = [f"data.{part}={{npz: {folder / file}.npz}}" for part, file in (("train", "labelled"), ("test", "test"))]
        trained = run("digits_pretrained", name, *data, *overrides)
        return float(evaluate(trained, part="test")["digit_sparse_categorical_accuracy"])

    encoder = run("denoising_autoencoder", "encoder", f"data.train={{npz: {folder / 'unlabelled.npz'}}}")
    pretrained = right("pretrained", f"layers[0].weights={{file: {encoder.path}, prefix: encoder}}")
    return pretrained, right("scratch", "layers[0].weights=null", _ONE_PHASE)


def main(seeds: int = 10, first: int = 2) -> None:
    """Prints the figures of each seed, and how often which was better."""
    rows = []
    print("seed  pre-trained  from scratch")
    for seed in range(first, first + seeds):
        with TemporaryDirectory() as folder:
            rows.append(accuracies(seed, Path(folder)))
        print(f"{seed:4}  {rows[-1][0]:11.4f}  {rows[-1][1]:12.4f}", flush=True)
    pretrained, scratch = zip(*rows, strict=True)
    print(f"mean  {statistics.fmean(pretrained):11.4f}  {statistics.fmean(scratch):12.4f}")
    better, worse = (sum(sign * (a - b) > 0 for a, b in rows) for sign in (1, -1))
    print(f"pre-trained is better on {better} of {seeds} draws, as good on {seeds - better - worse}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
