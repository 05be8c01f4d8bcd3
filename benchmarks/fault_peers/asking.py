"""Giving mistakes to a peer in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.fault_peers.mistakes import Answer, Mistake

__all__ = ["Cost", "asked", "cost"]

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class Cost:
    """What one process takes: wall seconds and MiB of resident memory at most."""

    seconds: float
    memory: float


def asked(python: str, script: Path, mistakes: Sequence[Mistake]) -> list[Answer | None]:
    """What a peer says of each mistake; None where the mistake is none there: it makes what the good text makes.

    Args:
        python: The interpreter that has the peer.
        script: What it runs; it is given a file of texts and writes a file of ``{"made"}`` or ``{"message", …}``.
        mistakes: What is asked.

    Raises:
        RuntimeError: Where the peer refuses a good text, or its process fails.
    """
    texts = list(dict.fromkeys(text for mistake in mistakes for text in (mistake.good, mistake.text)))
    said = dict(zip(texts, _run(python, script, texts), strict=True))
    for mistake in mistakes:
        if "message" in said[mistake.good]:
            raise RuntimeError(f"the peer refuses a good text: {said[mistake.good]['message']}\n{mistake.good}")
    return [_answer(said[mistake.text], said[mistake.good]) for mistake in mistakes]


def _answer(said: dict[str, Any], good: dict[str, Any]) -> Answer | None:
    if "message" not in said:
        return None if said["made"] == good["made"] else Answer(None)
    stretches = tuple((line, first, end) for line, first, end in said["stretches"])
    return Answer(said["message"], tuple(said["lines"]), stretches)


def _run(python: str, script: Path, texts: list[str]) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        questions, answers = Path(folder) / "asked.json", Path(folder) / "answered.json"
        questions.write_text(json.dumps(texts), encoding="utf-8")
        done = subprocess.run(
            [python, str(script.resolve()), str(questions), str(answers)],
            cwd=folder,
            env=os.environ | _QUIET,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode or not answers.exists():
            raise RuntimeError(f"{python} {script.name} failed:\n{done.stderr[-2000:]}")
        result: list[dict[str, Any]] = json.loads(answers.read_text(encoding="utf-8"))
        return result


def cost(arguments: Sequence[str]) -> Cost:
    """What a fresh process takes to end well.

    Raises:
        RuntimeError: Where it does not.
    """
    start = time.perf_counter()
    process = subprocess.Popen(arguments, env=os.environ | _QUIET, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}")
    return Cost(seconds, usage.ru_maxrss / 1024)
