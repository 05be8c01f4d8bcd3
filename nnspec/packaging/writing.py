"""``package`` of a model: writes a folder for a serving engine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from nnspec.diagnostics import NnspecError
from nnspec.packaging.card import card
from nnspec.packaging.contents import read_contents
from nnspec.packaging.docker import image
from nnspec.packaging.folder import check_free, folder_beside, write_folder
from nnspec.packaging.kserve import storage
from nnspec.packaging.triton import repository

Target = Literal["triton", "kserve", "docker"]


def write_package(
    path: str | Path, target: Target, out: str | Path, *, storage_uri: str | None = None, license: str | None = None
) -> list[Path]:
    """Write the files for a serving engine and a model card. The folder is written completely or not at all.

    Args:
        path: A run folder, or an ONNX file that ``nnspec export`` wrote.
        target: ``triton``, ``kserve`` or ``docker``.
        out: The folder; it must not exist, or be empty.
        storage_uri: The URI of the storage, for KServe.
        license: The license for the card, as an SPDX identifier.

    Returns:
        The files.

    Raises:
        NnspecError: If the model is not verified, or the folder cannot be written.
    """
    out = Path(out)
    check_free(out)
    if (storage_uri is not None) != (target == "kserve"):
        raise NnspecError(
            "KServe requires a storage URI\n  = help: add --storage-uri s3://models/NAME"
            if target == "kserve"
            else f"`--storage-uri` is for `--target kserve`; `--target {target}` reads the folder directly"
        )
    with folder_beside(out) as beside:
        contents = read_contents(Path(path), beside, license=license)
        files = (
            storage(contents, storage_uri) if storage_uri else repository(contents) if target == "triton" else image(contents)
        )
        # In a model repository, every entry counts as a model.
        readme = f"{contents.name}/README.md" if target == "triton" else "README.md"
        write_folder(out, beside, {**files, readme: card(contents).encode()})
    return sorted(file for file in out.rglob("*") if file.is_file() and "nnspec" not in file.relative_to(out).parts[:1])
