"""``python -m examples.fetch NAME…``: fetches data sets into ``data/NAME``; one that is there is left alone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from examples.fetch import addresses, masks, pictures, series, tables, texts

DATA = Path(__file__).parents[2] / "data"
SETS: dict[str, Callable[[Path], None]] = {
    "mnist": pictures.mnist,
    "fashion_mnist": pictures.fashion_mnist,
    "nuclei": masks.nuclei,
    "ct": masks.ct,
    "slices": masks.slices,
    **series.UCR,
    "sunspots": series.sunspots,
    "vowels": series.vowels,
    "demand": series.demand,
    "employment": series.employment,
    "r8": texts.r8,
    "spam": texts.spam,
    "newsgroups": texts.newsgroups,
    "friends": texts.friends,
    "docstrings": texts.docstrings,
    "addresses": addresses.addresses,
    "cars": tables.cars,
    "iris": tables.iris,
    "digit_images": pictures.digit_images,
    "digits_few": pictures.digits_few,
    "roofs": pictures.roofs,
}


def main(names: list[str]) -> int:
    """Fetches what is named; the status is 2 where a name is none."""
    unknown = [name for name in names if name not in SETS]
    if unknown or not names:
        print(f"there is no set {unknown[0]}" if unknown else "name a set", ": ", ", ".join(SETS), sep="", file=sys.stderr)
        return 2
    for name in names:
        folder = DATA / name
        if folder.exists():
            continue
        unready = folder.with_name(f"{name}.part")
        shutil.rmtree(unready, ignore_errors=True)
        unready.mkdir(parents=True)
        SETS[name](unready)
        unready.rename(folder)
        files = [file for file in folder.rglob("*") if file.is_file()]
        print(f"{folder}: {len(files):,} files, {sum(file.stat().st_size for file in files):,} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
