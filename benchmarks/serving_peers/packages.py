"""Whether Triton, KServe and Kubeflow take what ``nnspec package`` writes: by their own definitions, in an environment of their own.

    python -m benchmarks serving packages FOLDER         # a config.pbtxt for every spec, an InferenceService, and a TrainJob
    clients/bin/python benchmarks/serving_peers/packages.py FOLDER [CRD.yaml…]

``config.pbtxt`` is parsed into Triton's ``ModelConfig`` by protobuf's ``text_format`` (of tritonclient); the service is held
against the schema of KServe's custom resource, ``config/crd/full/serving.kserve.io_inferenceservices.yaml`` of its repository, and
the job against that of Kubeflow Trainer, ``manifests/base/crds/trainer.kubeflow.org_trainjobs.yaml`` of its own.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import yaml


def triton_configs(folder: Path) -> None:
    from google.protobuf import text_format

    # Of the package, the one module: its __init__ wants gRPC.
    [place] = importlib.util.find_spec("tritonclient").submodule_search_locations
    spec = importlib.util.spec_from_file_location("model_config_pb2", Path(place) / "grpc" / "model_config_pb2.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    files = sorted(folder.rglob("config.pbtxt"))
    for file in files:
        config = text_format.Parse(file.read_text(), module.ModelConfig())
        assert config.name == file.parent.name and config.input and config.output, file
        assert config.backend == "onnxruntime"
        assert bool(config.max_batch_size) == config.HasField("dynamic_batching"), file
    print(f"{len(files)} config.pbtxt parse into Triton's ModelConfig: {', '.join(file.parent.name for file in files)}")


def custom_resource(folder: Path, definition: Path) -> None:
    """Hold the file of a custom resource against its definition, and the same with a misspelt key."""
    import jsonschema

    told = yaml.safe_load(definition.read_text())["spec"]
    kind = told["names"]["kind"]
    made = yaml.safe_load((folder / f"{kind.lower()}.yaml").read_text())
    [version] = [one for one in told["versions"] if made["apiVersion"] == f"{told['group']}/{one['name']}"]
    closed = _closed(version["schema"]["openAPIV3Schema"])
    jsonschema.validate({name: part for name, part in made.items() if name != "metadata"}, closed)
    inner = made["spec"]["predictor"]["model"] if kind == "InferenceService" else made["spec"]["trainer"]
    inner["storageUrl"] = "misspelt"
    try:
        jsonschema.validate({name: part for name, part in made.items() if name != "metadata"}, closed)
    except jsonschema.ValidationError:
        print(f"the {kind} fits the schema of its custom resource, in which a misspelt key does not")
    else:
        raise AssertionError("the schema takes anything")


def _closed(schema: dict) -> dict:
    """The schema with no keys but those it names: a cluster drops the others without a word."""
    if isinstance(schema, dict):
        for value in list(schema.values()):
            _closed(value)
        is_object = isinstance(schema.get("properties"), dict) and "type" in schema
        if is_object and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    elif isinstance(schema, list):
        for value in schema:
            _closed(value)
    return schema


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for definition in sys.argv[2:]:
        custom_resource(folder, Path(definition))
    triton_configs(folder)
