"""``nnspec generate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.frameworks import load_frameworks
from nnspec.cli.options import format_option
from nnspec.cli.text import echo, echo_json, echo_path, table

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
@click.option("--number", type=click.IntRange(min=1), help="Of a generator: how many examples.  [default: 64]")
@click.option("--condition", "conditions", multiple=True, metavar="NAME=VALUE", help="Of a generator: label=7.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Of a generator: a sheet of pictures (.png), or arrays (.npz).  [default: beside MODEL, .png]",
)
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, /, model: Path, texts: tuple[str, ...], form: str, **options: Any) -> None:
    """Sequences of a run, of an ONNX file with the decoding loop inside, or of a folder of an encoder and a decoder; or the
    pictures of a generator.

    Of a pair's run, or of the generator exported of it, a sheet of pictures is written, of as many as --number says, from the
    noise that --seed draws; in a conditional pair a column for each condition.

    For sequences each TEXT is a source, or what a language model goes on with; without one and without --data, each line of
    the standard input is. Where the run has no tokenizer, numbers of tokens go in and come out. Only ONNX Runtime computes.

    \b
    nnspec generate runs/first 'guten Morgen' 'guten Abend'
    nnspec generate translate.onnx --data new.csv --format json
    nnspec generate runs/first --beam 8 --length-penalty 1 < sentences.txt
    nnspec generate runs/dcgan --number 100 --seed 3 -o digits.png
    nnspec generate digits.onnx --condition label=7
    """
    load_frameworks("predict")
    from nnspec.exporting.run_models import run_makes_examples

    of_pictures = run_makes_examples(model)
    # What is meant for the other kind is not silently left aside.
    others = _OF_SEQUENCES if of_pictures else _OF_PICTURES
    given = [name for name in others if options[name] not in (None, (), False)] + (["texts"] if of_pictures and texts else [])
    if given:
        what = "makes pictures of noise" if of_pictures else "makes sequences"
        raise click.UsageError(f"{model} {what}: {_spelled(ctx, given[0])} is not for it")
    if of_pictures:
        _pictures(model, form, **{name: options[name] for name in (*_OF_PICTURES, "seed")})
    else:
        _sequences(model, texts, form, **{name: options[name] for name in (*_OF_SEQUENCES, "seed")})


_OF_PICTURES = ("number", "conditions", "out")
_OF_SEQUENCES = ("data", "limit", "max_length", "greedy", "beam", "length_penalty", "temperature", "top_k", "top_p")


def _spelled(ctx: click.Context, name: str) -> str:
    """An option or an argument as it is written on the command line."""
    found = next(parameter for parameter in ctx.command.params if parameter.name == name)
    return found.opts[-1] if isinstance(found, click.Option) else "a text"


def _pictures(
    model: Path, form: str, *, number: int | None, conditions: tuple[str, ...], out: Path | None, seed: int | None
) -> None:
    from nnspec.exporting.run_models import RunSampler
    from nnspec.runtime.sampler import write_samples

    asked = {}
    for condition in conditions:
        name, sign, value = condition.partition("=")
        if not sign or not name or not value:
            raise click.UsageError(f"--condition is written NAME=VALUE, not `{condition}`")
        if name in asked:
            raise click.UsageError(f"--condition says twice what `{name}` is")
        asked[name] = value
    sampler = RunSampler(model)
    whole = model.resolve()
    place = out or (whole.with_name(f"{whole.name}.png") if whole.is_dir() else whole.with_suffix(".png"))
    count = number or (sampler.samples.columns or 0) * 8 or 64
    record = write_samples(sampler, place, count, seed=seed or 0, conditions=asked)
    if form == "json":
        echo_json(record, ascii=False)
    else:
        echo_path(Path(record["file"]))


def _sequences(
    model: Path,
    texts: tuple[str, ...],
    form: str,
    *,
    data: str | None,
    limit: int | None,
    max_length: int | None,
    **ways: Any,
) -> None:
    from nnspec.exporting.run_models import RunGenerator
    from nnspec.runtime.generating import generate_rows

    generator = RunGenerator(model)
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
            echo_json(row, ascii=False)
        return
    header = [name for name in (rows[0] if rows else {"row": 0}) if name != "ended"]
    numbers = frozenset(i for i, name in enumerate(header) if name in ("row", "score"))
    echo(table(header, [[_cell(row[name]) for name in header] for row in rows], right=numbers))


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
