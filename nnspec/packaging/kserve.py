"""An ``InferenceService`` for KServe, and its storage: a Triton repository.

Source: KServe, ``serving.kserve.io/v1beta1``.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from nnspec.diagnostics import NnspecError
from nnspec.packaging.contents import Contents
from nnspec.packaging.kubernetes import object_name
from nnspec.packaging.triton import repository

_URI = re.compile(r"[a-z][a-z0-9+.-]*://\S+")
_MEMORY_MIB = 1024
"""The approximate memory of Triton itself."""


def storage(contents: Contents, uri: str) -> dict[str, bytes]:
    """The service and, under ``storage/``, the files for its ``storageUri``.

    Args:
        contents: The contents of the package.
        uri: The URI of the storage: ``s3://models/digits``, ``pvc://models/digits``.

    Raises:
        NnspecError: If it is not a URI.
    """
    files = {f"storage/{path}": content for path, content in repository(contents).items()}
    return {"inferenceservice.yaml": service(contents, uri).encode(), **files}


def service(contents: Contents, uri: str) -> str:
    """The service as YAML.

    Args:
        contents: The contents of the package.
        uri: The URI of the storage.
    """
    if not _URI.fullmatch(uri):
        raise NnspecError(f"`{uri}` is not a storage URI\n  = help: use a URI such as s3://models/{contents.name}")
    memory = f"{_MEMORY_MIB + 4 * -(-len(contents.model) // 2**20)}Mi"
    made: dict[str, Any] = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": object_name(contents.name),
            "annotations": {"nnspec/spec-hash": contents.predictor.hash or "unknown"},
        },
        "spec": {
            "predictor": {
                "model": {
                    "modelFormat": {"name": "onnx"},
                    "protocolVersion": "v2",
                    "storageUri": uri,
                    "resources": {"requests": {"cpu": "1", "memory": memory}, "limits": {"cpu": "2", "memory": memory}},
                }
            }
        },
    }
    return yaml.safe_dump(made, sort_keys=False)
