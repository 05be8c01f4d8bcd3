"""The proof by drawn cases: single layers with drawn arguments, and whole drawn documents, each the same four ways.

What is inferred must be what Keras says, what Keras gives and what ONNX Runtime gives: shapes, element types, weights, masks,
values. Nothing is timed; it stands here because it prints figures. A case is made of the seed, its number, `--least`, `--expressions` and `--recurrences` alone.

    python -m benchmarks proof --cases 1000 --layers 20 --seed 3
    python -m benchmarks proof --cases 100 --least 20 --seed 3
    python -m benchmarks proof --cases 200 --expressions 12 --recurrences 6 --seed 3
    python -m benchmarks proof --seed 3 --only 17
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Callable
from random import Random

from nnspec.layers import LAYERS
from nnspec.layers.base import LayerError
from tests.layers.drawn import draw_case
from tests.proof.documents import FEWEST_LAYERS, Document, numbered
from tests.proof.judge import COARSE, RANGE, REFUSED, TIED, Unproven, judge
from tests.proof.proven import compiled, counts, prove_document
from tests.proof.smallest import smallest

_TOLD = ("proven", RANGE, REFUSED, COARSE, TIED)
"""What is no failure."""


def main(arguments: list[str]) -> int:
    """Runs the proof and prints what came of it; 1 where something differs."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks proof", description="Proves drawn layers and documents four ways."
    )
    parser.add_argument("--cases", type=int, default=200, help="documents")
    parser.add_argument("--layers", type=int, default=0, help="cases of each layer alone")
    parser.add_argument(
        "--least", type=int, default=FEWEST_LAYERS, help="how many layers to try for in a document, at the least"
    )
    parser.add_argument(
        "--expressions",
        type=int,
        default=0,
        help="how often a step is a `Compute` of random expressions, against 12 for a layer",
    )
    parser.add_argument(
        "--recurrences",
        type=int,
        default=0,
        help="how often a step is an `RNN` of a random cell, against 12 for a layer",
    )
    parser.add_argument("--seed", type=int, default=0, help="other cases")
    parser.add_argument("--opset", type=int, default=23, help="ONNX's operators")
    parser.add_argument("--only", type=int, help="the number of one document: shown, and made small if it fails")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    if given.only is not None:
        drawn = numbered(given.seed, given.only, given.least, given.expressions, given.recurrences)
        return _one(drawn, given.opset)
    failures = _layers(given.layers, given.seed, given.opset) if given.layers else 0
    return int(failures + _documents(given) > 0)


def _outcome(prove: Callable[[], object]) -> str:
    """`proven`, why nothing can be said, or what is wrong in one line."""
    try:
        prove()
    except Unproven as reason:
        return str(reason)
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return "proven"


def _layers(count: int, seed: int, opset: int) -> int:
    found: Counter[str] = Counter()
    for op in LAYERS.names():
        if op in ("Compute", "RNN"):  # `--expressions` and `--recurrences` draw those
            continue
        for number in range(count):
            case = draw_case(Random(f"{seed} {op} {number}"), op)
            try:
                graph = case.graph()
            except (LayerError, ValueError):
                found["unfit"] += 1
                continue
            outcome = _outcome(lambda graph=graph: judge(graph, opset))
            found[outcome if outcome in _TOLD else "failed"] += 1
            if outcome not in _TOLD:
                print(f"{case}\n  {outcome}", flush=True)
    print(
        f"layers: {len(LAYERS.names())}, {count} drawn cases each: {_counted(found)}, {found['unfit']} do not fit",
        flush=True,
    )
    return found["failed"]


def _documents(given: argparse.Namespace) -> int:
    found: Counter[str] = Counter()
    families: Counter[str] = Counter()
    largest = 0
    for number in range(given.cases):
        model = None
        document = numbered(given.seed, number, given.least, given.expressions, given.recurrences)

        def prove(document=document) -> None:
            nonlocal model
            model = prove_document(document, given.opset)

        outcome = _outcome(prove)
        found[outcome if outcome in _TOLD else "failed"] += 1
        if model is not None:
            families.update(counts(model))
            largest = max(largest, sum(counts(model).values()))
        elif outcome not in _TOLD:
            print(f"document {number}: {outcome}", flush=True)
    print(
        f"documents: {given.cases}: {_counted(found)}; {families.total()} layers, up to {largest} in one",
        flush=True,
    )
    print("layers by family: " + ", ".join(f"{family} {number}" for family, number in families.most_common()))
    return found["failed"]


def _counted(found: Counter[str]) -> str:
    """How many are proven, how many failed, and of how many nothing can be said, with the reason."""
    untold = [f"{found[reason]} unproven ({reason})" for reason in (RANGE, REFUSED, COARSE, TIED) if found[reason]]
    return ", ".join([f"{found['proven']} proven", f"{found['failed']} failed", *untold])


def _one(document: Document, opset: int) -> int:
    outcome = _outcome(lambda: prove_document(document, opset))
    print(f"{document.text}\n{outcome}")
    if outcome in _TOLD:
        return 0
    kind = outcome.partition(":")[0]

    def fails(text: str) -> bool:
        try:
            networks = compiled(text).networks.values()
        except Exception:
            return False
        return any(_outcome(lambda graph=graph: judge(graph, opset)).startswith(kind) for graph in networks)

    print(f"the smallest that fails so:\n{smallest(document.text, fails)}")
    return 1
