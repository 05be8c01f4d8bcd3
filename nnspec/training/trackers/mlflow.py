"""Runs in MLflow, through its client: a local database or a server, as MLFLOW_TRACKING_URI names it."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import mlflow
from mlflow.entities import Metric, Param

from nnspec.training.trackers.tracker import Tracker, numbers_of, settings_of, tracker_errors

if TYPE_CHECKING:
    from nnspec.training.run.folder import Run

_STATUS = {"finished": "FINISHED", "stopped early": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}
_MOST_METRICS = 900
"""MLflow takes at most 1,000 values in a request."""
_MOST_CHARACTERS = 6000
_STEP = "step"
"""The metric that is written last, so that an epoch with it is complete."""

_SERVICE = "MLflow"


class MLflow(Tracker):
    """A run in MLflow."""

    name = "mlflow"

    def __init__(self, run: Run, state: Mapping[str, str]) -> None:
        uri = os.environ.get("MLFLOW_TRACKING_URI") or state.get("uri") or mlflow.get_tracking_uri()
        with tracker_errors(_SERVICE, "open the record"), _quiet():
            self._client = mlflow.MlflowClient(tracking_uri=uri)
            self._id = state.get("run_id") or self._create(run)
            self._client.get_run(self._id)  # raises if the store has lost it
            self.epochs = sum(metric.step > 0 for metric in self._client.get_metric_history(self._id, _STEP))
        self._uri, self._running = uri, not state
        self.state = {"run_id": self._id, "uri": _without_credentials(uri)}
        self.place = f"run {self._id} in {_without_credentials(uri)}"

    def _create(self, run: Run) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or run.name
        experiment = self._client.get_experiment_by_name(name)
        identity = experiment.experiment_id if experiment is not None else self._client.create_experiment(name)
        tags = {"nnspec.version": str(run.info["versions"].get("nnspec")), "nnspec.spec_hash": run.info["spec"]["hash"]}
        made = self._client.create_run(identity, run_name=run.path.resolve().name, tags=tags).info.run_id
        settings = [Param(name, value[:_MOST_CHARACTERS]) for name, value in settings_of(run).items()]
        for start in range(0, len(settings), 100):
            self._client.log_batch(made, params=settings[start : start + 100])
        self._client.log_artifact(made, str(run.path / "spec.yaml"))
        return str(made)

    def write(self, record: Mapping[str, Any]) -> None:
        now, epoch = int(time.time() * 1000), record["epoch"]
        values = [Metric(name, value, now, epoch) for name, value in numbers_of(record).items()]
        values.append(Metric(_STEP, record["step"], now, epoch))
        with tracker_errors(_SERVICE, "write a record"):
            if not self._running:
                self._client.update_run(self._id, status="RUNNING")
                self._running = True
            for start in range(0, len(values), _MOST_METRICS):
                self._client.log_batch(self._id, metrics=values[start : start + _MOST_METRICS])

    def end(self, run: Run) -> None:
        with tracker_errors(_SERVICE, "end the record"):
            if (run.path / "curves.png").is_file():
                self._client.log_artifact(self._id, str(run.path / "curves.png"))
            best = run.info.get("best")
            if best and best["value"] is not None:
                self._client.set_tag(self._id, "nnspec.best", f"{best['monitor']} {best['value']:.6g} in epoch {best['epoch']}")
            self._client.set_terminated(self._id, _STATUS[run.status])

    def write_model(self, run: Run, file: Path) -> bool:
        import mlflow.onnx
        import onnx

        with tracker_errors(_SERVICE, "write the model"), _quiet():
            mlflow.set_tracking_uri(self._uri)
            model = onnx.load(file)
            status = self._client.get_run(self._id).info.status
            try:
                with mlflow.start_run(run_id=self._id, log_system_metrics=False):
                    mlflow.onnx.log_model(model, name=file.stem, signature=_signature(model))
            finally:  # opening a run changes its status
                self._client.update_run(self._id, status=status)
        return True


def _signature(model: Any) -> Any:
    """Return the inputs and outputs of an ONNX model as MLflow describes them, with −1 for free sizes."""
    import numpy as np
    import onnx
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    def schema(values: Any) -> Schema:
        return Schema([_tensor(value.name, value.type.tensor_type) for value in values])

    def _tensor(name: str, type_: Any) -> TensorSpec:
        dtype = onnx.helper.tensor_dtype_to_np_dtype(type_.elem_type)
        shape = tuple(size.dim_value if size.HasField("dim_value") else -1 for size in type_.shape.dim)
        return TensorSpec(np.dtype(str) if dtype == np.dtype(object) else np.dtype(dtype), shape, name)

    return ModelSignature(schema(model.graph.input), schema(model.graph.output))


def _without_credentials(uri: str) -> str:
    """Return a URI without its user and password.

    Example:
        >>> _without_credentials("https://me:secret@mlflow.example.com/path")
        'https://mlflow.example.com/path'
        >>> _without_credentials("sqlite:////tmp/mlflow.db")
        'sqlite:////tmp/mlflow.db'
    """
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else uri


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow's progress messages and warnings about its own code off the terminal."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
