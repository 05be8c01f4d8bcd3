"""The layers, the splits and the section `train` that suit a number of examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.drafting.target import Target
from nnspec.drafting.yaml_text import commented, entry

_FEW = 50
"""Fewer examples are not divided into three splits."""
_STEPS = 6_000
"""About as many steps, unless early stopping ends the training."""
_MOST_SHOWN = 4


@dataclass(frozen=True)
class Training:
    """How to train.

    Attributes:
        rows: The number of examples.
        target: What is predicted.
        output: The name of the output.
        units: The width of the hidden layers; 0 for none.
        batch_size: The batch size.
        epochs: The number of epochs.
        learning_rate: The learning rate.
        given: The splits that have data of their own.
        pixels: Whether each pixel is classified.
        patience: After how many epochs without a better one the training stops.
    """

    rows: int
    target: Target
    output: str
    units: int
    batch_size: int
    epochs: int
    learning_rate: str
    given: frozenset[str] = frozenset()
    pixels: bool = False
    patience: int = 3

    @classmethod
    def for_rows(cls, rows: int, target: Target, output: str, parts: Mapping[str, str], *, texts: int, tables: int) -> Training:
        """Choose by the number of examples.

        Args:
            rows: The number of examples.
            target: What is predicted.
            output: The name of the output.
            parts: The splits that have a file of their own.
            texts: The number of inputs that are texts.
            tables: The number of columns.
        """
        size = next((size for most, size in ((1_000, 16), (10_000, 32), (50_000, 64)) if rows <= most), 256)
        units = next((units for most, units in ((1_000, 32), (10_000, 64)) if rows <= most), 128)
        epochs = min(200, max(10, int(round(_STEPS * size / max(rows, 1), -1))))
        alone = texts == tables
        epochs = min(epochs, 20 if alone else 60) if texts else epochs
        return cls(
            rows,
            target,
            output,
            0 if alone else units,
            size,
            epochs,
            "3e-3" if rows <= 10_000 else "1e-3",
            frozenset(parts),
            patience=max(3, epochs // 8),
        )

    @classmethod
    def for_images(cls, rows: int, target: Target, output: str, parts: Mapping[str, str], *, pixels: bool = False) -> Training:
        """Choose by the number of images.

        Args:
            rows: The number of training images.
            target: What is predicted.
            output: The name of the output.
            parts: The splits that have a folder of their own.
            pixels: Whether each pixel is classified.
        """
        size = 8 if pixels else 32 if rows <= 10_000 else 64
        epochs = min(60, max(10, round((1_000 if pixels else 1_500) * size / rows)))
        return cls(rows, target, output, 0, size, epochs, "2e-3", frozenset(parts), pixels, max(8, epochs // 4))

    @property
    def validation(self) -> float:
        """The fraction of the training rows that selects the best epoch."""
        return 0.15 if self.rows >= _FEW else 0.2

    @property
    def folds(self) -> int:
        """One of as many folds is held out for the test; 0 for none."""
        return 5 if self.rows >= _FEW and "test" not in self.given else 0

    def split(self, part: str) -> list[str]:
        """The line of the section ``data`` for a split that has no data of its own."""
        if part == "validation":
            return entry(part, self.validation, 2, "of the training data; it selects the best epoch")
        return (
            entry(part, {"fold": {"number": 1, "of": self.folds}}, 2, "held out; `nnspec evaluate` uses it")
            if self.folds
            else []
        )

    def hidden_layers(self) -> Iterator[str]:
        """The lines of the hidden layers."""
        if not self.units:
            yield "  - Dropout: 0.3"
            return
        for _ in range(2):
            yield f"  - Dense: {{units: {self.units}, activation: relu}}"
            yield "  - Dropout: 0.2"

    def last_layer(self) -> Iterator[str]:
        """The lines of the last layer."""
        units, activation, comment = 1, "", ""
        if self.target.is_binary:
            activation, comment = ", activation: sigmoid", f"the probability of {list(self.target.classes)[1]!s:.40}"
        elif self.target.classes:
            units, activation = len(self.target.classes), ", activation: softmax"
            comment = "one probability per class"
        yield from commented(f"  - Dense: {{units: {units}{activation}}}", comment)
        yield f"    name: {self.output}"

    def lines(self) -> Iterator[str]:
        """The section ``train``."""
        yield "train:"
        yield from entry("epochs", self.epochs, 2, "at most: see early_stopping")
        yield from entry("batch_size", self.batch_size, 2)
        yield from entry("seed", 7, 2)
        yield f"  optimizer: {{Adam: {{learning_rate: {self.learning_rate}}}}}"
        yield from entry("loss", {self.output: self.loss}, 2)
        yield from entry("metrics", {self.output: self.metrics}, 2)
        if self.is_balanced:
            yield from entry("class_weight", "balanced", 2, "rare classes count as much as frequent ones")
        yield from entry(
            "early_stopping",
            {"patience": self.patience},
            2,
            "epochs without a lower validation loss; the best weights are kept",
        )

    @property
    def loss(self) -> str:
        if not self.target.classes:
            return "MeanSquaredError"
        return "BinaryCrossentropy" if self.target.is_binary else "SparseCategoricalCrossentropy"

    @property
    def metrics(self) -> list[Any]:
        if not self.target.classes:
            return ["MeanAbsoluteError"]
        if self.pixels:
            if self.target.is_binary:
                return ["BinaryDice", {"BinaryIoU": {"target_class_ids": [1]}}]
            return [{"MeanIoU": {"num_classes": len(self.target.classes), "sparse_y_pred": False}}]
        if self.target.is_binary:
            return ["BinaryAccuracy", *(["AUC"] if self.target.is_unbalanced else [])]
        return ["SparseCategoricalAccuracy"]

    @property
    def is_balanced(self) -> bool:
        return self.target.is_unbalanced and self.target.can_be_balanced and not self.pixels

    def decisions(self) -> Iterator[str]:
        """What was decided for which reason."""
        if self.is_balanced:
            name, count = self.target.rarest
            share = 100 * count / sum(self.target.classes.values())
            yield f"The classes are unbalanced (`{name}` has {share:.1f} %): `class_weight: balanced` weights them equally."
        if self.folds:
            yield f"A fifth of the {self.rows:,} examples is held out for the test."
        if "validation" not in self.given:
            rest = "the rest" if self.folds else f"the {self.rows:,} examples"
            yield f"{100 * self.validation:.0f} % of {rest} are held out for validation, which selects the best epoch."
        if self.rows < _FEW and "test" not in self.given:
            yield f"{self.rows:,} examples are too few for a test split; `nnspec crossval` estimates the error."

    def doubts(self) -> Iterator[str]:
        """What may be wrong with the data."""
        if self.pixels:
            return
        few = [f"`{name}` {count}" for name, count in self.target.classes.items() if count < 10]
        if few:
            more = f", and {len(few) - _MOST_SHOWN} more" if len(few) > _MOST_SHOWN else ""
            yield f"Classes with fewer than 10 rows are hardly learned: {', '.join(few[:_MOST_SHOWN])}{more}."
        if self.target.is_unbalanced and not self.target.can_be_balanced:
            yield "The rarest classes are too rare to be balanced by weights."
        if self.target.is_unbalanced:
            yield "With unbalanced classes, accuracy misleads: look at precision and recall of each class in `nnspec evaluate`."
