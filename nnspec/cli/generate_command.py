"""``nnspec generate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.frameworks import load_frameworks
from nnspec.cli.options import format_option
from nnspec.cli.text import echo_json, echo_path, echo_tables, table

if TYPE_CHECKING:
    from nnspec.generation.section import Beam, Sample


@click.command("generate")
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN|MODEL.onnx|FOLDER")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--data", metavar="READER", help="Inputs: a .csv or .jsonl file, or a complete reader such as 'csv: {path: new.csv}'."
)
@click.option("--limit", type=click.IntRange(min=1), help="Decode only the first N rows.")
@click.option(
    "--max-length", type=click.IntRange(min=1), help="Maximum number of tokens, including the end token.  [default: the spec's]"
)
@click.option("--greedy", is_flag=True, help="Greedy decoding: always take the most likely token.")
@click.option("--beam", type=click.IntRange(min=1), metavar="WIDTH", help="Beam search with this beam width.")
@click.option(
    "--length-penalty",
    type=click.FloatRange(min=0),
    help="Beam search: exponent of the length normalization; larger values favor longer sequences.",
)
@click.option("--temperature", type=click.FloatRange(min=0, min_open=True), help="Sampling: divide the logits by this value.")
@click.option("--top-k", type=click.IntRange(min=1), help="Sampling: only from the K most likely tokens.")
@click.option(
    "--top-p",
    type=click.FloatRange(min=0, max=1, min_open=True),
    help="Nucleus sampling: only from the most likely tokens whose probabilities sum to P.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Random seed for sampling.")
@click.option("--number", type=click.IntRange(min=1), help="Images: number of samples.  [default: 64]")
@click.option(
    "--condition",
    "conditions",
    multiple=True,
    metavar="NAME=VALUE",
    help="Images: value of a condition, such as label=7.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Images: a grid (.png), or arrays (.npz) of samples of any kind.  [default: MODEL.png]",
)
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, /, model: Path, texts: tuple[str, ...], form: str, **options: Any) -> None:
    """Generate sequences or images with a run, an exported ONNX model, or a folder written by `export --form parts`.

    Sequences: each TEXT is a source sequence, or the prompt of a language model. Without TEXT and --data, each line of standard
    input is one. If the run has no tokenizer, inputs and outputs are token ids. Only ONNX Runtime is used for inference.

    Images: for a GAN, or a spec with `generate: {network: …}`, the command writes a grid of --number images generated from
    random values drawn with --seed. If there are conditions, the grid has one column per condition.

    \b
    Examples:
      nnspec generate runs/first 'guten Morgen' 'guten Abend'
      nnspec generate translate.onnx --data new.csv --format json
      nnspec generate runs/first --beam 8 --length-penalty 1 < sentences.txt
      nnspec generate runs/dcgan --number 100 --seed 3 -o digits.png
      nnspec generate digits.onnx --condition label=7
    """
    load_frameworks("predict")
    from nnspec.exporting.run_models import run_makes_examples

    generates_images = run_makes_examples(model)
    # Options that do not apply are an error, not ignored.
    others = _SEQUENCE_OPTIONS if generates_images else _IMAGE_OPTIONS
    given = [name for name in others if options[name] not in (None, (), False)] + (
        ["texts"] if generates_images and texts else []
    )
    if given:
        what = "generates images" if generates_images else "generates sequences"
        raise click.UsageError(f"{model} {what}: {_spelled(ctx, given[0])} does not apply")
    if generates_images:
        _generate_images(model, form, **{name: options[name] for name in (*_IMAGE_OPTIONS, "seed")})
    else:
        _generate_sequences(model, texts, form, **{name: options[name] for name in (*_SEQUENCE_OPTIONS, "seed")})


_IMAGE_OPTIONS = ("number", "conditions", "out")
_SEQUENCE_OPTIONS = ("data", "limit", "max_length", "greedy", "beam", "length_penalty", "temperature", "top_k", "top_p")


def _spelled(ctx: click.Context, name: str) -> str:
    """An option or argument as written on the command line."""
    found = next(parameter for parameter in ctx.command.params if parameter.name == name)
    return found.opts[-1] if isinstance(found, click.Option) else "TEXT"


def _generate_images(
    model: Path, form: str, *, number: int | None, conditions: tuple[str, ...], out: Path | None, seed: int | None
) -> None:
    from nnspec.exporting.run_models import RunSampler
    from nnspec.runtime.sampler import write_samples

    values = {}
    for condition in conditions:
        name, sign, value = condition.partition("=")
        if not sign or not name or not value:
            raise click.UsageError(f"--condition `{condition}` is not of the form NAME=VALUE")
        if name in values:
            raise click.UsageError(f"--condition sets `{name}` twice")
        values[name] = value
    sampler = RunSampler(model)
    resolved = model.resolve()
    file = out or (resolved.with_name(f"{resolved.name}.png") if resolved.is_dir() else resolved.with_suffix(".png"))
    count = number or (sampler.samples.columns or 0) * 8 or 64
    record = write_samples(sampler, file, count, seed=seed or 0, conditions=values)
    if form == "json":
        echo_json(record, ascii=False)
    else:
        echo_path(Path(record["file"]))


def _generate_sequences(
    model: Path,
    texts: tuple[str, ...],
    form: str,
    *,
    data: str | None,
    limit: int | None,
    max_length: int | None,
    **options: Any,
) -> None:
    from nnspec.exporting.run_models import RunGenerator
    from nnspec.runtime.generating import generate_rows

    generator = RunGenerator(model)
    method = _decoding_method(generator.procedure.way, **options)
    if data is None and not texts:
        if sys.stdin.isatty():
            raise click.UsageError("no input: expected TEXT, --data, or lines on standard input")
        texts = tuple(line.rstrip("\n") for line in sys.stdin)
    if data is not None and texts:
        raise click.UsageError("TEXT and --data cannot be combined")
    selected = {} if method == "spec" else {"way": method}
    rows = generate_rows(
        generator, data if data is not None else list(texts[:limit]), limit=limit, max_length=max_length, **selected
    )
    if form == "json":
        for row in rows:
            echo_json(row, ascii=False)
        return
    header = [name for name in (rows[0] if rows else {"row": 0}) if name != "ended"]
    numbers = frozenset(i for i, name in enumerate(header) if name in ("row", "score"))
    echo_tables(table(header, [[_cell(row[name]) for name in header] for row in rows], right=numbers))


def _decoding_method(
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
    """The decoding method of the options; settings that they omit are those of the spec."""
    from nnspec.generation.section import Beam, Sample

    beam_settings = {name: value for name, value in (("width", beam), ("length_penalty", length_penalty)) if value is not None}
    sample_settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
    sample_settings = {name: value for name, value in sample_settings.items() if value is not None}
    if sum(map(bool, (greedy, beam_settings, sample_settings))) > 1:
        raise click.UsageError(
            "choose one of --greedy, beam search (--beam, --length-penalty), and sampling (--temperature, --top-k, …)"
        )
    if greedy:
        return None
    if beam_settings:
        given = own.model_dump() if isinstance(own, Beam) else {}
        if "width" not in {**given, **beam_settings}:
            raise click.UsageError("--length-penalty requires --beam")
        return Beam(**{**given, **beam_settings})
    if sample_settings:
        return Sample(**{**(own.model_dump() if isinstance(own, Sample) else {}), **sample_settings})
    return "spec"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
