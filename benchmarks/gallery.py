"""The table of the gallery, ``specs/README.md``: what each spec is, its size, and what it reached on real data.

The facts stand in ``specs/gallery.yaml``; parameters and multiply–accumulates are computed from the specs, without a framework.

    python -m benchmarks gallery                # prints the table
    python -m benchmarks gallery --write        # writes specs/README.md
    python -m benchmarks gallery --run NAME…    # runs the commands of entries anew
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

import nnspec
from nnspec.cli.layer_table import short_count
from nnspec.graph import Model

ROOT = Path(__file__).parent.parent
SPECS = ROOT / "specs"
TABLE = SPECS / "README.md"

Text = Annotated[str, Field(min_length=1)]


class Entry(BaseModel):
    """A spec of the gallery.

    Attributes:
        title: What it is.
        reference: Authors and year.
        parameters: Published number of parameters of the spec with its defaults.
        trainable: Published number of trainable parameters.
        network: The network whose size is shown; by default `main`, else all.
        data: What it is trained on.
        result: What it reached there, and with what training.
        published: The published result on the same data.
        command: Prints the result.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    reference: str = ""
    parameters: int | None = None
    trainable: int | None = None
    network: str | None = None
    data: str = ""
    result: str = ""
    published: str = ""
    command: str = ""


class Gallery(BaseModel):
    """All entries, by group and by name of the spec."""

    model_config = ConfigDict(extra="forbid")

    groups: dict[Text, dict[Text, Entry]]

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Yields each entry with the name of its spec."""
        for entries in self.groups.values():
            yield from entries.items()


def read_gallery() -> Gallery:
    """Read ``specs/gallery.yaml``."""
    return Gallery.model_validate(yaml.safe_load((SPECS / "gallery.yaml").read_text("utf-8")))


def main(arguments: list[str]) -> int:
    """Prints or writes the table, or runs entries; the status is that of the first command that fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks gallery", description="The table of the gallery.")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    parser.add_argument("--run", nargs="+", metavar="NAME", help="run the commands of these entries")
    given = parser.parse_args(arguments)
    gallery = read_gallery()
    if given.run:
        return _run(gallery, given.run)
    text = table_text(gallery)
    if given.write:
        TABLE.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


def _run(gallery: Gallery, names: list[str]) -> int:
    entries = dict(gallery.entries())
    unknown = [name for name in names if name not in entries]
    if unknown:
        print(f"no entry {unknown[0]} in specs/gallery.yaml", file=sys.stderr)
        return 2
    for name in names:
        print(f"{name}: {entries[name].command}\nrecorded: {entries[name].result}", flush=True)
        status = subprocess.run(entries[name].command, shell=True, cwd=ROOT, check=False).returncode
        if status:
            return status
    return 0


def table_text(gallery: Gallery) -> str:
    """The table as Markdown."""
    lines = [
        "# Gallery",
        "",
        "Written by `python -m benchmarks gallery --write` from [`gallery.yaml`](gallery.yaml) and the specs. Parameters and",
        "multiply–accumulates (MACs) per example are those of the spec with its defaults; *P* marks a published parameter count,",
        "which a test holds. Results are of held-out data, by the command in the last column, on two shared cores.",
    ]
    for group, entries in gallery.groups.items():
        lines += ["", f"## {group}", ""]
        lines += ["| spec | parameters | MACs | data | result | published | command |", "|---|---|---|---|---|---|---|"]
        lines += [_row(name, entry) for name, entry in entries.items()]
    return "\n".join(lines) + "\n"


def _row(name: str, entry: Entry) -> str:
    model = nnspec.compile(nnspec.load(SPECS / f"{name}.nnspec.yaml"))
    graphs = shown_networks(model, entry.network)
    parameters = sum(graph.parameters for graph in graphs.values())
    macs = ", ".join(_macs(graph.macs) for graph in graphs.values())
    published = " *P*" if entry.parameters or entry.trainable else ""
    what = f"[`{name}`]({name}.nnspec.yaml): {entry.title}" + (f" ({entry.reference})" if entry.reference else "")
    command = f"`{entry.command}`" if entry.command else ""
    cells = [what, f"{parameters:,}{published}", macs, entry.data, entry.result, entry.published, command]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def shown_networks(model: Model, network: str | None) -> Mapping[str, nnspec.Graph]:
    """The networks whose sizes are shown: the one that is named, else `main`, else all.

    Args:
        model: The model.
        network: The name, or None.
    """
    name = network or "main"
    return {name: model.networks[name]} if name in model.networks else model.networks


def _macs(count: object) -> str:
    if isinstance(count, int):
        return short_count(count)
    text = str(count)
    return text if len(text) <= 24 else "by size"
