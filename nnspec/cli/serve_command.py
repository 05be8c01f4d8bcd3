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
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 for a free one.")
@click.option("--token-file", type=_FILE, help="Let in only who brings a bearer token of this file, one a line.")
@click.option("--certificate", type=_FILE, help="A PEM file: serve over TLS.")
@click.option("--key", type=_FILE, help="The certificate's key, where that is in another file.")
@click.option("--batch", type=click.IntRange(1, 4096), default=64, show_default=True, help="The most rows computed at once.")
@click.option("--tile", type=click.IntRange(1), help="Compute pictures that are larger tile by tile, where a model can.")
@click.option("--queue", type=click.IntRange(1), default=256, show_default=True, help="How many requests may wait; then 503.")
@click.option("--deadline", type=click.FloatRange(0.001, 3600), default=30, show_default=True, help="Seconds; then 504.")
@click.option("--max-bytes", type=click.IntRange(1024), default=32 * 2**20, show_default=True, help="Of a body; then 413.")
@click.option(
    "--max-memory",
    type=click.IntRange(2**20),
    help="Bytes that all requests hold together: bodies, what is made of them, answers; then 503.  "
    "[default: 4 × max-bytes, at least 128 MiB]",
)
@click.option("--max-rows", type=click.IntRange(1), default=10_000, show_default=True, help="Of a POST /predict; then 413.")
@click.option(
    "--max-values",
    type=click.IntRange(1),
    default=1_000_000,
    show_default=True,
    help="Keys, numbers, words and characters of text of a POST /predict; then 413.",
)
@click.option(
    "--max-ratio",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="How many times its size a packed body may become, beyond 1 MiB; then 413.",
)
@click.option(
    "--connections",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="How many may be open; then the one that has waited longest for its client is closed.",
)
@click.option("--head-timeout", type=_SECONDS, default=10, show_default=True, help="Seconds for a request's head; then 408.")
@click.option("--body-timeout", type=_SECONDS, default=20, show_default=True, help="Seconds for a request's body; then 408.")
@click.option(
    "--write-timeout",
    type=_SECONDS,
    default=10,
    show_default=True,
    help="Seconds for which a client may read nothing of an answer; then its connection is closed.",
)
@click.option(
    "--warm-up", type=_SECONDS, default=60, show_default=True, help="Seconds to load a model and answer once; then an error."
)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="What the server may be called in the header Host, beside addresses and localhost; *.NAME, or * for anything. "
    "[default: anything, but on 127.0.0.1 nothing else]",
)
@click.option(
    "--drain",
    type=click.FloatRange(0, 600),
    default=1,
    show_default=True,
    help="Seconds in which, after SIGTERM, connections are still taken.",
)
@click.option("--threads", type=click.IntRange(1), help="How many compute one operator.  [default: all cores but one]")
@click.option("--access-log/--no-access-log", default=True, help="Write a line of JSON for each request.")
@click.option("--unproven", is_flag=True, help="Serve models without a parity record of their own, too.")
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
    """Serves exported models over HTTP: the Open Inference Protocol v2, POST /predict, and a page at /.

    A model is called as its spec is, or NAME. A FOLDER holds a folder for each version, NAME/1/model.onnx. A file that is
    replaced is loaded anew. SIGTERM and Ctrl-C end the server when every request has its answer.

    \b
    nnspec serve digits.onnx
    nnspec serve digits.onnx old=digits-2024.onnx --port 9000 --token-file tokens.txt
    nnspec serve repository/ --host 0.0.0.0 --certificate server.pem --key server.key
    """
    load_frameworks("serve")
    from nnspec.serving.server import read_tokens, serve
    from nnspec.serving.settings import Settings
    from nnspec.serving.worker import are_running

    if max_memory is not None and max_memory < 2 * max_bytes:
        raise click.UsageError(f"--max-memory {max_memory} leaves no room for a body of --max-bytes {max_bytes} and its answer")

    settings = Settings(
        tokens=read_tokens(token_file) if token_file else frozenset(),
        max_bytes=max_bytes,
        held_bytes=max_memory or max(4 * max_bytes, Settings.held_bytes),
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
    if are_running():
        os._exit(0)  # a model that cannot be stopped: all requests have their answers
