"""Series: of the UCR archive as JSON lines, a series a line; the sunspots as CSV, a year a line."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

from examples.fetch.packages import wheel

__all__ = ["UCR", "sunspots"]

_WINDOW = 12


def _ucr(name: str, folder: Path) -> None:
    with wheel("aeon>=1,<2") as package:
        for part in ("train", "test"):
            text = package.read(f"aeon/datasets/data/{name}/{name}_{part.upper()}.ts").decode()
            lines = [line for line in text.partition("@data")[2].splitlines() if line.strip()]
            with (folder / f"{part}.jsonl").open("w", encoding="utf-8") as file:
                for line in lines:
                    values, _, label = line.rpartition(":")
                    series = [float(value) for value in values.split(",")]
                    file.write(json.dumps({"series": series, "label": label.strip()}) + "\n")


UCR = {name.lower(): partial(_ucr, name) for name in ("GunPoint", "ItalyPowerDemand", "OSULeaf")}
"""Sets of the UCR archive (Dau et al. 2019), parted into training and test data as the archive has them."""


def sunspots(folder: Path) -> None:
    """Yearly sunspot numbers since 1700 (SIDC), parted as in Weigend, Huberman and Rumelhart (1990).

    Trained on is 1700 to 1920; what is foretold in the test is 1921 to 1955, each year by the twelve before it.
    """
    with wheel("statsmodels<1") as package:
        text = package.read("statsmodels/datasets/sunspots/sunspots.csv").decode()
    rows = [(int(float(row["YEAR"])), float(row["SUNACTIVITY"])) for row in csv.DictReader(text.splitlines())]
    for part, first, last in (("train", 1700, 1920), ("test", 1921 - _WINDOW, 1955)):
        with (folder / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["year", "sunspots"])
            writer.writerows(row for row in rows if first <= row[0] <= last)
