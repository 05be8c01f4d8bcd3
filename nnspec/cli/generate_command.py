"""``nnspec generate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.frameworks import load_frameworks
from nnspec.cli.options import format_option
from nnspec.cli.text import table

if TYPE_CHECKING:
    from nnspec.generation.section import Beam, Sample


@click.command("generate")
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN|MODEL.onnx|FOLDER")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--data", metavar="READER", help="What to decode: a .csv or .jsonl file, or a reader in full.")
@click.option("--limit", type=click.IntRange(min=1), help="Decode the first rows alone.")
@click.option("--max-length", type=click.IntRange(min=1), help="The most tokens, the end counted.  [default: the spec's]")
@click.option("--greedy", is_flag=True, help="Take the likeliest token each time, whatever the spec says.")
@click.option("--beam", type=click.IntRange(min=1), metavar="WIDTH", help="Follow so many sequences at a time.")
@click.option("--length-penalty", type=click.FloatRange(min=0), help="How much a beam search favours longer ones.")
@click.option("--temperature", type=click.FloatRange(min=0, min_open=True), help="Draw tokens at random, logits divided by it.")
@click.option("--top-k", type=click.IntRange(min=1), help="Draw from so many of the likeliest tokens.")
@click.option("--top-p", type=click.FloatRange(min=0, max=1, min_open=True), help="Draw from those that reach it together.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Makes what is drawn repeatable.")
@format_option("text", "json")
def command(
    model: Path, texts: tuple[str, ...], data: str | None, limit: int | None, max_length: int | None, form: str, **ways: Any
) -> None:
    """Sequences of a run, of an ONNX file with the decoding loop inside, or of a folder of an encoder and a decoder.

    Each TEXT is a source, or what a language model goes on with; without one and without --data, each line of the standard
    input is. Where the run has no tokenizer, numbers of tokens go in and come out. Only ONNX Runtime computes.

    \b
    nnspec generate runs/first 'guten Morgen' 'guten Abend'
    nnspec generate translate.onnx --data new.csv --format json
    nnspec generate runs/first --beam 8 --length-penalty 1 < sentences.txt
    """
    load_frameworks("predict")
    from nnspec.runtime.generating import generate_rows
    from nnspec.runtime.generator import Generator

    generator = Generator(model)
    way = _way(generator.procedure.way, **ways)
    if data is None and not texts:
        if sys.stdin.isatty():
            raise click.UsageError("say what to decode: texts, --data, or lines on the standard input")
        texts = tuple(line.rstrip("\n") for line in sys.stdin)
    if data is not None and texts:
        raise click.UsageError("give texts or --data, not both")
    told = {} if way == "spec" else {"way": way}
    rows = generate_rows(
        generator, data if data is not None else list(texts[:limit]), limit=limit, max_length=max_length, **told
    )
    if form == "json":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    header = [name for name in (rows[0] if rows else {"row": 0}) if name != "ended"]
    numbers = frozenset(i for i, name in enumerate(header) if name in ("row", "score"))
    click.echo(table(header, [[_cell(row[name]) for name in header] for row in rows], right=numbers))


def _way(
    own: Beam | Sample | None,
    *,
    greedy: bool,
    beam: int | None,
    length_penalty: float | None,
    temperature: float | None,
    top_k: int | None,
    top_p: float | None,
    seed: int | None,
) -> Any:
    """How tokens are chosen: what the options say, what they leave out as in the spec."""
    from nnspec.generation.section import Beam, Sample

    searching = {name: value for name, value in (("width", beam), ("length_penalty", length_penalty)) if value is not None}
    drawing = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
    drawing = {name: value for name, value in drawing.items() if value is not None}
    if sum(map(bool, (greedy, searching, drawing))) > 1:
        raise click.UsageError("choose one: --greedy, a beam search (--beam, --length-penalty), or drawing (--temperature, …)")
    if greedy:
        return None
    if searching:
        given = own.model_dump() if isinstance(own, Beam) else {}
        if "width" not in {**given, **searching}:
            raise click.UsageError("--length-penalty is of a beam search: add --beam")
        return Beam(**{**given, **searching})
    if drawing:
        return Sample(**{**(own.model_dump() if isinstance(own, Sample) else {}), **drawing})
    return "spec"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
