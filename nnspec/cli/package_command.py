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
@click.option("--target", required=True, type=click.Choice(["triton", "kserve", "docker"]), help="Deployment target.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Output folder.")
@click.option(
    "--storage-uri", metavar="URI", help="kserve: URI to which storage/ will be uploaded, such as s3://models/digits."
)
@click.option("--license", metavar="SPDX", help="License for the model card, as an SPDX identifier such as Apache-2.0.")
def command(model: Path, target: Target, out: Path, storage_uri: str | None, license: str | None) -> None:
    """Package a model for deployment, with a model card. A run is exported to ONNX and verified first.

    triton: a model repository. kserve: an InferenceService manifest and the contents of its storage. docker: a build context
    for an image that runs `nnspec serve`, without TensorFlow.

    \b
    Examples:
      nnspec package runs/first --target triton -o repository
      nnspec package first.onnx --target kserve --storage-uri s3://models/first -o kserve
      nnspec package runs/first --target docker -o image --license Apache-2.0
    """
    load_frameworks(*(("train", "export", "serve") if model.is_dir() else ("serve",)))
    from nnspec.packaging.writing import write_package

    for file in write_package(model, target, out, storage_uri=storage_uri, license=license):
        echo_path(file)
