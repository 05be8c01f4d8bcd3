"""The single mistakes that are put into good specs: one rule a kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fault_rules import PER_KIND, SEED, Fault, Rules, misspelt, within

__all__ = ["faults"]

SPECS = (Path(__file__).parent.parent / "tests" / "corpus", Path(__file__).parent.parent / "specs")
RULES = Rules()

OP = r"- ([A-Z]\w+): \{"
ARGUMENT = r"(?<=[{ ])(filters|units|kernel_size|pool_size|strides|activation|padding|use_bias|input_dim|output_dim|rate): "


@RULES.rule("a layer misspelt", OP, 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("a layer in the wrong case", r"- (Conv2D|Conv1D|BatchNormalization|MaxPooling2D|GlobalAveragePooling2D)\b", 1)
def _(match, rng):
    return within(match, 1, match[1].replace("D", "d") if match[1][-1] == "D" else "Batchnormalization"), match[1]


@RULES.rule("PyTorch's name of a layer", r"- (Dense|Conv2D|BatchNormalization|MaxPooling2D)\b", 1)
def _(match, rng):
    theirs = {"Dense": "Linear", "Conv2D": "Conv2d", "BatchNormalization": "BatchNorm2d", "MaxPooling2D": "MaxPool2d"}
    return within(match, 1, theirs[match[1]]), match[1]


@RULES.rule("a Keras alias of a layer", r"- (MaxPooling2D|AveragePooling2D|GlobalAveragePooling2D)\b", 1)
def _(match, rng):
    return within(match, 1, match[1].replace("Pooling", "Pool").replace("Average", "Avg")), match[1]


@RULES.rule("an argument misspelt", ARGUMENT, 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("PyTorch's name of an argument", r"(?<=[{ ])(filters|units|strides|use_bias|output_dim): ", 1)
def _(match, rng):
    theirs = {
        "filters": "out_channels",
        "units": "out_features",
        "strides": "stride",
        "use_bias": "bias",
        "output_dim": "embedding_dim",
    }
    declared = "params:" in match.string[match.string.rfind("\n", 0, match.start()) : match.start()]
    return None if declared else (within(match, 1, theirs[match[1]]), match[1])


@RULES.rule("an argument that follows from the input", r"- (?:Dense|Conv2D): \{()(?=[a-z])", 1)
def _(match, rng):
    return within(match, 1, "in_channels: 3, " if "Conv" in match[0] else "in_features: 3, "), "leave it out"


@RULES.rule("a negative size", r"(?:filters|units|kernel_size|pool_size): (\d+)", 1)
def _(match, rng):
    return within(match, 1, f"-{match[1]}"), "greater than 0|positive integer"


@RULES.rule("a size of zero", r"(?:filters|units|output_dim): (\d+)", 1)
def _(match, rng):
    return within(match, 1, "0"), "greater than 0"


@RULES.rule("a fraction for a whole number", r"(?:filters|units|output_dim): (\d+)", 1)
def _(match, rng):
    return within(match, 1, f"{match[1]}.5"), "an integer"


@RULES.rule("a number in quotes", r"(?:filters|units|kernel_size): (\d+)", 1)
def _(match, rng):
    return within(match, 1, f'"{match[1]}"'), "without quotes"


@RULES.rule("an activation misspelt", r"activation: (relu|tanh|softmax|sigmoid)", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("a padding misspelt", r"padding: (same|valid|causal)", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("a padding in capitals", r"padding: (same|valid)", 1)
def _(match, rng):
    return within(match, 1, match[1].upper()), match[1]


@RULES.rule("yes and no for true and false", r"(?:use_bias|mask_zero|return_sequences|return_state): (true|false)", 1)
def _(match, rng):
    return within(match, 1, {"true": "yes", "false": "no"}[match[1]]), match[1]


@RULES.rule("a needed argument left out", r"- (Dense|Conv2D|Conv1D|LSTM|GRU): \{((?:filters|units): [^,{}]+, )", 1)
def _(match, rng):
    return within(match, 2, ""), match[2].partition(":")[0]


@RULES.rule("a misspelt name under from", r"^ +from: ([a-z]\w{3,})$", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("a misspelt name in a list under from", r"^ +from: \[([a-z_]\w{3,}),", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("a step key misspelt", r"^ +(name|from|repeat): ", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("a key of the document misspelt", r"^(inputs|layers|outputs|params|blocks|networks|train|budget):", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("another version", r"^nnspec: (1)$", 1)
def _(match, rng):
    return within(match, 1, "2"), "nnspec: 1"


@RULES.rule("capitals in the model's name", r"^name: (\w+)$", 1)
def _(match, rng):
    return within(match, 1, match[1].capitalize()), match[1]


@RULES.rule("a param misspelt", r"\$(\w{4,})", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("a param misspelt in an expression", r"\"\$\{(base|width|depth)\b", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule(
    "a colon missing behind an operation", r"^( +- )(Concatenate|Subtract|Attention|encoder|tower|decoder)(:)(?=\n +from)", 2
)
def _(match, rng):
    return within(match, 3, ""), f"{match[2]}:"


@RULES.rule("no space behind an argument's colon", r"(?<=[{ ])(filters|units|pool_size|rate):( )(?=\d)", 1)
def _(match, rng):
    return within(match, 2, ""), f"{match[1]}: "


@RULES.rule("an expression without quotes", r"\"(\$\{[^}\"]*\})\"(?=[,}])", 0)
def _(match, rng):
    return match[1], f'"{match[1]}"'


@RULES.rule("a size of zero in a shape", r"^ +\w+: \[(\d+),", 1)
def _(match, rng):
    return within(match, 1, "0"), "positive integer"


@RULES.rule("the batch axis in a shape", r"^ +\w+: \[(?=[\dHWT])()", 1)
def _(match, rng):
    return within(match, 1, "-1, "), "batch axis is implied"


@RULES.rule("a symbol in small letters", r"shape: \[([TS])\]", 1)
def _(match, rng):
    return within(match, 1, match[1].lower()), f"`{match[1]}`"


@RULES.rule("an element type misspelt", r"dtype: (int32)", 1)
def _(match, rng):
    return within(match, 1, rng.choice(["int_32", "in32", "int23"])), "int32"


@RULES.rule("an output misspelt", r"^outputs: \[(\w+)", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("an output of a step misspelt", r"recurrent\.(output|state)\b", 0)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("a block's name misspelt", r"^ +- (double_conv|conv_bn|inception|downsampling_unit): \{", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("a block's argument misspelt", r"^ +- (?:double_conv|conv_bn|unit|downsampling_unit): \{(filters): ", 1)
def _(match, rng):
    return within(match, 1, misspelt(match[1], rng)), match[1]


@RULES.rule("a tab for indentation", r"^(  )- [A-Z]", 1)
def _(match, rng):
    return within(match, 1, "\t"), "spaces"


@RULES.rule("a merge key", r"- Dense: \{()units", 1)
def _(match, rng):
    return within(match, 1, "<<: {use_bias: true}, "), ""


@RULES.rule("an argument given twice", r"- (?:Dense|Conv2D): \{((?:units|filters): [^,{}]+), ()", 2)
def _(match, rng):
    return within(match, 2, f"{match[1]}, "), ""


@RULES.rule("a budget that is too small", r"budget: \{parameters: ([\d_]+)", 1)
def _(match, rng):
    return within(match, 1, "10"), "the budget is 10"


def faults(seed: int = SEED, per_kind: int = PER_KIND) -> Iterator[Fault]:
    """Faults of every kind, at most ``per_kind`` of each, drawn from all the specs."""
    files = [file for folder in SPECS for file in sorted(folder.glob("*.nnspec.yaml"))]
    texts = [file.read_text(encoding="utf-8") for file in files]
    alone = [text for text in texts if not re.search(r"^use:", text, re.MULTILINE)]  # the others need files beside them
    return RULES.faults(alone, seed, per_kind)
