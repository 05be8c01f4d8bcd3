"""The garbage collector of Python, during work that keeps what it makes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Do not search for unreachable cycles meanwhile.

    The tree of a document and the graphs made from it are kept until the end and have few cycles. The collector walks all of
    them again and again as they grow: a third of the time that a spec of 20,000 steps takes. Their size is limited, and so is
    what is not freed at once. Also a decorator; may be nested.

    Example:
        >>> with collector_paused():
        ...     gc.isenabled()
        False
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
