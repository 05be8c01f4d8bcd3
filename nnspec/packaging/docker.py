"""A container image for serving: Python, ONNX Runtime, NumPy and nnspec, without TensorFlow, Keras and ONNX."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nnspec.diagnostics import NnspecError
from nnspec.packaging.contents import Contents

_DOCKERFILE = """\
FROM python:3.13-slim AS packages
COPY requirements.txt .
RUN pip install --no-cache-dir --no-compile --target /packages -r requirements.txt

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home nnspec
COPY --from=packages /packages /packages
COPY nnspec /packages/nnspec
COPY models /models
ENV PYTHONPATH=/packages PYTHONUNBUFFERED=1
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/v2/health/ready')"]
ENTRYPOINT ["python", "-m", "nnspec", "serve", "/models/{name}", "--host", "0.0.0.0"]
"""
_THERE = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}


def image(contents: Contents) -> dict[str, bytes]:
    """The files for ``docker build``, with the installed versions of packages.

    Args:
        contents: The contents of the package.

    Raises:
        NnspecError: If a package that serving requires is not installed.
    """
    made = {
        "Dockerfile": _DOCKERFILE.format(name=contents.name).encode(),
        "requirements.txt": ("\n".join(requirements()) + "\n").encode(),
        f"models/{contents.name}/1/model.onnx": contents.model,
    }
    source = Path(str(files("nnspec")))
    for file in sorted(source.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            made[f"nnspec/{file.relative_to(source)}"] = file.read_bytes()
    return made


def requirements() -> list[str]:
    """The pinned requirements of serving on Linux, including transitive ones."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [("nnspec", "serve")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            raise NnspecError(f"serving requires {name}\n  = help: pip install 'nnspec[serve]'") from None
        if name != "nnspec":
            found[canonicalize_name(name)] = installed.version
        for line in installed.requires or []:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({**_THERE, "extra": extra}):
                waiting += [(wanted.name, more) for more in ("", *wanted.extras)]
    if "starlette" not in found:  # the installed metadata of nnspec are from a version without serving
        raise NnspecError("nnspec was installed without serving\n  = help: pip install 'nnspec[serve]' again")
    return [f"{name}=={version}" for name, version in sorted(found.items())]
