"""Descriptions of the keywords of the language that appear next to layers."""

from __future__ import annotations

from collections.abc import Mapping

_TEXTS: Mapping[str, str] = {
    "Residual": (
        "Adds its input, or the output of `shortcut`, to the output of its layers (He et al. 2015).\n\n"
        "```yaml\n- Residual:\n    layers:\n      - Conv2D: {filters: 16, kernel_size: 3, padding: same}\n"
        "    shortcut: # optional: if the sizes change\n      - Conv2D: {filters: 16, kernel_size: 1}\n```"
    ),
    "Parallel": (
        "Runs branches in parallel on one input and merges their outputs (Szegedy et al. 2014). `merge: null` keeps each "
        "branch as an output.\n\n"
        "```yaml\n- Parallel:\n    branches:\n      - [{Dense: {units: 8}}]\n      - [{Dense: {units: 4}}]\n"
        "    merge: Concatenate\n```"
    ),
    "repeat": (
        "A key of a step, or of a group with `layers`: repeats it several times in sequence, with separate weights "
        "each time. `as` names the counter, from 0.\n\n"
        '```yaml\n- Dense: {units: "${8 * 2 ** i}"}\n  repeat: 3\n  as: i\n```\n\n'
        "A block or network with several inputs must have outputs with the same names: each repetition reads those of the one "
        "before, and the first reads `from`.\n\n"
        "```yaml\n- cell: # inputs: [x, h], outputs: {x: …, h: …}\n  from: {x: tokens, h: state}\n  repeat: 3\n```"
    ),
    "share": (
        "Used instead of an operation: applies the named layer again, with the same weights.\n\n"
        "```yaml\n- Dense: {units: 8}\n  name: first\n- share: first\n```"
    ),
    "layers": "The list of steps of a document, a block, a network, or a group: `{repeat: 3, layers: […]}`.",
    "blocks": (
        "Reusable groups of layers. Each use has separate weights.\n\n"
        "```yaml\nblocks:\n  unit:\n    params: {units: int, rate: 0.5}\n    layers:\n      - Dense: {units: $units}\n"
        "      - Dropout: {rate: $rate}\nlayers:\n  - unit: {units: 8}\n```"
    ),
    "networks": (
        "Networks. All uses of a network share its weights.\n\n"
        "```yaml\nnetworks:\n  tower:\n    inputs: {x: [4]}\n    layers:\n      - Dense: {units: 8}\nlayers:\n"
        "  - tower:\n    name: left\n    from: a\n  - tower:\n    name: right\n    from: b\n```"
    ),
    "use": "Includes blocks and networks of other files: `use: [common.nnspec.yaml]`, or `use: {backbone: {spec: FILE}}`.",
    "from": (
        "A key of a step: its input. A name, a list of names for a merge, or `{input: name}`. The names can be computed: "
        "`from: $names`, `from: ${['e' + str(i) for i in range(3)]}`, `from: {query: $q}`."
    ),
    "name": "A key of a step: its name, for references.",
    "freeze": "A key of a step: `freeze: true` excludes its weights from training.",
    "weights": (
        "A key of a step: `weights: {file: runs/first, prefix: encoder}`, the initial values of its weights. A key of a "
        "network: `weights: {file: runs/teacher}`, from a run whose own layers are the same."
    ),
    "inputs": "Declares the inputs of a document or a network: `inputs: {image: [28, 28, 1]}`; of a block: `[x]` or shapes.",
    "outputs": "Names the outputs: `outputs: [digit]`, or `outputs: {logits: decoder.logits}`.",
    "params": (
        "Named constants of a document or a block: `params: {width: 16}`, used as `$width` or `${2 * width}`. A declaration "
        "checks every value: its default, `--set params.width=32`, the argument of a block.\n\n"
        "```yaml\nparams:\n  width: {default: 64, type: int, at_least: 8, at_most: 512, multiple_of: 8, help: channels}\n"
        "  cell: {default: gru, one_of: [gru, lstm]}\n```\n\n"
        "Without `default` the param is required. Types: `int`, `float`, `bool`, `str`, and lists of them, such as "
        "`[int, int]`; the bounds of a list apply to each item. A mapping with other keys is a value."
    ),
    "check": (
        "Conditions of a document or a block, each with a message: on params, which are decided immediately, and on sizes of "
        "its inputs and outputs (axis 0 is the batch), which become conditions if they are free.\n\n"
        "```yaml\ncheck:\n  - that: width % heads == 0\n    message: heads must divide width\n"
        "  - that: output.shape[1] <= 512 and image.shape[1] % 32 == 0\n    message: too long for the service\n```\n\n"
        "Free sizes are compared with `==`, `<=`, `<`, `>=` and `>`, after `+ - *`, `// N` and `% N`, and joined by `and`."
    ),
}
_OTHERS = {
    "checks": "check",
    "that": "check",
    "param": "params",
    "block": "blocks",
    "network": "networks",
    "group": "layers",
    "as": "repeat",
    "input": "inputs",
    "output": "outputs",
}


def language_text(word: str) -> str | None:
    """The description of a keyword, with an example; None if it is not a keyword."""
    known = {name.lower(): name for name in _TEXTS}
    name = known.get(_OTHERS.get(word.lower(), word.lower()))
    return None if name is None else f"## {name}\n\nA keyword of the language, not a layer. {_TEXTS[name]}\n"
