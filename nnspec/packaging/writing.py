"""``package``: writes a folder for a serving engine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

from nnspec.diagnostics import NnspecError
from nnspec.files import is_free
from nnspec.packaging.card import card
from nnspec.packaging.contents import read_contents
from nnspec.packaging.docker import image
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
    if not is_free(out):
        raise NnspecError(f"{out} already exists\n  = help: name a new folder with -o")
    if (storage_uri is not None) != (target == "kserve"):
        raise NnspecError(
            "KServe requires a storage URI\n  = help: add --storage-uri s3://models/NAME"
            if target == "kserve"
            else f"`--storage-uri` is for `--target kserve`; `--target {target}` reads the folder directly"
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as beside:
            contents = read_contents(Path(path), Path(beside), license=license)
            files = (
                storage(contents, storage_uri)
                if storage_uri
                else repository(contents)
                if target == "triton"
                else image(contents)
            )
            whole = Path(beside) / "package"
            # In a model repository, every entry counts as a model.
            readme = f"{contents.name}/README.md" if target == "triton" else "README.md"
            for name, content in {**files, readme: card(contents).encode()}.items():
                (whole / name).parent.mkdir(parents=True, exist_ok=True)
                (whole / name).write_bytes(content)
            if out.is_dir():
                out.rmdir()
            shutil.move(whole, out)
    except OSError as error:
        raise NnspecError(f"cannot write {out}: {error.strerror or error}") from error
    return sorted(file for file in out.rglob("*") if file.is_file() and "nnspec" not in file.relative_to(out).parts[:1])
