"""``nnspec serve``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from nnspec.cli.frameworks import load_frameworks
from nnspec.serving.settings import Settings, default_threads

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_SECONDS = click.FloatRange(0.001, 3600)
_COUNT = click.IntRange(1)


def _setting(
    flag: str, field: str, kind: click.ParamType[Any], help: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that is a field of the server's settings, and has its default."""
    return click.option(flag, field, type=kind, default=getattr(Settings, field), show_default=True, help=help)


@click.command("serve")
@click.argument("models", nargs=-1, required=True, metavar="[NAME=]MODEL.onnx|FOLDER...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to listen on; 0 for a free port."
)
@click.option(
    "--token-file", type=_FILE, metavar="FILE", help="Require a bearer token; FILE lists the accepted tokens, one per line."
)
@click.option("--certificate", type=_FILE, help="Certificate for TLS, a PEM file.")
@click.option("--key", type=_FILE, help="Private key, if not in the certificate file.")
@_setting("--batch", "batch_rows", click.IntRange(1, 4096), "Maximum number of rows per batch.")
@click.option("--tile", type=_COUNT, help="Split images larger than this into tiles, if the model supports it.")
@_setting("--queue", "queue", _COUNT, "Maximum number of waiting requests; more get 503.")
@_setting("--deadline", "deadline", _SECONDS, "Seconds until a request gets 504.")
@_setting("--max-bytes", "max_bytes", click.IntRange(1024), "Maximum size of a body; larger ones get 413.")
@click.option(
    "--max-memory",
    type=click.IntRange(2**20),
    help="Maximum memory of all requests together (bodies, tensors, and responses); more get 503.  "
    "[default: 4 × max-bytes, at least 128 MiB]",
)
@_setting("--max-rows", "max_rows", _COUNT, "Maximum rows of a POST /predict; more get 413.")
@_setting(
    "--max-values",
    "max_values",
    _COUNT,
    "Maximum keys, numbers, words, and characters of text of a POST /predict; more get 413.",
)
@_setting(
    "--max-ratio",
    "max_ratio",
    _COUNT,
    "Maximum compression ratio of a body that decompresses to more than 1 MiB; more gets 413.",
)
@_setting(
    "--connections",
    "connections",
    _COUNT,
    "Maximum open connections; beyond it, the connection that has been idle longest is closed.",
)
@_setting("--head-timeout", "header_seconds", _SECONDS, "Seconds to receive the request headers; then 408.")
@_setting("--body-timeout", "body_seconds", _SECONDS, "Seconds to receive the request body; then 408.")
@_setting(
    "--write-timeout",
    "write_seconds",
    _SECONDS,
    "Seconds without the client reading its response; then the connection is closed.",
)
@_setting("--warm-up", "warm_up_seconds", _SECONDS, "Seconds to load a model and run it once; then loading fails.")
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="Accepted Host header besides IP addresses and localhost: a name, *.NAME, or * for any.  "
    "[default: any, but none on 127.0.0.1]",
)
@_setting("--drain", "drain_seconds", click.FloatRange(0, 600), "Seconds to keep accepting connections after SIGTERM.")
@click.option(
    "--processes",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    help="Serve in N processes that share the port, on Linux. Limits are those of each process.",
)
@click.option(
    "--threads",
    type=_COUNT,
    help="Threads per operator.  [default: number of cores minus one, divided by the processes]",
)
@click.option("--access-log/--no-access-log", default=True, help="Log each request as a line of JSON.")
@click.option("--unproven", is_flag=True, help="Also serve models without a valid parity record.")
def command(
    models: tuple[str, ...],
    host: str,
    port: int,
    token_file: Path | None,
    certificate: Path | None,
    key: Path | None,
    max_memory: int | None,
    allow_host: tuple[str, ...],
    processes: int,
    threads: int | None,
    unproven: bool,
    **settings: Any,
) -> None:
    """Serve exported models over HTTP: the Open Inference Protocol v2, POST /predict, and a demo page at /.

    The default NAME of a model is the name of its spec. FOLDER contains one folder per version: FOLDER/1/model.onnx. Models are
    reloaded when their files are replaced. On SIGTERM or Ctrl-C, the server finishes all requests and exits.

    \b
    Examples:
      nnspec serve digits.onnx
      nnspec serve digits.onnx old=digits-2024.onnx --port 9000 --token-file tokens.txt
      nnspec serve repository/ --host 0.0.0.0 --certificate server.pem --key server.key
      nnspec serve digits.onnx --processes 4
    """
    load_frameworks("serve")
    from nnspec.serving.server import read_tokens, serve
    from nnspec.serving.worker import is_computing

    max_bytes = settings["max_bytes"]
    if max_memory is not None and max_memory < 2 * max_bytes:
        raise click.UsageError(
            f"--max-memory {max_memory} must be at least twice --max-bytes {max_bytes}, for a body and its response"
        )
    settings["threads"] = threads or default_threads(processes)
    chosen = Settings(
        tokens=read_tokens(token_file) if token_file else frozenset(),
        memory_bytes=max_memory or max(4 * max_bytes, Settings.memory_bytes),
        hosts=frozenset(allow_host) or None,
        require_proof=not unproven,
        **settings,
    )
    if processes > 1:
        from nnspec.serving.supervisor import serve_processes

        serve_processes(models, processes, host=host, port=port, settings=chosen, certificate=certificate, key=key)
        return
    serve(models, host=host, port=port, settings=chosen, certificate=certificate, key=key)
    if is_computing():
        os._exit(0)  # a computation that cannot be interrupted; all requests have been answered
