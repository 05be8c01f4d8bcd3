"""``nnspec init``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.text import echo, echo_tables, table, terminal_width
from nnspec.diagnostics import NnspecError

if TYPE_CHECKING:
    from nnspec.drafting import Task


def _templates(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of templates that a shell completes."""
    del ctx, param
    from nnspec.templates import TEMPLATES

    return [name for name in TEMPLATES if name.startswith(incomplete)]


@click.command("init")
@click.argument("template", required=False, shell_complete=_templates)
@click.option("-o", "--out", "out", type=click.Path(path_type=Path), help="File to write.  [default: NAME.nnspec.yaml]")
@click.option(
    "--from",
    "data",
    type=click.Path(path_type=Path),
    metavar="DATA",
    help="Read a table (CSV, JSON Lines, Parquet) or a folder of images or texts, and write a spec that trains on it.",
)
@click.option("--target", metavar="COLUMN", help="With --from: the column to predict.  [default: by its name, or the last]")
@click.option(
    "--task",
    type=click.Choice(["classification", "regression"]),
    help="With --from: how to predict the target.  [default: by its values]",
)
@click.option("--list", "listed", is_flag=True, help="List the templates and exit.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(
    template: str | None,
    out: Path | None,
    data: Path | None,
    target: str | None,
    task: Task | None,
    listed: bool,
    force: bool,
) -> None:
    """Write a commented spec: from a template, by default digits, or with --from for your data.

    Of a table, the first 100,000 rows are read. Types of columns, missing values, classes, and identifiers are found. What
    was seen, and what was decided for which reason, is printed. The spec trains as it is, and is meant to be changed.

    The JSON Schema, by which editors complete and check specs, is written beside a template's spec unless it is there.

    \b
    Examples:
      nnspec init
      nnspec init --list
      nnspec init autoencoder -o models/auto.nnspec.yaml
      nnspec init --from customers.csv --target churn
      nnspec init --from flowers                  (a folder with a subfolder of images, or texts, for each class)
      nnspec init --from cells                    (a folder with the subfolders images and masks)
      nnspec init --from pets                     (a folder with boxes in the format of COCO, YOLO or VOC)
    """
    from nnspec.files import write_whole
    from nnspec.templates import SCHEMA_FILE, TEMPLATES
    from nnspec.templates import template as text_of

    if data is None and (target is not None or task is not None):
        raise click.UsageError(f"{'--target' if target is not None else '--task'} requires --from")
    if listed:
        echo_tables(table(["template", "description"], [list(row) for row in TEMPLATES.items()], width=terminal_width()))
        return
    if data is not None:
        if template is not None:
            raise click.UsageError(f"give a template, `{template}`, or data with --from, not both")
        from nnspec.cli.draft_report import echo_draft
        from nnspec.drafting import draft_spec

        named = out.name.partition(".")[0] if out is not None else ""
        draft = draft_spec(data, out.parent if out is not None else ".", target=target, task=task, name=named)
        text, name = draft.text, draft.name
        echo_draft(draft)
    else:
        name = template or "digits"
        text = text_of(name)
    file = out or Path(f"{name}.nnspec.yaml")
    if not force and (file.exists() or file.is_symlink()):
        raise NnspecError(f"{file} already exists\n  = help: `--force` overwrites it; `-o FILE` writes another file")
    write_whole(file, text)
    if SCHEMA_FILE in text:
        _write_schema(file.parent / SCHEMA_FILE)
    check = f"nnspec validate {shlex.quote(str(file))}" + (" --data" if data is not None else "")
    echo(f"wrote {file}; next: {check}")


def _write_schema(file: Path) -> None:
    """Write the JSON Schema that a template names, unless it is there."""
    from nnspec.files import write_whole
    from nnspec.json_schema import as_text, schema

    if not file.exists():
        write_whole(file, as_text(schema()))
        echo(f"wrote {file}, with which editors complete and check specs")
