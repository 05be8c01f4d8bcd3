"""Values that several threads compute once and keep while they are in use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The values that were used last, by key.

    Args:
        most: The number of values that are kept.

    Example:
        >>> recent = Recent(2)
        >>> [recent.get(key, lambda: print("load", key) or key) for key in (1, 1, 2, 3, 1)]
        load 1
        load 2
        load 3
        load 1
        [1, 1, 2, 3, 1]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._found: OrderedDict[Any, Future[Value]] = OrderedDict()

    def get(self, key: Any, load: Callable[[], Value]) -> Value:
        """Return a value. It is loaded by the first thread that asks for it; others wait. A failed load is repeated."""
        with self._lock:
            future = self._found.get(key)
            is_new = future is None
            if future is None:
                future = self._found[key] = Future()
                while len(self._found) > self._most:
                    self._found.popitem(last=False)
            self._found.move_to_end(key)
        if is_new:
            try:
                future.set_result(load())
            except BaseException as error:
                with self._lock:
                    if self._found.get(key) is future:
                        del self._found[key]
                future.set_exception(error)
        return future.result()
