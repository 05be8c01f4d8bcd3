"""A worker in a process of its own: ``python -m nnspec.sweeping.worker_process``.

It reads its settings, one line of JSON, from its standard input, which the starting process keeps open. It stops after its
step when the input ends: that process was interrupted, or killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.spec import Limits
from nnspec.sweeping.storage import storage_of
from nnspec.sweeping.study import work
from nnspec.training.backends.devices import grow_memory
from nnspec.training.loop.interruption import Interruption, interruptible

ERROR = 3
"""The exit status with which the last line of the output is JSON with the error."""


def main() -> int:
    """Train trials; return the exit status."""
    settings = json.loads(sys.stdin.buffer.readline())
    storage = storage_of(settings["storage"])
    output, sys.stdout = sys.stdout, sys.stderr  # so that nothing else is written to it
    try:
        return _work(settings)
    except NnspecError as error:
        print(json.dumps({"error": storage.without_secrets(str(error))}), file=output, flush=True)
        return ERROR
    except Exception:
        print(storage.without_secrets(traceback.format_exc()), file=sys.stderr, flush=True)
        return 1


def _work(settings: dict[str, Any]) -> int:
    if settings["processors"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, settings["processors"])  # before the frameworks count them
    with interruptible() as interruption:
        threading.Thread(target=_watch, args=(interruption,), daemon=True).start()
        work(
            settings["file"],
            settings["overrides"],
            storage=storage_of(settings["storage"]),
            study=settings["study"],
            path=settings["path"],
            root=settings["root"],
            limits=Limits(**settings["limits"]),
            interruption=interruption,
            load_frameworks=_load_frameworks,
        )
        return interruption.status if interruption() else 0


def _load_frameworks() -> None:
    grow_memory(os.environ["KERAS_BACKEND"])
    import keras

    keras.ops.zeros(())  # devices are initialized by the first operation


def _watch(interruption: Interruption) -> None:
    while os.read(0, 4096):
        pass
    interruption.signal = interruption.signal or signal.SIGTERM


if __name__ == "__main__":
    sys.exit(main())
