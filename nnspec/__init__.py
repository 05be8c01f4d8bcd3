"""nnspec: the compiler for neural-network specifications.

One YAML file is the model. It is checked without a framework, compiled to a typed graph, and lowered twice: to a Keras
model, which trains, and to an ONNX graph, which serves.

Example:
    >>> import nnspec
    >>> spec = nnspec.load("specs/lenet5.nnspec.yaml")
    >>> nnspec.compile(spec).main.parameters
    61706
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnspec.api import build, convolutionalize, diff, explain, from_keras, inspect, to_keras, to_onnx, validate
    from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
    from nnspec.graph import Graph, Model, compile
    from nnspec.json_schema import schema
    from nnspec.runtime.generator import Generated, Generator
    from nnspec.runtime.predictor import Predictor
    from nnspec.runtime.sampler import Sampler
    from nnspec.spec import Spec, load

__version__ = "0.1.0"

# Each public name with the module that holds it; a module is imported when its name is first used.
_PUBLIC = {
    "Diagnostic": "nnspec.diagnostics",
    "Generated": "nnspec.runtime.generator",
    "Generator": "nnspec.runtime.generator",
    "Graph": "nnspec.graph",
    "Model": "nnspec.graph",
    "NnspecError": "nnspec.diagnostics",
    "Predictor": "nnspec.runtime.predictor",
    "Sampler": "nnspec.runtime.sampler",
    "Spec": "nnspec.spec",
    "SpecError": "nnspec.diagnostics",
    "build": "nnspec.api",
    "compile": "nnspec.graph",
    "convolutionalize": "nnspec.api",
    "diff": "nnspec.api",
    "explain": "nnspec.api",
    "from_keras": "nnspec.api",
    "inspect": "nnspec.api",
    "load": "nnspec.spec",
    "schema": "nnspec.json_schema",
    "to_keras": "nnspec.api",
    "to_onnx": "nnspec.api",
    "validate": "nnspec.api",
}

__all__ = [
    "Diagnostic",
    "Generated",
    "Generator",
    "Graph",
    "Model",
    "NnspecError",
    "Predictor",
    "Sampler",
    "Spec",
    "SpecError",
    "__version__",
    "build",
    "compile",
    "convolutionalize",
    "diff",
    "explain",
    "from_keras",
    "inspect",
    "load",
    "schema",
    "to_keras",
    "to_onnx",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'nnspec' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
