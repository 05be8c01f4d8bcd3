"""How good a run had become after how many minutes, from its log: the rows of a Markdown table.

Run ``python examples/curve.py runs/phonemes val_logits_exact_match``.
"""

from __future__ import annotations

import sys

from nnspec.training import Run


def main(path: str, figure: str) -> None:
    """Prints a row for each epoch."""
    minutes = 0.0
    print(f"| epoch | minutes | {figure} |\n|---|---|---|")
    for record in Run.open(path).metrics():
        minutes += record["seconds"] / 60
        print(f"| {record['epoch']} | {minutes:.1f} | {record[figure]:.4f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
