"""Formatting of plain values as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from nnspec.spec.scalars import resolve_plain

_PLAIN = re.compile(r"[A-Za-z_][\w./ -]*(?<! )")
# Words that other YAML versions read as another type; quotes avoid the ambiguity.
_WORDS = frozenset(("none", "nan", "inf", "yes", "no", "on", "off", "y", "n", "na"))


def dumped(document: Any) -> str:
    """Format a document as YAML with its key order kept. Reading it again gives the same values.

    Example:
        >>> print(dumped({"name": "net", "layers": ["Flatten", {"Dense": {"units": 3}}], "yes": "1e3"}), end="")
        name: net
        layers:
        - Flatten
        - Dense: {units: 3}
        'yes': "1e3"
    """
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)


def flow(value: Any) -> str:
    """Format a value on one line, as quoted in messages.

    Example:
        >>> flow({"file": "a.csv", "missing": ["?"], "header": True})
        '{file: a.csv, missing: ["?"], header: true}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    plain = _PLAIN.fullmatch(value) and isinstance(resolve_plain(value), str) and value.lower() not in _WORDS
    return value if plain else json.dumps(value, ensure_ascii=False)


class _Dumper(yaml.SafeDumper):
    """A dumper that quotes every string that would be read as another type."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(resolve_plain(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
