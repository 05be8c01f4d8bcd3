"""What a server may be called in a request's ``Host``: a page of another site must not reach it by a name of its own.

Source: "DNS rebinding"; a browser sends such a page's requests to this machine under the page's own name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence

from nnspec.serving.refusals import Refused

__all__ = ["allowed_hosts", "require_host"]

ANY = "*"
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^:\[\]]*))(?::[0-9]*)?")


def allowed_hosts(listening: str, named: Collection[str]) -> frozenset[str] | None:
    """The names that are allowed beside addresses and ``localhost``; None where all are.

    Args:
        listening: The address that is listened on. On one that only this machine reaches, no other name is allowed unless it
            is named; a server that others reach is called by whatever name they know it.
        named: The names that were asked for; ``*`` allows all, ``*.example.org`` those that end so.

    Example:
        >>> allowed_hosts("127.0.0.1", []), allowed_hosts("0.0.0.0", []), sorted(allowed_hosts("0.0.0.0", ["Nets.example"]))
        (frozenset({'127.0.0.1'}), None, ['0.0.0.0', 'nets.example'])
    """
    if ANY in named or not (named or _is_loopback(listening)):
        return None
    return frozenset(name.lower().rstrip(".") for name in (listening, *named))


def require_host(given: Sequence[str], allowed: frozenset[str] | None) -> None:
    """Refuses a request that calls this server by another name.

    Args:
        given: Its headers ``Host``.
        allowed: The names that are allowed beside addresses and ``localhost``; None where all are.

    Raises:
        Refused: With 421, or with 400 where there are several.
    """
    if len(given) > 1:
        raise Refused(400, "the request has several headers `Host`")
    if allowed is None or not given:
        return  # HTTP/1.0: no browser
    name = _name(given[0])
    if name == "localhost" or _is_address(name) or name in allowed:
        return
    if any(wanted.startswith("*.") and name.endswith(wanted[1:]) for wanted in allowed):
        return
    raise Refused(421, f"this server is not called {name[:200]!r}; start it with --allow-host NAME to allow a name")


def _name(host: str) -> str:
    """The name without the port, small.

    Example:
        >>> _name("LocalHost:8000"), _name("[::1]:8000"), _name("a."), _name("[::1].b")
        ('localhost', '::1', 'a', '[::1].b')
    """
    match = _HOST.fullmatch(host.strip().lower())
    return (match[1] or match[2] or "").rstrip(".") if match else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)
