"""``nnspec serve``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nnspec.cli.frameworks import load_frameworks

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_SECONDS = click.FloatRange(0.001, 3600)


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
@click.option("--batch", type=click.IntRange(1, 4096), default=64, show_default=True, help="Maximum number of rows per batch.")
@click.option("--tile", type=click.IntRange(1), help="Split images larger than this into tiles, if the model supports it.")
@click.option(
    "--queue", type=click.IntRange(1), default=256, show_default=True, help="Maximum number of waiting requests; more get 503."
)
@click.option(
    "--deadline", type=click.FloatRange(0.001, 3600), default=30, show_default=True, help="Seconds until a request gets 504."
)
@click.option(
    "--max-bytes",
    type=click.IntRange(1024),
    default=32 * 2**20,
    show_default=True,
    help="Maximum size of a body; larger ones get 413.",
)
@click.option(
    "--max-memory",
    type=click.IntRange(2**20),
    help="Maximum memory of all requests together (bodies, tensors, and responses); more get 503.  "
    "[default: 4 × max-bytes, at least 128 MiB]",
)
@click.option(
    "--max-rows",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Maximum rows of a POST /predict; more get 413.",
)
@click.option(
    "--max-values",
    type=click.IntRange(1),
    default=1_000_000,
    show_default=True,
    help="Maximum keys, numbers, words, and characters of text of a POST /predict; more get 413.",
)
@click.option(
    "--max-ratio",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Maximum compression ratio of a body that decompresses to more than 1 MiB; more gets 413.",
)
@click.option(
    "--connections",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Maximum open connections; beyond it, the connection that has been idle longest is closed.",
)
@click.option(
    "--head-timeout", type=_SECONDS, default=10, show_default=True, help="Seconds to receive the request headers; then 408."
)
@click.option(
    "--body-timeout", type=_SECONDS, default=20, show_default=True, help="Seconds to receive the request body; then 408."
)
@click.option(
    "--write-timeout",
    type=_SECONDS,
    default=10,
    show_default=True,
    help="Seconds without the client reading its response; then the connection is closed.",
)
@click.option(
    "--warm-up",
    type=_SECONDS,
    default=60,
    show_default=True,
    help="Seconds to load a model and run it once; then loading fails.",
)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="Accepted Host header besides IP addresses and localhost: a name, *.NAME, or * for any.  "
    "[default: any, but none on 127.0.0.1]",
)
@click.option(
    "--drain",
    type=click.FloatRange(0, 600),
    default=1,
    show_default=True,
    help="Seconds to keep accepting connections after SIGTERM.",
)
@click.option("--threads", type=click.IntRange(1), help="Threads per operator.  [default: number of cores minus one]")
@click.option("--access-log/--no-access-log", default=True, help="Log each request as a line of JSON.")
@click.option("--unproven", is_flag=True, help="Also serve models without a valid parity record.")
def command(
    models: tuple[str, ...],
    host: str,
    port: int,
    token_file: Path | None,
    certificate: Path | None,
    key: Path | None,
    batch: int,
    tile: int | None,
    queue: int,
    deadline: float,
    max_bytes: int,
    max_memory: int | None,
    max_rows: int,
    max_values: int,
    max_ratio: int,
    connections: int,
    head_timeout: float,
    body_timeout: float,
    write_timeout: float,
    warm_up: float,
    allow_host: tuple[str, ...],
    drain: float,
    threads: int | None,
    access_log: bool,
    unproven: bool,
) -> None:
    """Serve exported models over HTTP: the Open Inference Protocol v2, POST /predict, and a demo page at /.

    The default NAME of a model is the name of its spec. FOLDER contains one folder per version: FOLDER/1/model.onnx. Models are
    reloaded when their files are replaced. On SIGTERM or Ctrl-C, the server finishes all requests and exits.

    \b
    Examples:
      nnspec serve digits.onnx
      nnspec serve digits.onnx old=digits-2024.onnx --port 9000 --token-file tokens.txt
      nnspec serve repository/ --host 0.0.0.0 --certificate server.pem --key server.key
    """
    load_frameworks("serve")
    from nnspec.serving.server import read_tokens, serve
    from nnspec.serving.settings import Settings
    from nnspec.serving.worker import is_computing

    if max_memory is not None and max_memory < 2 * max_bytes:
        raise click.UsageError(
            f"--max-memory {max_memory} must be at least twice --max-bytes {max_bytes}, for a body and its response"
        )

    settings = Settings(
        tokens=read_tokens(token_file) if token_file else frozenset(),
        max_bytes=max_bytes,
        memory_bytes=max_memory or max(4 * max_bytes, Settings.memory_bytes),
        max_rows=max_rows,
        max_values=max_values,
        max_ratio=max_ratio,
        connections=connections,
        header_seconds=head_timeout,
        body_seconds=body_timeout,
        write_seconds=write_timeout,
        warm_up_seconds=warm_up,
        hosts=frozenset(allow_host) or None,
        deadline=deadline,
        queue=queue,
        batch_rows=batch,
        tile=tile,
        drain_seconds=drain,
        access_log=access_log,
        require_proof=not unproven,
        **({"threads": threads} if threads else {}),
    )
    serve(models, host=host, port=port, settings=settings, certificate=certificate, key=key)
    if is_computing():
        os._exit(0)  # a computation that cannot be interrupted; all requests have been answered
