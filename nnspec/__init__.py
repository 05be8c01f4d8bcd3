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
    from nnspec.packaging.writing import write_package as package
    from nnspec.reports import write_report as report
    from nnspec.runtime.exporting import export_run as export
    from nnspec.runtime.generator import Generated, Generator
    from nnspec.runtime.predicting import predict_file, predict_run
    from nnspec.runtime.predictor import Predictor
    from nnspec.runtime.sampler import Sampler
    from nnspec.serving.server import serve
    from nnspec.spec import Spec, load
    from nnspec.sweeping.study import sweep
    from nnspec.training import Run, crossval, evaluate, resume, train

__version__ = "0.1.0"

# Each public name with where it stands; a module is imported when a name of it is first used.
_PUBLIC = {
    "Diagnostic": "nnspec.diagnostics:Diagnostic",
    "Generated": "nnspec.runtime.generator:Generated",
    "Generator": "nnspec.runtime.generator:Generator",
    "Graph": "nnspec.graph:Graph",
    "Model": "nnspec.graph:Model",
    "NnspecError": "nnspec.diagnostics:NnspecError",
    "Predictor": "nnspec.runtime.predictor:Predictor",
    "Run": "nnspec.training:Run",
    "Sampler": "nnspec.runtime.sampler:Sampler",
    "Spec": "nnspec.spec:Spec",
    "SpecError": "nnspec.diagnostics:SpecError",
    "build": "nnspec.api:build",
    "compile": "nnspec.graph:compile",
    "convolutionalize": "nnspec.api:convolutionalize",
    "crossval": "nnspec.training:crossval",
    "diff": "nnspec.api:diff",
    "evaluate": "nnspec.training:evaluate",
    "explain": "nnspec.api:explain",
    "export": "nnspec.runtime.exporting:export_run",
    "from_keras": "nnspec.api:from_keras",
    "inspect": "nnspec.api:inspect",
    "load": "nnspec.spec:load",
    "package": "nnspec.packaging.writing:write_package",
    "predict_file": "nnspec.runtime.predicting:predict_file",
    "predict_run": "nnspec.runtime.predicting:predict_run",
    "report": "nnspec.reports:write_report",
    "resume": "nnspec.training:resume",
    "schema": "nnspec.json_schema:schema",
    "serve": "nnspec.serving.server:serve",
    "sweep": "nnspec.sweeping.study:sweep",
    "to_keras": "nnspec.api:to_keras",
    "to_onnx": "nnspec.api:to_onnx",
    "train": "nnspec.training:train",
    "validate": "nnspec.api:validate",
}

__all__ = [
    "Diagnostic",
    "Generated",
    "Generator",
    "Graph",
    "Model",
    "NnspecError",
    "Predictor",
    "Run",
    "Sampler",
    "Spec",
    "SpecError",
    "__version__",
    "build",
    "compile",
    "convolutionalize",
    "crossval",
    "diff",
    "evaluate",
    "explain",
    "export",
    "from_keras",
    "inspect",
    "load",
    "package",
    "predict_file",
    "predict_run",
    "report",
    "resume",
    "schema",
    "serve",
    "sweep",
    "to_keras",
    "to_onnx",
    "train",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        module, _, own = _PUBLIC[name].partition(":")
        return getattr(import_module(module), own)
    raise AttributeError(f"module 'nnspec' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
