"""Drafts a spec from a table: one network input for all numbers, and one for each category and text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from nnspec.diagnostics import NnspecError
from nnspec.drafting.columns import ColumnFacts, column_facts
from nnspec.drafting.draft import TARGET, Draft, Names, Seen, counted, header, model_name, user_error
from nnspec.drafting.table_sample import TableSample, Value, main_argument, opened, read_sample
from nnspec.drafting.target import Target, Task, choose_target
from nnspec.drafting.training import Training
from nnspec.drafting.yaml_text import can_be_written, entry, literal
from nnspec.printable import on_one_line

_ONE_HOT = 12
"""A category with at most as many values is encoded by one number for each; others are embedded."""
_MOST_LISTED = 20
"""At most as many classes of a target are listed."""
_ROWS_TO_LEARN = 20
_FREQUENT = 30
_LONGEST_TEXT = 400
_LARGEST_VOCABULARY = 20_000

Role = Literal["number", "one_hot", "embedding", "text"]


@dataclass(frozen=True)
class _Input:
    """One column that the network reads."""

    facts: ColumnFacts
    role: Role
    name: str


def draft_table(
    path: Path,
    written: str,
    reader: str,
    *,
    target: str | None,
    task: Task | None,
    name: str = "",
    splits: Mapping[str, str] | None = None,
) -> Draft:
    """Draft a spec from a table.

    Args:
        path: The file, or a folder of texts.
        written: Its path as the spec writes it.
        reader: The reader that reads it.
        target: The column to predict; None to choose one.
        task: How to predict it; None to choose.
        name: What the model is named after; by default the file.
        splits: The files of the other splits, as the spec writes them; those without the target are not used.

    Raises:
        NnspecError: If the file cannot be read, or has no column that can be predicted.
    """
    with user_error():
        sample = read_sample(path, reader)
        facts = {column: column_facts(column, values) for column, values in sample.columns.items()}
        chosen = choose_target(facts, target, task)
        parts = {
            part: text
            for part, text in (splits or {}).items()
            if _has(path.parent / Path(text).name, sample, chosen.facts.name)
        }
    return _TableDraft(name or path.name.partition(".")[0], written, parts, sample, facts, chosen).draft()


def _has(path: Path, sample: TableSample, column: str) -> bool:
    """Whether another file of the same kind has a column."""
    main = main_argument(sample.reader)
    return column in opened(sample.reader, {main: path.name, **sample.arguments}).columns({main: path})


class _TableDraft:
    def __init__(
        self,
        name: str,
        written: str,
        parts: Mapping[str, str],
        sample: TableSample,
        facts: Mapping[str, ColumnFacts],
        target: Target,
    ) -> None:
        self._name, self._written, self._parts = name, written, parts
        self._sample, self._target = sample, target
        self._left_out: dict[str, str] = {name: f"it {reason}" for name, reason in sample.refused.items()}
        self._inputs: list[_Input] = []
        self._facts = facts
        self._group = next((column for column in facts.values() if self._is_group(column)), None)
        self._time = (
            None if self._group else next((each for each in facts.values() if each.kind == "date" and each.ordered), None)
        )
        names = Names()
        self._output = names.of(target.facts.name, "target")
        self._numbers = names.of("numbers")
        for column in facts.values():
            if column is not target.facts:
                self._add(column, names)

    def _is_group(self, column: ColumnFacts) -> bool:
        return column.names_rows and column.missing == 0 and column is not self._target.facts and len(column.counts) >= 10

    def _add(self, column: ColumnFacts, names: Names) -> None:
        reason = self._reason_to_leave_out(column)
        if reason:
            self._left_out[column.name] = reason
            return
        role: Role = "number"
        if column.kind == "text":
            role = "text"
        elif column.kind == "category":
            # Rows that were not read may have further values; one number for each frequent value fits all.
            role = "one_hot" if len(column.counts) <= _ONE_HOT or not self._sample.is_complete else "embedding"
        self._inputs.append(_Input(column, role, names.of(column.name)))

    def _reason_to_leave_out(self, column: ColumnFacts) -> str:
        if not can_be_written(column.name):
            return "its name has `${`, which begins an expression in a spec"
        if column is self._group:
            return "groups the rows: those of one value stay in one split"
        if column is self._time:
            return "orders the rows: the latest are held out"
        if column.kind == "text" and column.missing > 0.5 * column.rows:
            return "mostly missing"
        reasons = {
            "empty": "no values",
            "constant": "the same value in every row",
            "date": "a date is no number; add a column such as the weekday or an age",
            "identifier": f"its {len(column.counts):,} values hardly repeat",
        }
        if column.kind == "identifier" and len(column.counts) == column.rows - column.missing:
            return "each row has its own value"
        if column.names_rows:
            return "an ID by its name"
        if column.kind in reasons:
            return reasons[column.kind]
        if column.is_too_large:
            return "infinite values, or values beyond 1e150, cannot be standardized"
        return self._copy(column)

    def _copy(self, column: ColumnFacts) -> str:
        """Why a column gives the target away; empty if it does not."""
        target = self._target.facts
        own, wanted = self._sample.columns[column.name], self._sample.columns[target.name]
        if self._target.classes and 2 <= len(column.counts) == len(target.counts):
            pairs = {(_key(one), _key(other)) for one, other in zip(own, wanted, strict=True)}
            if len(pairs) == len(target.counts):
                return f"one to one with the target `{target.name}`"
        if self._target.task == "regression" and column.kind == "number" and _correlation(own, wanted) > 0.99999:
            return f"a multiple of the target `{target.name}`"
        return ""

    def draft(self) -> Draft:
        if not self._inputs:
            raise NnspecError(
                f"{self._name} has no column from which `{self._target.facts.name}` could be predicted\n"
                + "\n".join(f"  = note: `{name}` is left out: {reason}" for name, reason in self._left_out.items())
            )
        name = model_name(self._name)
        rows = counted(self._sample.rows, "row") if self._sample.is_complete else f"the first {self._sample.rows:,} rows"
        source = f"{rows} of {self._written}"
        lines = header(name, f"{source}, {len(self._facts) + len(self._sample.refused)} columns")
        lines += [*self._input_lines(), *self._layer_lines(), *self._data_lines(), *self._training.lines()]
        return Draft("\n".join(lines) + "\n", name, source, [*self._seen()], [*self._decisions()], [*self._doubts()])

    # --- the spec -----------------------------------------------------------------------------------------------------

    def _of(self, role: Role) -> list[_Input]:
        return [each for each in self._inputs if each.role == role]

    @cached_property
    def _training(self) -> Training:
        return Training.for_rows(
            self._sample.rows, self._target, self._output, self._parts, texts=len(self._of("text")), tables=len(self._inputs)
        )

    def _input_lines(self) -> Iterator[str]:
        yield "inputs:"
        if numbers := self._of("number"):
            yield from entry(
                self._numbers, [len(numbers)], 2, f"{counted(len(numbers), 'number')} per row; the batch axis is implied"
            )
        for each in self._of("one_hot"):
            yield from entry(each.name, [len(self._categories(each))], 2)
        for each in self._of("embedding"):
            yield from entry(
                each.name, {"shape": [], "dtype": "int32"}, 2, f"the index of one of {len(each.facts.counts):,} values"
            )
        for each in self._of("text"):
            yield from entry(each.name, {"shape": [self._length(each)], "dtype": "int32"}, 2, "the indices of words")

    def _layer_lines(self) -> Iterator[str]:
        yield "layers:"
        several = len(self._sources) > 1
        parts = [self._numbers] if self._of("number") else []
        parts += [each.name for each in self._of("one_hot")]
        for each in self._of("embedding"):
            size = min(16, round(4 * math.log10(len(each.facts.counts)) + 2))
            yield f"  - Embedding: {{input_dim: {len(each.facts.counts) + 1}, output_dim: {size}}} # the last: unknown"
            yield from self._step_keys(each, several, f"{each.name}_embedding")
            parts.append(f"{each.name}_embedding")
        for each in self._of("text"):
            yield f"  - Embedding: {{input_dim: {self._vocabulary(each)}, output_dim: 32, mask_zero: true}} # 0 is padding"
            yield from self._step_keys(each, several)
            yield f"  - GlobalAveragePooling1D{':' if several else ''} # the mean of the words"
            if several:
                yield f"    name: {each.name}_mean"
            parts.append(f"{each.name}_mean")
        if several:
            yield "  - Concatenate:"
            yield f"    from: [{', '.join(parts)}]"
        yield from self._training.hidden_layers()
        yield from self._training.last_layer()

    @property
    def _sources(self) -> list[_Input | None]:
        """What the network reads; None for all numbers together."""
        return [*([None] if self._of("number") else []), *(each for each in self._inputs if each.role != "number")]

    @staticmethod
    def _step_keys(each: _Input, several: bool, name: str = "") -> Iterator[str]:
        if several:
            yield from ([f"    name: {name}"] if name else [])
            yield f"    from: {each.name}"

    def _data_lines(self) -> Iterator[str]:
        yield "data:"
        arguments = {**self._sample.arguments}
        if "names" in arguments:
            arguments["names"] = [literal(name) for name in arguments["names"]]
        yield from self._split("train", self._written, arguments)
        for part in ("validation", "test"):
            if part in self._parts:
                yield from self._split(part, self._parts[part], arguments)
            else:
                yield from self._training.split(part)
        if self._group is not None:
            yield from entry("group", literal(self._group.name), 2, "all rows of a value are in the same split")
        if self._time is not None:
            yield from entry("time", literal(self._time.name), 2, "the latest rows are held out")
        yield "  inputs:"
        if numbers := self._of("number"):
            fill = [{"impute": "median"}] if any(each.facts.missing for each in numbers) else []
            columns = [literal(each.facts.name) for each in numbers]
            yield from entry(self._numbers, {"columns": columns, "transform": [*fill, "standardize"]}, 4)
        for each in (*self._of("one_hot"), *self._of("embedding"), *self._of("text")):
            yield from entry(each.name, {"column": literal(each.facts.name), "transform": self._transforms(each)}, 4)
        yield "  targets:"
        yield from self._target_lines()
        if self._left_out:
            yield "  # Left out:"
            for name, reason in self._left_out.items():
                yield f"  #   {on_one_line(name)}: {on_one_line(reason)}"

    def _split(self, part: str, written: str, arguments: Mapping[str, Any]) -> list[str]:
        return entry(
            part, {self._sample.reader: {main_argument(self._sample.reader): written, **arguments} if arguments else written}, 2
        )

    def _target_lines(self) -> Iterator[str]:
        column = literal(self._target.facts.name)
        transforms = self._target_transforms()
        if transforms:
            yield from entry(self._output, {"column": column, "transform": transforms}, 4)
        else:
            yield from entry(self._output, {"column": column}, 4)

    def _target_transforms(self) -> list[Any]:
        if self._target.task == "regression":
            return ["standardize"]
        classes = list(self._target.classes)
        if classes == list(range(len(classes))):
            return []
        writable = all(
            (isinstance(name, int) and abs(name) < 2**53) or (isinstance(name, str) and can_be_written(name))
            for name in classes
        )
        # A rare class may have no training row, so that it is known only if it is listed.
        if not writable or (len(classes) > _MOST_LISTED and self._target.rarest[1] >= _ROWS_TO_LEARN):
            return ["label_encode"]
        return [{"label_encode": {"classes": [literal(name) if isinstance(name, str) else name for name in classes]}}]

    def _categories(self, each: _Input) -> list[str]:
        """The values of a category that have a number of their own, sorted."""
        known = [str(value) for value, _ in each.facts.counts.most_common(_FREQUENT) if can_be_written(str(value))]
        return sorted(known)

    def _transforms(self, each: _Input) -> list[Any]:
        if each.role == "one_hot":
            return [{"one_hot": {"classes": [literal(value) for value in self._categories(each)], "unknown": True}}]
        if each.role == "embedding":
            return [{"label_encode": {"unknown": True}}]
        fill = [{"impute": "most_frequent"}] if each.facts.missing else []
        return [*fill, {"tokenize": {"lower": True, "size": self._vocabulary(each)}}, {"pad": self._length(each)}]

    @staticmethod
    def _length(each: _Input) -> int:
        return min(_LONGEST_TEXT, -(-(each.facts.words + each.facts.words // 4) // 10) * 10)

    @staticmethod
    def _vocabulary(each: _Input) -> int:
        return min(_LARGEST_VOCABULARY, max(100, -(-(each.facts.vocabulary + 4) // 100) * 100))

    # --- the report ---------------------------------------------------------------------------------------------------

    def _seen(self) -> Iterator[Seen]:
        roles = {each.facts.name: each for each in self._inputs}
        for column in self._facts.values():
            kind = "number" if column.kind == "identifier" and column is self._target.facts else column.kind
            if column is self._target.facts:
                use = TARGET
            elif column.name in roles:
                use = self._use(roles[column.name])
            else:
                yield Seen(column.name, kind, column.shown, column.missing, self._left_out[column.name], used=False)
                continue
            yield Seen(column.name, kind, column.shown, column.missing, use)
        for name, reason in self._sample.refused.items():
            yield Seen(name, "list", "", 0, f"it {reason}", used=False)

    def _use(self, each: _Input) -> str:
        if each.role == "number":
            return "standardized, median if missing" if each.facts.missing else "standardized"
        if each.role == "one_hot":
            return "one-hot" + (", zeros if missing" if each.facts.missing else "")
        if each.role == "embedding":
            return "embedding"
        return f"words, the first {self._length(each)}"

    def _decisions(self) -> Iterator[str]:
        target = self._target
        yield f"The target is `{target.facts.name}`: {target.why}."
        if target.task == "classification":
            yield f"It is classified, since {target.reason}: {_classes_text(target.classes)}."
        else:
            yield f"It is predicted as a number, since {target.reason}, {target.facts.shown}."
        yield from self._training.decisions()
        if self._group is not None:
            yield f"Rows with the same `{self._group.name}` stay in one split, so that no test row has a relative in training."
        if self._time is not None:
            yield f"The rows are ordered by `{self._time.name}`, so the latest are held out rather than random ones."

    def _doubts(self) -> Iterator[str]:
        target = self._target
        if not self._sample.is_complete:
            yield f"Only the first {self._sample.rows:,} rows were read; `nnspec validate --data` checks all."
        yield from self._training.doubts()
        for column in self._facts.values():
            if column is not target.facts and column.missing > 0.5 * column.rows and column.kind not in ("empty", "constant"):
                yield f"`{column.name}` is missing in {100 * column.missing / column.rows:.0f} % of the rows."


def _key(value: Value) -> object:
    return tuple(value) if isinstance(value, list) else value


def _correlation(own: Sequence[Value], wanted: Sequence[Value]) -> float:
    """The absolute correlation of two columns of numbers, where both are present."""
    pairs = [(a, b) for a, b in zip(own, wanted, strict=True) if isinstance(a, float) and isinstance(b, float)]
    if len(pairs) < 3:
        return 0.0
    import numpy as np

    with np.errstate(all="ignore"):  # constant or huge values
        return float(np.nan_to_num(abs(np.corrcoef(np.transpose(pairs))[0, 1])))


def _classes_text(classes: Mapping[str | int | float, int]) -> str:
    largest = sorted(classes.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{name} {count:,}" for name, count in largest[:6])
    return shown + (f", and {len(classes) - 6} more" if len(classes) > 6 else "")
