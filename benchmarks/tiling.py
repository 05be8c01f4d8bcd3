"""What tiles cost: how far their answers are from those to the whole picture, by overlap, and how much memory both take.

python -m benchmarks tiling                                       # the U-Net of the corpus, random weights, on a photograph
python -m benchmarks tiling --model unet.onnx --figure seams.png  # another model of free sizes; a picture of the differences
python -m benchmarks tiling --memory 2048                         # the peak of a process for one picture of 2048 × 2048
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import nnspec
from nnspec.onnx_backend import to_onnx
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.tiled import Tiling

CORPUS = Path(__file__).parent.parent / "tests" / "corpus"


def main(arguments: list[str]) -> int:
    """Prints a row for each overlap, or the two peaks; 0 where the default overlap gives the whole."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks tiling", description=__doc__)
    parser.add_argument("--model", type=Path, help="an ONNX file of one input of free sizes; by default the corpus's U-Net")
    parser.add_argument("--tile", type=int, default=256, help="how large a tile is")
    parser.add_argument("--figure", type=Path, help="where to draw the differences")
    parser.add_argument("--memory", type=int, metavar="SIZE", help="how much memory a picture of that size takes")
    parser.add_argument("--peak", choices=("whole", "tiled", "loaded"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = given.model or _unet(Path(folder))
        if given.peak:
            print(_peak(Predictor(file, threads=1), given.memory, given.tile, given.peak))
            return 0
        return _memory(file, given.memory, given.tile) if given.memory else _overlaps(file, given.tile, given.figure)


def _unet(folder: Path) -> Path:
    """The corpus's U-Net with random weights that keep the variance (He et al. 2015)."""
    graph = nnspec.compile(nnspec.load(CORPUS / "unet.nnspec.yaml")).main
    random = np.random.default_rng(0)
    weights = {name: _drawn(random, name, weight.shape) for name, weight, _ in graph.weights()}
    file = folder / "unet.onnx"
    file.write_bytes(to_onnx(graph, weights).SerializeToString())
    return file


def _drawn(random: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name.endswith("kernel"):
        return random.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape).astype(np.float32)
    return np.full(shape, float(name.endswith(("gamma", "variance"))), np.float32)


def _photograph(predictor: Predictor) -> dict[str, Any]:
    """A photograph of scikit-learn's, in the colours and the type that a model takes, at sizes that it takes."""
    from sklearn.datasets import load_sample_image

    [port] = predictor.inputs.values()
    pixels = load_sample_image("china.jpg")
    if port.shape[-1] == 1:
        pixels = pixels.mean(-1, keepdims=True).astype(np.uint8)
    steps = [c.multiple_of if (c := predictor.conditions.get(str(size))) else 1 for size in port.shape[1:3]]
    height, width = (size // step * step for size, step in zip(pixels.shape, steps, strict=False))
    pixels = pixels[np.newaxis, :height, :width]
    return {port.name: pixels if port.dtype == "uint8" else (pixels / 255).astype(port.dtype)}


def _overlaps(file: Path, tile: int, figure: Path | None) -> int:
    predictor = Predictor(file)
    inputs = _photograph(predictor)
    whole = predictor.predict(inputs)
    exact = Tiling(predictor, tile)
    step = exact.step
    assert exact.overlap is not None
    shares = [exact.overlap, *(int(exact.overlap * share) // step * step for share in (0.75, 0.5, 0.25, 0.125)), 0]
    sizes = " × ".join(map(str, next(iter(inputs.values())).shape[1:]))
    print(f"{file.name}, a photograph of {sizes}, tiles of {tile}: how far the outputs are from those to the whole")
    print(f"{'overlap':>7} {'tiles':>8} {'output':<10} {'largest':>9} {'mean':>9} {'neighbours':>10}")
    differences = {}
    for overlap in dict.fromkeys(shares):
        tiling = Tiling(predictor, tile, overlap)
        try:
            found = tiling.predict(inputs)
        except nnspec.NnspecError as error:
            print(f"{overlap:>7}  {str(error).splitlines()[0]}")
            continue
        count = " × ".join(map(str, tiling.tiles))
        for name, array in found.items():
            off = np.abs(array - whole[name])
            differences.setdefault(overlap, off[0].max(-1))
            seam = f"{tiling.seams[name]:.1e}" if name in tiling.seams else ""
            print(f"{overlap:>7} {count:>8} {name:<10} {off.max():>9.1e} {off.mean():>9.1e} {seam:>10}", flush=True)
    if figure is not None:
        _draw(figure, differences)
    return 0 if differences[exact.overlap].max() < 1e-4 else 1


def _draw(file: Path, differences: dict[int, np.ndarray]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    drawing, axes = plt.subplots(1, len(differences), figsize=(4 * len(differences), 3.2), squeeze=False)
    for place, (overlap, off) in zip(axes[0], differences.items(), strict=True):
        shown = place.imshow(np.log10(np.maximum(off, 1e-8)), vmin=-8, vmax=0, cmap="magma")
        place.set_title(f"overlap {overlap}: at most {off.max():.0e}")
        place.axis("off")
    drawing.colorbar(shown, ax=axes[0].tolist(), label="log10 of the difference", shrink=0.8)
    drawing.savefig(file, dpi=60, bbox_inches="tight")


def _memory(file: Path, size: int, tile: int) -> int:
    """Each in a process of its own: what a process held at most is never less than before."""
    command = [sys.executable, "-m", "benchmarks", "tiling", "--memory", str(size), "--tile", str(tile), "--model", str(file)]
    print(f"{file.name}, one picture of {size} × {size}: the most that a process held")
    for kind in ("loaded", "whole", "tiled"):
        run = subprocess.run([*command, "--peak", kind], capture_output=True, text=True, check=True)
        print(f"{kind:>7} {int(run.stdout) / 2**10:>8,.0f} MiB", flush=True)
    return 0


def _peak(predictor: Predictor, size: int, tile: int, kind: str) -> int:
    [port] = predictor.inputs.values()
    picture = {port.name: np.zeros((1, size, size, port.shape[-1]), port.dtype)}
    if kind != "loaded":
        predictor.predict(picture, tile=tile if kind == "tiled" else None)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
