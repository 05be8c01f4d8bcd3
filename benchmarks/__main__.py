"""``python -m benchmarks [NAME…]``: the table of ratios, or some of its parts; ``faults`` and ``proof`` are tables of their own."""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = {"validate": "cold_validate", "training": "training_throughput", "onnx": "onnx_latency"}


def main(names: list[str]) -> int:
    """Runs the parts that are named, all by default, and prints a row as each is measured."""
    if names == ["faults"]:
        return int(import_module("benchmarks.faults").main())
    if names[:1] == ["proof"]:
        return int(import_module("benchmarks.proof").main(names[1:]))
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"there is no benchmark {unknown[0]}: {', '.join(PARTS)}, or faults or proof alone", file=sys.stderr)
        return 2
    print(f"{'what':<46} {'ours':>10} {'peer':>10} {'unit':<10} {'times better':>12} {'noise':>6}  against", flush=True)
    for name in names or PARTS:
        for row in import_module(f"benchmarks.{PARTS[name]}").rows():
            noise = "" if row.noise is None else f"{row.noise:.0%}"
            figures = f"{row.ours:>10.4g} {row.peer:>10.4g} {row.unit:<10} {row.ratio:>12.2f} {noise:>6}"
            print(f"{row.what:<46} {figures}  {row.against}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
