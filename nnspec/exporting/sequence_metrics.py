"""Metrics of generated sequences: exact match, token error rate, BLEU and chrF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.exporting.run_models import RunGenerator
from nnspec.extras import require
from nnspec.generation.check import generation_of
from nnspec.runtime.token_output import text_of
from nnspec.training import Run
from nnspec.training.evaluation.evaluate import examples_of

_BATCH = 128

Row = Sequence[int]


def generated_sequence_metrics(run: Run, part: str | None = None) -> dict[str, Any] | None:
    """Decode the sources of a run's data as its section ``generate`` specifies, and compare with the targets.

    Args:
        run: The run.
        part: The split: `train`, `validation` or `test`; by default as in `evaluate`.

    Returns:
        The result of [`sequence_metrics`][]; None if the run has no encoder and decoder that its own inputs feed.

    Raises:
        NnspecError: If the run or its data have changed.
    """
    found = generation_of(run.spec, run.model)
    if found is None or found[1].encoder is None:
        return None
    decoding = found[1]
    known = run.model.main.inputs if "main" in run.model.networks else {}
    target = decoding.target
    if target is None or target not in known or any(source not in known for source in decoding.sources.values()):
        return None
    require("export")
    _, examples = examples_of(run, part)
    inputs = examples.batch(slice(None)).inputs
    generator = RunGenerator(run.path)
    sources = {source: np.asarray(inputs[source]) for source in decoding.sources.values()}
    given = [one.tokens for one in generator.generate(sources, batch_size=_BATCH)]
    procedure = generator.procedure
    wanted = [_sequence(row, procedure.start, procedure.end) for row in np.asarray(inputs[target])]
    return sequence_metrics(given, wanted, generator.recipe, target)


def _sequence(row: NDArray[Any], start: int | None, end: int | None) -> list[int]:
    """The tokens of a target, without start, end and padding."""
    tokens = [int(token) for token in row]
    tokens = tokens[1:] if tokens and tokens[0] == start else tokens
    stops = [place for place, token in enumerate(tokens) if token in (0, end)]
    return tokens[: stops[0]] if stops else tokens


def sequence_metrics(
    given: Sequence[Row], wanted: Sequence[Row], recipe: Mapping[str, Any], input_: str | None
) -> dict[str, Any]:
    """Compute the metrics of sequences.

    Args:
        given: The generated sequences.
        wanted: The target sequences, as many.
        recipe: How the model's inputs are made from raw data.
        input_: The input whose vocabulary the tokens belong to.

    Returns:
        ``exact_match``: the fraction of sequences that equal their target; ``token_error_rate``: the edit distance over the
        number of target tokens (the phoneme error rate of phonemes, the word error rate of words). For texts also ``bleu``
        (Papineni et al. 2002) and ``chrf`` (Popović 2015) by sacrebleu, 0 to 100, if it is installed.

    Raises:
        NnspecError: If there are no sequences.
    """
    if not wanted:
        raise NnspecError("there are no sequences to compare")
    edits = sum(edit_distance(a, b) for a, b in zip(given, wanted, strict=True))
    metrics: dict[str, Any] = {
        "exact_match": float(np.mean([list(a) == list(b) for a, b in zip(given, wanted, strict=True)])),
        "token_error_rate": edits / max(1, sum(map(len, wanted))),
    }
    texts = [[text_of(recipe, input_, row) for row in rows] for rows in (given, wanted)]
    if texts[0][0] is not None and find_spec("sacrebleu"):
        from sacrebleu import corpus_bleu, corpus_chrf

        metrics |= {"bleu": corpus_bleu(texts[0], [texts[1]]).score, "chrf": corpus_chrf(texts[0], [texts[1]]).score}
    return metrics


def edit_distance(a: Row, b: Row) -> int:
    """The number of insertions, deletions and substitutions between two sequences (Levenshtein 1966).

    Example:
        >>> edit_distance([1, 2, 3, 4], [1, 3, 5, 4])
        2
    """
    row = list(range(len(b) + 1))
    for i, token in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (token != other))
    return row[-1]
