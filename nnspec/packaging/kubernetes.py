"""Names of Kubernetes's objects."""

from __future__ import annotations

import re

_LONGEST = 50
"""Names of pods, of at most 63 characters, are this name and some more."""


def object_name(name: str) -> str:
    """A name that Kubernetes accepts: lower-case letters, digits and hyphens, a letter first.

    Args:
        name: The name of a model.

    Example:
        >>> object_name("Digits_v2"), object_name("2nd.model-")
        ('digits-v2', 'n-2nd-model')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (plain if plain[:1].isalpha() else f"n-{plain}")[:_LONGEST].rstrip("-")
