"""``nnspec data``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from nnspec.cli.options import allow_url_option, root_option
from nnspec.cli.text import echo, echo_path


@click.group("data")
def command() -> None:
    """Convert data to Parquet shards or other formats of boxes, or show and clear the cache of data at URLs."""


@command.command("convert")
@click.argument("data", metavar="SPEC|DATA")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--shards", type=click.IntRange(min=1), metavar="N", help="Number of files.  [default: one for each 128 MiB]")
@click.option("--to", type=click.Choice(["coco", "yolo", "voc"]), help="Write images with boxes in this format instead.")
@root_option
@allow_url_option
def convert_command(
    data: str, out: Path, shards: int | None, to: Literal["coco", "yolo", "voc"] | None, root: Path | None
) -> None:
    """Write data as Parquet shards, which are read a row group at a time, also from an object store.

    With --to, images with boxes are written in the format of COCO, YOLO or VOC, the images unchanged.

    DATA is a spec, whose splits become folders in OUT, or a file, a folder of images, or a reader. Image files are stored
    unchanged, as bytes. Every page has a checksum.

    \b
    Examples:
      nnspec data convert net.nnspec.yaml shards
      nnspec data convert flowers shards --shards 50
      nnspec data convert 'csv: {file: a.csv, delimiter: ";"}' shards
      nnspec data convert 'voc: VOC2012' pets --to coco
    """
    from nnspec.data.conversion import convert

    if shards is not None and to is not None:
        raise click.UsageError("`--shards` applies to Parquet, and not to `--to`")
    found = convert(data, out, shards=shards, to=to, root=root)
    for each in found:
        size = sum(file.stat().st_size for file in each.files)
        files = "1 file" if len(each.files) == 1 else f"{len(each.files):,} files"
        what = "" if each.part is None else f"{each.part}: "
        echo(f"{what}{each.rows:,} rows in {files}, {size / 1e6:,.1f} MB; read them with {each.reader}", err=True)
        for text in each.lost:
            echo(f"warning: {what}{text}", err=True)
    echo_path(out)


@command.command("cache")
@click.option("--clear", is_flag=True, help="Remove everything that no running process uses.")
def cache_command(clear: bool) -> None:
    """Show or clear the cache of data at URLs.

    NNSPEC_CACHE names its folder, and NNSPEC_CACHE_SIZE limits its size (20GB by default); what was not used for the longest
    time is removed first.
    """
    from nnspec.data.remote.cache import the_cache

    cache = the_cache()
    if clear:
        echo(f"removed {cache.clear() / 1e6:,.1f} MB from {cache.folder}")
        return
    entries = list(cache.entries())
    folders = sum(entry.path.is_dir() for entry in entries)
    size = sum(entry.size for entry in entries)
    echo(f"{cache.folder}: {size / 1e6:,.1f} MB of at most {cache.limit / 1e6:,.1f} MB", err=True)
    echo(f"{len(entries) - folders:,} blocks of objects, {folders:,} folders", err=True)
    echo_path(cache.folder)
