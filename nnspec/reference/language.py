"""The words of the language that stand where layers do and are none."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["language_text"]

_TEXTS: Mapping[str, str] = {
    "Residual": (
        "Adds its input, or what `shortcut` makes of it, to the output of its layers (He et al. 2015).\n\n"
        "```yaml\n- Residual:\n    layers:\n      - Conv2D: {filters: 16, kernel_size: 3, padding: same}\n"
        "    shortcut: # optional: where the sizes change\n      - Conv2D: {filters: 16, kernel_size: 1}\n```"
    ),
    "Parallel": (
        "Runs branches side by side on one input and merges their outputs (Szegedy et al. 2014). `merge: null` keeps each "
        "branch as an output.\n\n"
        "```yaml\n- Parallel:\n    branches:\n      - [{Dense: {units: 8}}]\n      - [{Dense: {units: 4}}]\n"
        "    merge: Concatenate\n```"
    ),
    "repeat": (
        "Stands beside a step, or beside `layers` for a group, and runs it several times in a row, with weights of its own "
        "each time. `as` names the counter, from 0.\n\n"
        '```yaml\n- Dense: {units: "${8 * 2 ** i}"}\n  repeat: 3\n  as: i\n```'
    ),
    "share": (
        "Stands in place of an operation: the layer of that name again, with the same weights.\n\n"
        "```yaml\n- Dense: {units: 8}\n  name: first\n- share: first\n```"
    ),
    "layers": "The list of steps of a document, a block, a network, or a group: `{repeat: 3, layers: […]}`.",
    "blocks": (
        "Layers of your own, each use with weights of its own.\n\n"
        "```yaml\nblocks:\n  unit:\n    params: {units: int, rate: 0.5}\n    layers:\n      - Dense: {units: $units}\n"
        "      - Dropout: {rate: $rate}\nlayers:\n  - unit: {units: 8}\n```"
    ),
    "networks": (
        "Whole networks. Every use of one has the same weights.\n\n"
        "```yaml\nnetworks:\n  tower:\n    inputs: {x: [4]}\n    layers:\n      - Dense: {units: 8}\nlayers:\n"
        "  - tower:\n    name: left\n    from: a\n  - tower:\n    name: right\n    from: b\n```"
    ),
    "use": "Takes blocks and networks of other files: `use: [common.nnspec.yaml]`, or `use: {backbone: {spec: FILE}}`.",
    "from": "Stands beside an operation: what it reads. A name, a list of names for a merge, or `{input: name}`.",
    "name": "Stands beside an operation: what others call the step.",
    "freeze": "Stands beside an operation: `freeze: true` keeps its weights from training.",
    "weights": "Stands beside an operation: `weights: {file: runs/first, prefix: encoder}`, what its weights start from.",
    "inputs": "Declares the inputs of a document or a network: `inputs: {image: [28, 28, 1]}`.",
    "outputs": "Names the outputs: `outputs: [digit]`, or `outputs: {logits: decoder.logits}`.",
    "params": "Named constants: `params: {width: 16}`, used as `$width` or `${2 * width}`.",
}
_OTHERS = {"block": "blocks", "network": "networks", "group": "layers", "as": "repeat", "input": "inputs", "output": "outputs"}


def language_text(word: str) -> str | None:
    """What a word of the language means, with an example; None for one that is none."""
    known = {name.lower(): name for name in _TEXTS}
    name = known.get(_OTHERS.get(word.lower(), word.lower()))
    return None if name is None else f"## {name}\n\nA word of the language, no layer. {_TEXTS[name]}\n"
