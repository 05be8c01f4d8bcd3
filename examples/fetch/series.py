"""Series: of the UCR archive as JSON lines, a series a line; the sunspots and the electricity demand as CSV, a time a line."""

from __future__ import annotations

import ast
import csv
import json
import math
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from examples.fetch.packages import wheel

__all__ = ["UCR", "demand", "employment", "sunspots", "vowels"]

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


def vowels(folder: Path) -> None:
    """640 utterances of two vowels by nine speakers, 7 to 29 frames of 12 coefficients each (Kudo, Toyama and Shimbo 1999)."""
    with wheel("aeon>=1,<2") as package:
        for part in ("train", "test"):
            text = package.read(f"aeon/datasets/data/JapaneseVowels/JapaneseVowels_{part.upper()}.ts").decode()
            with (folder / f"{part}.jsonl").open("w", encoding="utf-8") as file:
                for line in text.partition("@data")[2].split():
                    *coefficients, speaker = line.split(":")
                    frames = zip(*([float(value) for value in row.split(",")] for row in coefficients), strict=True)
                    file.write(json.dumps({"frames": list(frames), "speaker": speaker}) + "\n")


_TEST_WEEKS = 3
_WEEK = 48 * 7


def demand(folder: Path) -> None:
    """The electricity demand of England and Wales each half hour from 5 June to 27 August 2000, in megawatts (Taylor 2003).

    ``hour_sin`` to ``weekend`` are known of the future. The last three weeks are the test; before them, ``test.csv`` has one
    more week, which the first windows look back on.
    """
    with wheel("pmdarima>=2,<3") as package:
        code = package.read("pmdarima/datasets/taylor.py").decode()
    lists = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.List) and len(node.elts) == 12 * _WEEK]
    values = ast.literal_eval(lists[0])
    rows = []
    for i, value in enumerate(values):
        time = datetime(2000, 6, 5) + timedelta(minutes=30 * i)
        angle = 2 * math.pi * (i % 48) / 48
        rows.append([time.isoformat(), value, round(math.sin(angle), 6), round(math.cos(angle), 6), int(time.weekday() > 4)])
    test = len(rows) - _TEST_WEEKS * _WEEK
    for part, some in (("train", rows[:test]), ("test", rows[test - _WEEK :])):
        with (folder / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["time", "demand", "hour_sin", "hour_cos", "weekend"])
            writer.writerows(some)


_SECTORS = [
    "mining_and_logging",
    "construction",
    "durable_goods",
    "nondurable_goods",
    "wholesale_trade",
    "retail_trade",
    "transportation_and_warehousing",
    "utilities",
    "information",
    "financial_activities",
    "professional_and_business_services",
    "education_and_health_services",
    "leisure_and_hospitality",
    "other_services",
    "government",
]


def employment(folder: Path) -> None:
    """Employees of 15 sectors in the United States, in thousands, each month from 2006 to 2015 (Bureau of Labor Statistics).

    A row for each sector and month. The last two years are the test, with the two years before them to look back on.
    """
    with wheel("vega_datasets<1") as package:
        rows = list(csv.DictReader(package.read("vega_datasets/_data/us-employment.csv").decode().splitlines()))
    for part, some in (("train", rows[:-24]), ("test", rows[-48:])):
        with (folder / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["month", "sector", "employees"])
            writer.writerows([row["month"], sector, row[sector]] for sector in _SECTORS for row in some)
