"""The model files to serve, with their names and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnspec.diagnostics import NnspecError
from nnspec.serving.served import default_name

Files = Mapping[tuple[str, str], Path]
"""The file of each name and version."""

_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")


def named_sources(arguments: Sequence[str]) -> dict[str, Path]:
    """Parse the arguments of ``serve`` into a file, or a folder of versions, for each model name.

    Args:
        arguments: ``FILE``, ``NAME=FILE``, a folder of versions (``NAME/1/model.onnx``), or a folder of such folders.

    Raises:
        NnspecError: If there is no model, or two models have the same name.
    """
    sources: dict[str, Path] = {}
    for argument in arguments:
        for name, path in _of_argument(argument).items():
            if not name or not _ALLOWED.issuperset(name) or name.strip(".") == "":
                raise NnspecError(f"invalid model name `{name}`: use letters, digits, `_`, `-`, and `.`")
            if name in sources:
                raise NnspecError(
                    f"`{sources[name]}` and `{path}` are both named `{name}`\n  = help: rename one: `{name}-2={path}`"
                )
            sources[name] = path
    return sources


def find_files(sources: Mapping[str, Path]) -> dict[tuple[str, str], Path]:
    """Find the existing files; for a folder, of all versions."""
    return {(name, version): file for name, path in sources.items() for version, file in _versions(path).items()}


def _of_argument(argument: str) -> dict[str, Path]:
    name, equals, rest = argument.partition("=")
    if equals and not Path(argument).exists():
        path = Path(rest)
        if path.is_dir() and not _versions(path):
            raise NnspecError(f"`{path}` contains no model version; expected a file such as `{path}/1/model.onnx`")
        return {name: path}
    path = Path(argument)
    if not path.is_dir():
        return {default_name(path): path}
    if _versions(path):
        return {path.resolve().name: path}
    models = {folder.name: folder for folder in sorted(path.iterdir()) if folder.is_dir() and _versions(folder)}
    if not models:
        raise NnspecError(
            f"the folder `{path}` contains no model; expected `{path}/NAME/1/model.onnx`\n  = help: pass the .onnx file"
        )
    return models


def _versions(path: Path) -> dict[str, Path]:
    """The versions of a model: 1 for a file, or the subfolders of a folder that are named by an integer."""
    if not path.is_dir():
        return {"1": path}
    folders = [folder for folder in path.iterdir() if folder.name.isdecimal() and (folder / "model.onnx").is_file()]
    return {folder.name: folder / "model.onnx" for folder in sorted(folders, key=lambda folder: int(folder.name))}
