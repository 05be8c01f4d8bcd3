"""Optional dependencies, and the error if one is missing."""

from __future__ import annotations

from importlib.util import find_spec

from nnspec.diagnostics import NnspecError

MODULES = {
    "train": ("tensorflow", "keras", "numpy", "narwhals", "safetensors", "sklearn", "matplotlib", "rich", "PIL"),
    "jax": ("jax", "keras", "numpy", "narwhals", "safetensors", "sklearn", "matplotlib", "rich", "PIL"),
    "export": ("onnx", "onnxruntime", "tf2onnx", "numpy", "safetensors"),
    "fmt": ("ruamel.yaml",),
    "lsp": ("pygls", "ruamel.yaml"),
    "import": ("h5py", "numpy", "safetensors"),
    "frames": ("narwhals",),
    "parquet": ("pyarrow",),
    "remote": ("pyarrow", "fsspec", "s3fs", "aiohttp"),
    "predict": ("onnxruntime", "numpy"),
    "serve": ("onnxruntime", "numpy", "starlette", "uvicorn", "httptools", "orjson", "prometheus_client", "PIL"),
    "subword": ("tokenizers",),
    "sweep": ("optuna",),
    "postgresql": ("psycopg",),
    "text": ("sacrebleu",),
    "tensorboard": ("tensorboard",),
    "mlflow": ("mlflow", "pandas", "sqlalchemy", "alembic"),
    "wandb": ("wandb",),
}


def require(*extras: str) -> None:
    """Check that extras are installed.

    Raises:
        NnspecError: If a module is missing; the message states which extra to install.
    """
    missing = {extra: [module for module in MODULES[extra] if not installed(module)] for extra in extras}
    absent = [extra for extra, modules in missing.items() if modules]
    if absent:
        modules = ", ".join(sorted({module for extra in absent for module in missing[extra]}))
        verb = "are" if ", " in modules else "is"
        raise NnspecError(
            f"this requires {modules}, which {verb} not installed\n  = help: pip install 'nnspec[{','.join(absent)}]'"
        )


def installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False
