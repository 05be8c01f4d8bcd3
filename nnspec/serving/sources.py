"""Which files are served, under which names and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnspec.diagnostics import NnspecError
from nnspec.serving.served import name_of

__all__ = ["Files", "found", "named_sources"]

Files = Mapping[tuple[str, str], Path]
"""The file of each name and version."""

_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")


def named_sources(arguments: Sequence[str]) -> dict[str, Path]:
    """What the arguments of ``serve`` name: a file, or a folder with a folder for each version, by the model's name.

    Args:
        arguments: ``FILE``, ``NAME=FILE``, a folder of versions (``NAME/1/model.onnx``), or a folder of such folders.

    Raises:
        NnspecError: Where there is no model, or two have one name.
    """
    sources: dict[str, Path] = {}
    for argument in arguments:
        for name, path in _of_argument(argument).items():
            if not name or not _ALLOWED.issuperset(name) or name.strip(".") == "":
                raise NnspecError(f"`{name}` is no name for a model: letters, digits, `_`, `-` and `.` make one")
            if name in sources:
                raise NnspecError(
                    f"`{sources[name]}` and `{path}` are both called `{name}`\n  = help: name one, `{name}-2={path}`"
                )
            sources[name] = path
    return sources


def found(sources: Mapping[str, Path]) -> dict[tuple[str, str], Path]:
    """The files there are now: of a folder all its versions."""
    return {(name, version): file for name, path in sources.items() for version, file in _versions(path).items()}


def _of_argument(argument: str) -> dict[str, Path]:
    name, equals, rest = argument.partition("=")
    if equals and not Path(argument).exists():
        path = Path(rest)
        if path.is_dir() and not _versions(path):
            raise NnspecError(f"`{path}` holds no version of a model: `{path}/1/model.onnx` would be one")
        return {name: path}
    path = Path(argument)
    if not path.is_dir():
        return {name_of(path): path}
    if _versions(path):
        return {path.resolve().name: path}
    models = {folder.name: folder for folder in sorted(path.iterdir()) if folder.is_dir() and _versions(folder)}
    if not models:
        raise NnspecError(
            f"`{path}` is a folder, and holds no model: `{path}/NAME/1/model.onnx` would be one\n  = help: name the .onnx file"
        )
    return models


def _versions(path: Path) -> dict[str, Path]:
    """The versions of a model: of a file the first, of a folder those of its folders that are called a whole number."""
    if not path.is_dir():
        return {"1": path}
    folders = [folder for folder in path.iterdir() if folder.name.isdecimal() and (folder / "model.onnx").is_file()]
    return {folder.name: folder / "model.onnx" for folder in sorted(folders, key=lambda folder: int(folder.name))}
