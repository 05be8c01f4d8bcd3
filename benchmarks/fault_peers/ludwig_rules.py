"""The kinds of fault that Ludwig's YAML can have, by rules of the same form as those for specs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.fault_peers.mistakes import Mistake, allowed
from benchmarks.fault_rules import PER_KIND, SEED, Rules, misspelt, within

__all__ = ["CONFIGS", "ludwig_mistakes"]

CONFIGS = Path(__file__).parent / "ludwig_configs"
RULES = Rules()

ARGUMENT = (
    r"^ +(?:- )?(num_filters|filter_size|padding|pool_size|conv_activation|fc_activation|activation|output_size|use_bias|"
    r"num_layers|state_size|embedding_size|cell_type|bidirectional|fc_dropout|dropout): "
)
SIZE = r"^ +(?:- )?(?:num_filters|filter_size|output_size|state_size|embedding_size|num_layers): (\d+)$"


def _swapped(kind, pattern, change, fix=None):
    """A rule that changes the first group of a pattern by a function of its text."""

    @RULES.rule(kind, pattern, 1)
    def _(match, rng):
        new = change(match[1], rng)
        return None if new is None else (within(match, 1, new), fix or match[1])


_TYPE = r"(?:(?<=encoder:\n      type: )|(?<=decoder:\n      type: )|(?<=combiner:\n  type: ))(\w+)"
_THEIRS = {"stacked_cnn": "Conv2d", "rnn": "LSTM", "parallel_cnn": "Conv1d", "dense": "Linear"}
_THEIR_ARGUMENTS = {
    "num_filters": "out_channels",
    "filter_size": "kernel_size",
    "output_size": "out_features",
    "state_size": "hidden_size",
    "embedding_size": "embedding_dim",
    "use_bias": "bias",
}

_swapped("a layer misspelt", _TYPE, misspelt)
_swapped("a layer in the wrong case", _TYPE, lambda word, rng: word.capitalize())
_swapped("PyTorch's name of a layer", _TYPE, lambda word, rng: _THEIRS.get(word))
_swapped("an argument misspelt", ARGUMENT, misspelt)
_swapped("PyTorch's name of an argument", ARGUMENT, lambda word, rng: _THEIR_ARGUMENTS.get(word))


@RULES.rule("an argument that follows from the input", r"^( +)(?:filter_size|state_size|num_fc_layers): .+\n()", 2)
def _(match, rng):
    return within(match, 2, f"{match[1]}in_channels: 3\n"), "leave it out"


_swapped("a negative size", SIZE, lambda size, rng: f"-{size}")
_swapped("a size of zero", SIZE, lambda size, rng: "0")
_swapped("a fraction for a whole number", SIZE, lambda size, rng: f"{size}.5")
_swapped("a number in quotes", SIZE, lambda size, rng: f'"{size}"')
_swapped("an activation misspelt", r"activation: (\w+)$", misspelt)
_swapped("a padding misspelt", r"padding: (\w+)$", misspelt)
_swapped("a padding in capitals", r"padding: (\w+)$", lambda word, rng: word.upper())
_swapped("yes and no for true and false", r"(?:use_bias|bidirectional): (true)$", lambda word, rng: "yes")
_swapped("a misspelt name in a list under from", r"dependencies: \[(\w+)", misspelt)
_swapped("a step key misspelt", r"^  (?:- |  )(name|type|encoder|decoder|dependencies|preprocessing):", misspelt)
_swapped("a key of the document misspelt", r"^(input_features|output_features|combiner|trainer|preprocessing):", misspelt)
_swapped("a size of zero in a shape", r"^ +(?:height|width|num_channels): (\d+)$", lambda size, rng: "0")
_swapped("an element type misspelt", r"^    type: (\w+)$", misspelt)


@RULES.rule("a needed argument left out", r"^  - (name: \w+\n    )type: ", 1)
def _(match, rng):
    return within(match, 1, ""), "name"


@RULES.rule("no space behind an argument's colon", ARGUMENT + r"(?=[\d])", 1)
def _(match, rng):
    return match[0][:-1], f"{match[1]}: "


@RULES.rule("a colon missing behind an operation", r"^ +(encoder|decoder|preprocessing|conv_layers)(:)\n", 1)
def _(match, rng):
    return within(match, 2, ""), f"{match[1]}:"


@RULES.rule("a tab for indentation", r"^(    )\w+:", 1)
def _(match, rng):
    return within(match, 1, "\t"), "spaces"


@RULES.rule("an argument given twice", r"^( +)(filter_size|output_size|embedding_size|epochs|state_size): (\d+)\n()", 4)
def _(match, rng):
    return within(match, 4, f"{match[1]}{match[2]}: {int(match[3]) + 1}\n"), ""


def ludwig_mistakes(seed: int = SEED, per_kind: int = PER_KIND) -> Iterator[Mistake]:
    """Mistakes of every kind, at most ``per_kind`` of each, drawn from all the configs."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(CONFIGS.glob("*.yaml"))]
    for fault in RULES.faults(texts, seed, per_kind):
        line = fault.good.splitlines()[fault.line - 1] if fault.old else fault.new
        argument = line.strip().removeprefix("- ").partition(":")[0]
        named = () if fault.old and argument == fault.old else (argument,)
        whole = not fault.old or not fault.new.strip() or "colon" in fault.kind
        tokens = (argument,) if whole else (fault.new.strip('"'), *named)
        yield Mistake(fault.kind, fault.good, fault.text, fault.line, fault.column, tokens, allowed(fault.kind, fault.fix))
