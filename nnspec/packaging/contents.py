"""The contents of a package: a verified model, from a run or a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.diagnostics import NnspecError
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.reading import read_model
from nnspec.runtime.seal import require_proven
from nnspec.serving.served import default_name, is_batchable

if TYPE_CHECKING:
    from nnspec.training.run.folder import Run

FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
"""Names that a package uses in paths and in the Dockerfile: those in a model file may contain anything."""


@dataclass(frozen=True)
class Contents:
    """The contents of a package.

    Attributes:
        name: The name of the model.
        model: The ONNX file's bytes.
        predictor: The model, ready to predict.
        run: The run of the model; None for a file.
        license: The license, as an SPDX identifier; None if not stated.
    """

    name: str
    model: bytes
    predictor: Predictor
    run: Run | None
    license: str | None

    @property
    def joins(self) -> bool:
        """Whether requests may be batched."""
        return is_batchable(self.predictor.inputs, self.predictor.outputs)


def read_contents(path: Path, scratch: Path, *, license: str | None = None) -> Contents:
    """The contents of a package.

    Args:
        path: A run folder, which is exported, or an ONNX file with a parity record.
        scratch: A folder for the exported file.
        license: The license, as an SPDX identifier.

    Raises:
        NnspecError: If it is neither, the model is not verified, or its name cannot be the name of a folder.
    """
    run = None
    if path.is_dir():
        from nnspec.exporting.runs import export_run
        from nnspec.training.run.folder import Run

        run = Run.open(path)
        file = scratch / "model.onnx"
        export_run(path, file)
    elif path.suffix == ".onnx" or path.is_file():
        file = path
    else:
        raise NnspecError(f"`{path}` is neither a run folder nor an .onnx file")
    content = read_model(file)
    predictor = Predictor(file, content=content)
    require_proven(content, predictor.metadata, f"`{path}`")
    name = run.name if run else default_name(path, content)
    if not FILE_NAME.fullmatch(name):
        help = "use letters, digits, hyphens and underscores in `name` of the spec, or in the name of a file of another source"
        raise NnspecError(f"the name of the model, `{name[:100]}`, cannot be the name of a folder\n  = help: {help}")
    return Contents(name, content, predictor, run, license)
