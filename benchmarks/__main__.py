"""``python -m benchmarks [NAME… [OPTION…]]``: the table of ratios, or some of its parts; or one of the tables of their own.

Options are those of the one part, or of the table, that is named: ``python -m benchmarks hostile --help``.
"""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = {
    "validate": "cold_validate",
    "export": "export_time",
    "training": "training_throughput",
    "programs": "programs",
    "onnx": "onnx_latency",
    "raw": "embedded_preprocessing",
    "decoding": "decoding",
}
WITH_OPTIONS = (["onnx"], ["training"], ["decoding"])
ALONE = (
    "annotations",
    "augmented_boxes",
    "cells",
    "combined_faults",
    "csv",
    "detectors",
    "faults",
    "fixes",
    "flips",
    "gallery",
    "generate",
    "gpu",
    "hostile",
    "imports",
    "lsp",
    "mean_average_precision",
    "memory",
    "parity",
    "precision",
    "processes",
    "proof",
    "remote",
    "results",
    "resume",
    "runtimes",
    "serving",
    "shards",
    "sound",
    "sweep_workers",
    "tiling",
)

MODULES = {"csv": "csv_reading"}
"""The modules of those whose name is taken in the standard library."""


def main(arguments: list[str]) -> int:
    """Runs the parts that are named, all by default, and prints a row as each is measured."""
    if arguments and arguments[0] in ALONE:
        return int(import_module(f"benchmarks.{MODULES.get(arguments[0], arguments[0])}").main(arguments[1:]))
    first = next((place for place, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    names, options = arguments[:first], arguments[first:]
    unknown = [name for name in names if name not in PARTS]
    if unknown or (options and names not in WITH_OPTIONS):
        wrong = f"there is no benchmark {unknown[0]}" if unknown else f"{options[0]} is an option of none of them"
        with_options = ", ".join(name for [name] in WITH_OPTIONS)
        print(f"{wrong}: {', '.join(PARTS)} (options: {with_options}); alone: {', '.join(ALONE)}", file=sys.stderr)
        return 2
    print(f"{'what':<50} {'ours':>10} {'peer':>10} {'unit':<10} {'times better':>12} {'noise':>6}  against", flush=True)
    for name in names or PARTS:
        for row in import_module(f"benchmarks.{PARTS[name]}").rows(*options):
            noise = "" if row.noise is None else f"{row.noise:.0%}"
            figures = f"{row.ours:>10.4g} {row.peer:>10.4g} {row.unit:<10} {row.ratio:>12.2f} {noise:>6}"
            print(f"{row.what:<50} {figures}  {row.against}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
