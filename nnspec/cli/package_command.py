"""``nnspec package``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.frameworks import load_frameworks
from nnspec.cli.text import echo_path

if TYPE_CHECKING:
    from nnspec.packaging.writing import Target


@click.command("package")
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN|MODEL.onnx")
@click.option("--target", required=True, type=click.Choice(["triton", "kserve", "docker"]), help="What deploys it.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option("--storage-uri", metavar="URI", help="For kserve: where storage/ will be, s3://models/digits.")
@click.option("--license", metavar="SPDX", help="What the model may be used for, for its card: Apache-2.0.")
def command(model: Path, target: Target, out: Path, storage_uri: str | None, license: str | None) -> None:
    """Write what a serving engine deploys, with a model card. A run is exported first, proven equal.

    triton: a model repository. kserve: an InferenceService, and what its storage must hold. docker: what `docker build` makes
    an image of that runs `nnspec serve`, without TensorFlow.

    \b
    nnspec package runs/first --target triton -o repository
    nnspec package first.onnx --target kserve --storage-uri s3://models/first -o kserve
    nnspec package runs/first --target docker -o image --license Apache-2.0
    """
    load_frameworks(*(("train", "export", "serve") if model.is_dir() else ("serve",)))
    from nnspec.packaging.writing import write_package

    for file in write_package(model, target, out, storage_uri=storage_uri, license=license):
        echo_path(file)
