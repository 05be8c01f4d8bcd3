"""Data sets that scikit-learn includes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from nnspec.data.kinds import Column
from nnspec.data.readers.base import Files, Reader, Table

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values

# fmt: off
_CELL = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
         "fractal dimension")
_FEATURES = {
    "iris": ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
    "wine": ("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
             "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines", "proline"),
    "breast_cancer": (*(f"mean {n}" for n in _CELL), *(f"{n} error" for n in _CELL), *(f"worst {n}" for n in _CELL)),
    "diabetes": ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"),
}
# fmt: on


class Builtin(Reader):
    """A data set of scikit-learn: 1,797 handwritten digits of 8×8 pixels, or one of its small tables.

    `digits` has the columns `image` (8×8×1, float32, from 0 to 1) and `target`. The others have a column for each feature
    and `target`.
    """

    main_argument: ClassVar[str | None] = "set"
    not_of_values: ClassVar[tuple[str, ...]] = ("set",)

    set: Literal["breast_cancer", "diabetes", "digits", "iris", "wine"] = Field(description="The name of the data set.")

    def columns(self, files: Files) -> dict[str, Column]:
        del files
        target = Column((), "float64" if self.set == "diabetes" else "int64")
        if self.set == "digits":
            return {"image": Column((8, 8, 1), "float32"), "target": target}
        return {name: Column((), "float64") for name in _FEATURES[self.set]} | {"target": target}

    def open(self, files: Files) -> Table:
        return _BuiltinTable(self.set, self.columns(files))


builtin = Builtin


class _BuiltinTable(Table):
    def __init__(self, name: str, columns: dict[str, Column]) -> None:
        from sklearn import datasets

        self._name = name
        self.columns = columns
        loaded = getattr(datasets, f"load_{name}")()
        if name == "digits":
            image = (loaded.images[..., None] / 16).astype("float32")
            self._values = {"image": image, "target": loaded.target}
        else:
            self._values = {name: loaded.data[:, i] for i, name in enumerate(columns) if name != "target"}
            self._values["target"] = loaded.target

    def __len__(self) -> int:
        return len(self._values["target"])

    def read(self, column: str, rows: Rows) -> Values:
        values: Values = self._values[column][rows]
        return values

    def where(self, column: str, row: int) -> str:
        return f"{self._name}, row {row}, column `{column}`"
