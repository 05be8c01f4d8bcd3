"""Execution of the parts of a tutorial script that build its model: nothing is downloaded and nothing trained."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

__all__ = ["defined", "without_data"]


class Skipped(Exception):
    """Raised in place of a download or a training."""


def defined(
    script: Path, *, until: str = "", fixed: Mapping[str, Any] | None = None, edits: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the names that a script defines, statement by statement; a statement that fails is left out.

    The reasons of failures are in ``__failed__``, by the names that were not defined.

    Args:
        script: The script, written for ``keras_core``.
        until: The name after which the rest is not run, save what is added to it.
        fixed: Values of names that the script would read from data, or that make its model smaller.
        edits: Texts that take the place of others: sizes that the script would read from data.
    """
    text = script.read_text().replace("keras_core", "keras").replace("keras_nlp", "keras_hub")
    for old, new in (edits or {}).items():
        assert old in text, f"`{old}` is not in {script.name}"
        text = text.replace(old, new)
    names: dict[str, Any] = {"__name__": script.stem, "__failed__": {}, **(fixed or {})}
    with without_data():
        statements = ast.parse(text).body
        added = [number for number, one in enumerate(statements) if f"{until}.add(" in ast.unparse(one)] if until else []
        for number, statement in enumerate(statements):
            _run(statement, script, names)
            names.update(fixed or {})
            if until and until in names and number >= max(added, default=0):
                break
    return names


def _run(statement: ast.stmt, script: Path, names: dict[str, Any]) -> None:
    code = compile(ast.Module([statement], []), str(script), "exec")
    try:
        exec(code, names)
    except ImportError:
        for alias in getattr(statement, "names", []):
            names[(alias.asname or alias.name).partition(".")[0]] = MagicMock()
    except Exception as error:  # what reads data fails; what needs its result fails too, and whether the model does
        for name in _assigned(statement):
            names.pop(name, None)
            names["__failed__"][name] = error


def _assigned(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    found = ast.walk(statement) if isinstance(statement, ast.Assign | ast.With | ast.For) else ()
    return {node.id for node in found if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def without_data() -> Any:
    import keras

    def skipped(*args: Any, **kwargs: Any) -> Any:
        raise Skipped

    stack = ExitStack()
    for holder, attributes in (
        (keras.Model, ("fit", "evaluate", "predict", "summary", "load_weights", "save")),
        (keras.utils, ("get_file", "plot_model", "image_dataset_from_directory", "load_img")),
        *(
            (getattr(keras.datasets, name), ("load_data",))
            for name in ("mnist", "fashion_mnist", "cifar10", "cifar100", "imdb")
        ),
    ):
        for attribute in attributes:
            stack.enter_context(patch.object(holder, attribute, skipped))
    applications = [name for name in dir(keras.applications) if name[0].isupper()]
    for name in applications:
        stack.enter_context(patch.object(keras.applications, name, _random(getattr(keras.applications, name))))
        for module in vars(keras.applications).values():
            if hasattr(module, name):
                stack.enter_context(patch.object(module, name, _random(getattr(module, name))))
    return stack


def _random(build: Any) -> Any:
    """Let a model of ``keras.applications`` have random weights."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return build(*args, **{**kwargs, "weights": None})

    return call
