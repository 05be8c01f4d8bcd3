"""The table of nnspec, Keras and Ludwig beside each other."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fault_peers.asking import Cost, asked, cost
from benchmarks.fault_peers.keras_mistakes import keras_mistakes
from benchmarks.fault_peers.keras_source import source
from benchmarks.fault_peers.ludwig_rules import CONFIGS, ludwig_mistakes
from benchmarks.fault_peers.mistakes import MEASURES, judged
from benchmarks.fault_rules import Fault
from nnspec.graph import compile
from nnspec.spec import load

__all__ = ["print_beside"]

HERE = Path(__file__).parent
SPEC = HERE.parent.parent / "specs" / "lenet5.nnspec.yaml"
CONFIG = CONFIGS / "image_classifier.yaml"

Rows = dict[str, Counter[str]]


def print_beside(injected: Sequence[Fault], marks: Sequence[Mapping[str, bool]], *, keras: bool, ludwig: str | None) -> None:
    """Asks the peers, and prints a row a kind with the counts of each.

    Args:
        injected: The faults of specs.
        marks: nnspec's measures of each.
        keras: Whether Keras is asked.
        ludwig: The interpreter that has Ludwig, if it is asked.
    """
    parties: dict[str, Rows] = {"nnspec": _rows((fault.kind, good) for fault, good in zip(injected, marks, strict=True))}
    costs = {"nnspec validate": cost([sys.executable, "-m", "nnspec", "validate", str(SPEC)])}
    if keras:
        parties["nnspec, those of Keras"], parties["Keras"] = _of_keras(injected, marks)
        costs["Keras's model of one source"] = _cost_of_keras()
    if ludwig:
        mistakes = [*ludwig_mistakes()]
        answers = asked(ludwig, HERE / "ludwig_process.py", mistakes)
        pairs = zip(mistakes, answers, strict=True)
        parties["Ludwig"] = _rows((m.kind, judged(m, answer)) for m, answer in pairs if answer is not None)
        costs["Ludwig's model of one config"] = cost([ludwig, str(HERE / "ludwig_process.py"), str(CONFIG)])
    _print(parties)
    print("\none good net in a fresh process, once:")
    for name, taken in costs.items():
        print(f"{name:<44}{taken.seconds:>8.2f} s{taken.memory:>8.0f} MiB at most")


def _of_keras(injected: Sequence[Fault], marks: Sequence[Mapping[str, bool]]) -> tuple[Rows, Rows]:
    """The rows of nnspec for the faults that are faults in Keras, and Keras's."""
    ours = {id(fault): good for fault, good in zip(injected, marks, strict=True)}
    pairs = [*keras_mistakes(injected)]
    answers = asked(sys.executable, HERE / "keras_process.py", [mistake for _, mistake in pairs])
    said = [(fault, mistake, answer) for (fault, mistake), answer in zip(pairs, answers, strict=True) if answer is not None]
    return (
        _rows((fault.kind, ours[id(fault)]) for fault, _, _ in said),
        _rows((mistake.kind, judged(mistake, answer)) for _, mistake, answer in said),
    )


def _cost_of_keras() -> Cost:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "net.py"
        file.write_text("\n".join(source(compile(load(SPEC)).main).lines), encoding="utf-8")
        return cost([sys.executable, str(HERE / "keras_process.py"), str(file)])


def _rows(judgements: Iterable[tuple[str, Mapping[str, bool]]]) -> Rows:
    rows: Rows = {}
    for kind, good in judgements:
        rows.setdefault(kind, Counter()).update(name for name in MEASURES if good[name])
    return rows


def _print(parties: Mapping[str, Rows]) -> None:
    """Counts in the order all, found, line, token, fix; a dot where a language cannot have the fault."""
    print(f"counts of {', '.join(MEASURES)}")
    print(f"{'kind of fault':<44}" + "".join(f"{name:>26}" for name in parties))
    for kind in parties["nnspec"]:
        print(f"{kind:<44}" + "".join(_cell(rows.get(kind)) for rows in parties.values()))
    totals = [sum(rows.values(), Counter()) for rows in parties.values()]
    print(f"{'all kinds':<44}" + "".join(_cell(total) for total in totals))
    for measure in MEASURES[1:]:
        print(f"{measure:<44}" + "".join(f"{total[measure] / total['all']:>26.1%}" for total in totals))


def _cell(row: Counter[str] | None) -> str:
    text = "." if row is None else " ".join(f"{row[name]:>4}" for name in MEASURES)
    return f"{text:>26}"
