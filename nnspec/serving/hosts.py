"""Validation of the ``Host`` header, as protection against DNS rebinding.

In a DNS rebinding attack, a web page of another site sends requests to this server under the host name of that site.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence

from nnspec.serving.errors import RequestError

ANY = "*"
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^:\[\]]*))(?::[0-9]*)?")


def allowed_hosts(listening: str, named: Collection[str]) -> frozenset[str] | None:
    """The host names accepted besides IP addresses and ``localhost``; None if all are.

    Args:
        listening: The address the server listens on. On a loopback address, only `named` hosts are accepted; on other
            addresses, all hosts are accepted unless some are `named`.
        named: The configured names; ``*`` accepts all, ``*.example.org`` all subdomains.

    Example:
        >>> allowed_hosts("127.0.0.1", []), allowed_hosts("0.0.0.0", []), sorted(allowed_hosts("0.0.0.0", ["Nets.example"]))
        (frozenset({'127.0.0.1'}), None, ['0.0.0.0', 'nets.example'])
    """
    if ANY in named or not (named or _is_loopback(listening)):
        return None
    return frozenset(name.lower().rstrip(".") for name in (listening, *named))


def require_host(given: Sequence[str], allowed: frozenset[str] | None) -> None:
    """Reject a request whose ``Host`` header is not accepted.

    Args:
        given: Its ``Host`` headers.
        allowed: The host names accepted besides IP addresses and ``localhost``; None if all are.

    Raises:
        RequestError: With 421, or with 400 if there are several ``Host`` headers.
    """
    if len(given) > 1:
        raise RequestError(400, "the request has several `Host` headers")
    if allowed is None or not given:
        return  # HTTP/1.0 clients are not browsers
    name = _name(given[0])
    if name == "localhost" or _is_address(name) or name in allowed:
        return
    if any(pattern.startswith("*.") and name.endswith(pattern[1:]) for pattern in allowed):
        return
    advice = f"to accept the host, start the server with --allow-host {name[:200]!r}"
    raise RequestError(421, f"unknown host {name[:200]!r}; send the `Host` header of this server", advice=advice)


def _name(host: str) -> str:
    """The host name without the port, in lower case.

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
