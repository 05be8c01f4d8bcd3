"""``nnspec data``."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import root_option
from nnspec.cli.text import echo, echo_path


@click.group("data")
def command() -> None:
    """Convert data to Parquet shards, or show and clear the cache of data at URLs."""


@command.command("convert")
@click.argument("data", metavar="SPEC|DATA")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--shards", type=click.IntRange(min=1), metavar="N", help="Number of files.  [default: one for each 128 MiB]")
@root_option
def convert_command(data: str, out: Path, shards: int | None, root: Path | None) -> None:
    """Write data as Parquet shards, which are read a row group at a time, also from an object store.

    DATA is a spec, whose splits become folders in OUT, or a file, a folder of images, or a reader. Image files are stored
    unchanged, as bytes. Every page has a checksum.

    \b
    Examples:
      nnspec data convert net.nnspec.yaml shards
      nnspec data convert flowers shards --shards 50
      nnspec data convert 'csv: {file: a.csv, delimiter: ";"}' shards
    """
    from nnspec.data.conversion import convert

    found = convert(data, out, shards=shards, root=root)
    for each in found:
        size = sum(file.stat().st_size for file in each.files)
        files = "1 file" if len(each.files) == 1 else f"{len(each.files):,} files"
        what = "" if each.part is None else f"{each.part}: "
        echo(f"{what}{each.rows:,} rows in {files}, {size / 1e6:,.1f} MB; read them with {each.reader}", err=True)
    echo_path(out)
