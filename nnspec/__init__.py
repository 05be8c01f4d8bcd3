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
    from nnspec.api import build, convolutionalize, diff, explain, fix, from_keras, inspect, to_keras, to_onnx, validate
    from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
    from nnspec.drafting import draft_spec as draft
    from nnspec.exporting.activations import verify_activations
    from nnspec.exporting.run_models import RunGenerator as Generator
    from nnspec.exporting.run_models import RunSampler as Sampler
    from nnspec.exporting.run_predictions import predict_run
    from nnspec.exporting.runs import export_run as export
    from nnspec.graph import Graph, Model, compile
    from nnspec.json_schema import schema
    from nnspec.packaging.writing import write_package as package
    from nnspec.reports import write_report as report
    from nnspec.runtime.generator import Generated
    from nnspec.runtime.predicting import predict_file
    from nnspec.runtime.predictor import Predictor
    from nnspec.serving.server import serve
    from nnspec.spec import Spec, load
    from nnspec.sweeping.study import sweep
    from nnspec.training import Run, crossval, evaluate, resume, train

__version__ = "0.1.0"

# Each public name with the module that holds it, and its name there where that is another; a module is imported when a name
# of it is first used.
_PUBLIC = {
    "Diagnostic": "nnspec.diagnostics",
    "Generated": "nnspec.runtime.generator",
    "Generator": "nnspec.exporting.run_models:RunGenerator",
    "Graph": "nnspec.graph",
    "Model": "nnspec.graph",
    "NnspecError": "nnspec.diagnostics",
    "Predictor": "nnspec.runtime.predictor",
    "Run": "nnspec.training",
    "Sampler": "nnspec.exporting.run_models:RunSampler",
    "Spec": "nnspec.spec",
    "SpecError": "nnspec.diagnostics",
    "build": "nnspec.api",
    "compile": "nnspec.graph",
    "convolutionalize": "nnspec.api",
    "crossval": "nnspec.training",
    "draft": "nnspec.drafting:draft_spec",
    "diff": "nnspec.api",
    "evaluate": "nnspec.training",
    "explain": "nnspec.api",
    "export": "nnspec.exporting.runs:export_run",
    "fix": "nnspec.api",
    "from_keras": "nnspec.api",
    "inspect": "nnspec.api",
    "load": "nnspec.spec",
    "package": "nnspec.packaging.writing:write_package",
    "predict_file": "nnspec.runtime.predicting",
    "predict_run": "nnspec.exporting.run_predictions",
    "report": "nnspec.reports:write_report",
    "resume": "nnspec.training",
    "schema": "nnspec.json_schema",
    "serve": "nnspec.serving.server",
    "sweep": "nnspec.sweeping.study",
    "to_keras": "nnspec.api",
    "to_onnx": "nnspec.api",
    "train": "nnspec.training",
    "validate": "nnspec.api",
    "verify_activations": "nnspec.exporting.activations",
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
    "draft",
    "evaluate",
    "explain",
    "export",
    "fix",
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
    "verify_activations",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        module, _, own = _PUBLIC[name].partition(":")
        return getattr(import_module(module), own or name)
    raise AttributeError(f"module 'nnspec' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
