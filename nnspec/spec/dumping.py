"""Plain values as the text of a document."""

from __future__ import annotations

from typing import Any

import yaml

from nnspec.spec.scalars import resolve_plain

__all__ = ["dumped"]


def dumped(document: Any) -> str:
    """A document as YAML, its keys in their order: read again, it gives the same values.

    Example:
        >>> print(dumped({"name": "net", "layers": ["Flatten", {"Dense": {"units": 3}}], "yes": "1e3"}), end="")
        name: net
        layers:
        - Flatten
        - Dense: {units: 3}
        'yes': "1e3"
    """
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)


class _Dumper(yaml.SafeDumper):
    """Quotes every string that would be read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(resolve_plain(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
