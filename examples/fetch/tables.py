"""Tables as CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from examples.fetch.packages import wheel

__all__ = ["cars", "iris"]

_COLUMNS = {
    "Name": "name",
    "Miles_per_Gallon": "mpg",
    "Cylinders": "cylinders",
    "Displacement": "displacement",
    "Horsepower": "horsepower",
    "Weight_in_lbs": "weight",
    "Acceleration": "acceleration",
    "Year": "year",
    "Origin": "origin",
}


def cars(folder: Path) -> None:
    """Auto MPG (Ramos and Donoho 1983): 406 cars of 1970 to 1982, with missing values.

    The cars of unknown mileage are in a file of their own, without that column.
    """
    with wheel("vega_datasets<1") as package:
        rows = json.loads(package.read("vega_datasets/_data/cars.json"))
    cars = [{ours: row[theirs] for theirs, ours in _COLUMNS.items()} | {"year": int(row["Year"][:4])} for row in rows]
    known = [car for car in cars if car["mpg"] is not None]
    unknown = [{key: value for key, value in car.items() if key != "mpg"} for car in cars if car["mpg"] is None]
    for name, part in (("cars", known), ("unknown", unknown)):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(part[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(part)


def iris(folder: Path) -> None:
    """The 50 versicolor and 50 virginica of Fisher's iris (1936), the two species that no line separates."""
    from sklearn.datasets import load_iris

    found = load_iris()
    names = [name.removesuffix(" (cm)").replace(" ", "_") for name in found.feature_names]
    with (folder / "pair.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*names, "species"])
        for values, species in zip(found.data.tolist(), found.target.tolist(), strict=True):
            if species:
                writer.writerow([*values, found.target_names[species]])
