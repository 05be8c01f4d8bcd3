"""JSON Schemas of the requests and responses of one model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nnspec.runtime.neighbors import INDICES, SIMILARITY
from nnspec.runtime.ports import Port
from nnspec.runtime.predictor import Predictor
from nnspec.serving.generate_routes import samples_of
from nnspec.serving.request_decoder import RequestDecoder
from nnspec.serving.served import PLATFORM, Served
from nnspec.serving.tensors import DATATYPES, protocol_shape

Json = dict[str, Any]

_IMAGE_FILE: Json = {
    "type": "string",
    "contentEncoding": "base64",
    "contentMediaType": "image/png",
    "description": "a PNG or JPEG file in base64",
}
_BOX: Json = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 4,
    "maxItems": 4,
    "description": "x1 y1 x2 y2 in pixels of the image that was sent, x to the right and y down",
}
_NUMBER: Json = {"type": ["number", "null"], "description": "null for NaN and infinity, which JSON cannot represent"}


def object_of(properties: Mapping[str, Json], *, required: Iterable[str] | None = None) -> Json:
    """The schema of an object; all properties are required unless stated otherwise.

    Example:
        >>> object_of({"error": {"type": "string"}})["required"]
        ['error']
    """
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties if required is None else required),
    }


def row_schema(decoder: RequestDecoder, *, examples: bool = False) -> Json:
    """The schema of a row of data.

    Args:
        decoder: The request decoder of the model.
        examples: Whether the row is an example of the file, in which an image is a PNG in base64.
    """
    columns = {name: _value(decoder, column, examples=examples) for name, column in decoder.columns.items()}
    return object_of(columns)


def _value(decoder: RequestDecoder, column: Mapping[str, Any], *, examples: bool) -> Json:
    if decoder.kind == "image" or column["kind"] == "image":
        if examples:
            return _IMAGE_FILE
        sizes = [column["height"], column["width"], column["channels"]] if column["kind"] == "image" else column["shape"]
        return {"anyOf": [_IMAGE_FILE, _nested(sizes, {"type": "number"})]}
    if column["kind"] == "boxes":
        return {"type": "array", "items": _BOX, **({"maxItems": column["most"]} if column["most"] else {})}
    kinds: dict[str, Json] = {"number": {"type": "number"}, "text": {"type": "string"}}
    if column["kind"] == "choice":
        return {"enum": [*column["choices"], *([None] if column["may_miss"] else [])]}
    if column["kind"] == "numbers":
        return _nested(column["shape"], {"type": "number"})
    schema = kinds[column["kind"]]
    return {"type": [schema["type"], "null"]} if column["may_miss"] else schema


def prediction_schema(served: Served) -> Json:
    """The schema of a response to ``/predict``."""
    decoder = served.request_decoder
    if decoder is not None and decoder.decoder is not None:
        row: Json = {"type": "object"}
    else:
        row = _prediction(served)
    predictions = {"type": "array", "items": row}
    return object_of({"model": {"const": served.name}, "version": {"type": "string"}, "predictions": predictions})


def _prediction(served: Served) -> Json:
    """The schema of a prediction: each output, and the class or text that is predicted from it."""
    predictor = served.predictor
    properties: dict[str, Json] = {}
    required: list[str] = []
    if predictor.knowledge is not None:
        properties["neighbors"] = {"type": "array", "items": object_of({"row": {"type": "integer"}, "similarity": _NUMBER})}
        required.append("neighbors")
    if predictor.detector is not None:
        properties["detections"] = {"type": "array", "items": _detection(predictor)}
        required.append("detections")
    for name, port in predictor.outputs.items():
        if predictor.detector is not None and name in predictor.detector.outputs:
            continue
        if predictor.knowledge is not None and name in (INDICES, SIMILARITY):
            continue
        names = predictor.classes.get(name)
        properties[f"{name}_class"] = {"type": "integer"} if not names else {"type": ["string", "integer"], "examples": names}
        properties[f"{name}_text"] = {"type": "string"}
        properties[name] = _nested(port.shape[1:], _element(port))
        required.append(name)
    return object_of(properties, required=required)


def _detection(predictor: Predictor) -> Json:
    """The schema of an object that a detector finds."""
    assert predictor.detector is not None
    names = predictor.classes.get(predictor.detector.classes)
    kind: Json = {"type": "integer"} if not names else {"type": ["string", "integer"], "examples": names}
    return object_of({"class": kind, "score": {"type": "number"}, "box": _BOX})


def _element(port: Port) -> Json:
    kind = DATATYPES.get(port.dtype, "")
    if kind == "BOOL":
        return {"type": "boolean"}
    return {"type": "integer"} if "INT" in kind else _NUMBER


def _nested(shape: Sequence[int | str | None], element: Json) -> Json:
    """The schema of nested lists of a shape."""
    schema = element
    for size in reversed(shape):
        exact = {"minItems": size, "maxItems": size} if isinstance(size, int) else {}
        schema = {"type": "array", "items": schema, **exact}
    return schema


def description_schema() -> Json:
    """The schema of the description of a model's inputs."""
    column = object_of(
        {
            "name": {"type": "string"},
            "kind": {"enum": ["number", "numbers", "text", "choice", "image", "boxes"]},
            "may_miss": {"type": "boolean"},
            "height": {"type": ["integer", "null"]},
            "width": {"type": ["integer", "null"]},
            "channels": {"type": ["integer", "null"]},
            "of": {"type": "string", "description": "the column of the image that boxes belong to"},
            "most": {"type": ["integer", "null"], "description": "the maximum number of boxes"},
            "choices": {"type": "array"},
            "shape": {"type": "array", "items": {"type": ["integer", "null"]}},
        },
        required=["name", "kind", "may_miss"],
    )
    answer = object_of({"kind": {"enum": ["class", "yes_or_no", "number"]}, "above": {"type": "number"}})
    return object_of(
        {
            "model": {"type": "string"},
            "version": {"type": "string"},
            "takes": {"enum": ["image", "text", "row", None]},
            "columns": {"type": "array", "items": column},
            "classes": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
            "answers": {"type": "object", "additionalProperties": answer},
            "examples": {"type": "integer"},
            "detects": {"type": "boolean"},
        },
        required=["model", "version", "takes", "classes", "answers", "examples"],
    )


def metadata_schema(served: Served) -> Json:
    """The schema of the protocol's metadata of a model."""
    tensors = [
        {
            "type": "array",
            "items": object_of(
                {
                    "name": {"enum": list(ports)},
                    "datatype": {"type": "string"},
                    "shape": {"type": "array", "items": {"type": "integer"}},
                }
            ),
        }
        for ports in (served.predictor.inputs, served.predictor.outputs)
    ]
    return object_of(
        {
            "name": {"const": served.name},
            "platform": {"const": PLATFORM},
            "inputs": tensors[0],
            "outputs": tensors[1],
            "versions": {"type": "array", "items": {"type": "string"}},
        }
    )


def infer_request(served: Served) -> Json:
    """The schema of the protocol's request."""
    inputs = [_tensor(port) for port in served.predictor.inputs.values()]
    parameters: Json = {"type": "object"}
    output = object_of({"name": {"enum": list(served.predictor.outputs)}, "parameters": parameters}, required=["name"])
    properties: dict[str, Json] = {
        "id": {"type": "string"},
        "parameters": parameters,
        "inputs": {
            "type": "array",
            "items": {"anyOf": inputs},
            "minItems": len(inputs),
            "maxItems": len(inputs),
            "allOf": [
                {"contains": {"properties": {"name": {"const": name}}, "required": ["name"]}}
                for name in served.predictor.inputs
            ],
        },
        "outputs": {"type": "array", "items": output},
    }
    return object_of(properties, required=["inputs"])


def infer_response(served: Served) -> Json:
    """The schema of the protocol's response."""
    outputs = [_tensor(port, is_sent=False) for port in served.predictor.outputs.values()]
    return object_of(
        {
            "model_name": {"const": served.name},
            "model_version": {"type": "string"},
            "id": {"type": "string"},
            "outputs": {"type": "array", "items": {"anyOf": outputs}},
        }
    )


def preprocess_response(served: Served) -> Json:
    """The schema of a response to ``/preprocess``."""
    inputs = [_tensor(port, is_sent=False) for port in served.predictor.inputs.values()]
    return object_of({"inputs": {"type": "array", "items": {"anyOf": inputs}}})


def _tensor(port: Port, *, is_sent: bool = True) -> Json:
    """The schema of a tensor; its data are flat or nested lists. In a response, they may follow the JSON in binary."""
    sizes: list[Json] = [{"type": "integer", "minimum": 0} if size < 0 else {"const": size} for size in protocol_shape(port)]
    shape: Json = {"type": "array", "items": {"type": "integer"}, "minItems": len(sizes), "maxItems": len(sizes)}
    if is_sent and sizes:
        shape = {**shape, "prefixItems": sizes}
    return object_of(
        {
            "name": {"const": port.name},
            "datatype": {"const": DATATYPES[port.dtype]},
            "shape": shape,
            "data": {"type": "array"},
            "parameters": {"type": "object"},
        },
        required=["name", "datatype", "shape", *(["data"] if is_sent else [])],
    )


def samples_schema(served: Served) -> Json:
    """The schema of a response to ``/generate``."""
    samples = samples_of(served.predictor)
    assert samples is not None
    shape = served.predictor.outputs[samples.output].shape[1:]
    return object_of(
        {
            "model": {"const": served.name},
            "version": {"type": "string"},
            "seed": {"type": "integer"},
            "conditions": {"type": "object"},
            "samples": {"type": "array", "items": _nested(shape, _NUMBER)},
        },
        required=["model", "version", "seed", "samples"],
    )
