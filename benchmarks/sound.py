"""Random specs about sizes: what validates, builds; what is refused, Keras does not build either.

Each spec is drawn from the seed and its number. Of those that are accepted, the conditions on free sizes are compared with
trying (``tests.sound.oracle``), and each is built as ``nnspec build`` does it, and run at further sizes. Of those that are
refused, Keras builds and runs its layers by name where it can: what it takes is listed by diagnostic.

    python -m benchmarks sound --specs 2000 --seed 1
    python -m benchmarks sound --specs 5000 --seed 1 --no-build
    python -m benchmarks sound --specs 200 --seed 1 --expressions 20
    python -m benchmarks sound --seed 1 --only 17
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import yaml

import nnspec
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.graph import Model
from nnspec.spec import Spec, read_spec
from tests.proof.smallest import smallest
from tests.sound.drawing import numbered
from tests.sound.oracle import free_sizes, mismatches, widens_ones


@dataclass
class _Found:
    accepted: int = 0
    free: int = 0
    built: int = 0
    refused: int = 0
    not_tried: int = 0
    ones: int = 0
    crashed: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    keras: dict[str, list[tuple[int, str]]] = field(default_factory=dict)


def main(arguments: list[str]) -> int:
    """Runs the specs and prints what came of them; 1 where something that was accepted does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sound", description="What validates, builds.")
    parser.add_argument("--specs", type=int, default=300, help="how many are drawn")
    parser.add_argument("--seed", type=int, default=0, help="other specs")
    parser.add_argument(
        "--expressions",
        type=float,
        default=0,
        help="how often a step is a `Compute` of random expressions, against 20 for a layer",
    )
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    parser.add_argument("--only", type=int, help="the number of one spec: shown, and made small if it fails")
    parser.add_argument("--no-build", action="store_true", help="conditions against trying alone; no framework is loaded")
    parser.add_argument("--failures", type=Path, help="a folder for the specs that fail, made small")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    found = _Found()
    numbers = range(given.first, given.first + given.specs) if given.only is None else [given.only]
    with TemporaryDirectory() as folder:
        run = _Run(given.seed, given.expressions, Path(folder), build=not given.no_build, failures=given.failures, found=found)
        for place, number in enumerate(numbers):
            run.spec(number, show=given.only is not None)
            if sys.stderr.isatty():
                print(f"\r{place + 1:,}", end="", file=sys.stderr)
    _print(found, len(numbers), build=not given.no_build)
    return int(bool(found.wrong))


@dataclass
class _Run:
    seed: int
    expressions: float
    folder: Path
    build: bool
    failures: Path | None
    found: _Found

    def spec(self, number: int, *, show: bool) -> None:
        text = numbered(self.seed, number, self.expressions)
        if show:
            print(text)
        try:
            spec, model = self.compiled(text)
        except SpecError as error:
            self.refused(number, text, [problem for problem in error.diagnostics if problem.is_error])
            return
        except Exception as error:
            self.fails(number, text, f"validate: {type(error).__name__}: {error}", self.crash)
            return
        self.found.accepted += 1
        self.found.free += bool(free_sizes(model.main))
        for check in (self.oracle, self.built) if self.build else (self.oracle,):
            for wrong in check(spec, model):
                self.fails(number, text, wrong, check)

    def compiled(self, text: str) -> tuple[Spec, Model]:
        file = self.folder / "drawn.nnspec.yaml"
        file.write_text(text, encoding="utf-8")
        spec = nnspec.load(file)
        return spec, nnspec.compile(spec)

    def crash(self, spec: Spec, model: Model) -> list[str]:
        del spec, model
        return []

    def oracle(self, spec: Spec, model: Model) -> list[str]:
        return [str(mismatch) for mismatch in mismatches(spec, model, Random(0))]

    def built(self, spec: Spec, model: Model) -> list[str]:
        from tests.sound.built import build_failure

        self.found.built += 1
        with TemporaryDirectory(dir=self.folder) as folder:
            wrong = build_failure(spec, model, Path(folder))
        return [f"build: {wrong}"] if wrong else []

    def refused(self, number: int, text: str, problems: list[Diagnostic]) -> None:
        self.found.refused += 1
        code = problems[0].code
        self.found.codes[code] += 1
        if not self.build:
            return
        from tests.sound.in_keras import NotKeras, runs_in_keras

        try:
            sizes = runs_in_keras(yaml.safe_load(text), Random(0))
        except NotKeras:
            self.found.not_tried += 1
            return
        if sizes is not None and self.widens(sizes):
            self.found.ones += 1
        elif sizes is not None:
            self.found.keras.setdefault(code, []).append((number, f"{problems[0].message} (Keras runs at {sizes})"))

    def widens(self, sizes: dict[str, int]) -> bool:
        spec = read_spec(self.folder / "drawn.nnspec.yaml", [])
        return spec is not None and widens_ones(spec, sizes)

    def fails(self, number: int, text: str, wrong: str, check: Callable[[Spec, Model], list[str]]) -> None:
        kind = _kind(wrong)
        self.found.wrong[kind] += 1
        print(f"spec {number}: {wrong}", flush=True)
        if self.failures is None:
            return

        def still(other: str) -> bool:
            try:
                return any(_kind(said) == kind for said in check(*self.compiled(other)))
            except Exception:
                return False

        self.failures.mkdir(parents=True, exist_ok=True)
        small = smallest(text, still, tries=25 if kind.startswith("build") else 150)
        try:
            spec, model = self.compiled(small)
            wrong = next((said for said in check(spec, model) if _kind(said) == kind), wrong)
        except Exception:
            pass
        lines = "".join(f"# {line}\n" for line in wrong.splitlines())
        file = self.failures / f"{kind.replace(' ', '_').replace(':', '')}-{self.seed}-{number}.nnspec.yaml"
        file.write_text(lines + small, encoding="utf-8")


def _kind(wrong: str) -> str:
    """``loose``, ``strict``, ``shape``; of a build the kind of exception."""
    words = wrong.split()
    return " ".join(words[:2]).rstrip(":") if words[0] in ("build:", "validate:") else words[0]


def _print(found: _Found, count: int, *, build: bool) -> None:
    print(f"specs: {count:,} drawn, {found.accepted:,} accepted ({found.free:,} with free sizes), {found.refused:,} refused")
    kinds = ", ".join(f"{kind} {number}" for kind, number in found.wrong.most_common()) or "none"
    print(
        f"conditions against trying{f', {found.built:,} built and run' if build else ''}: {found.wrong.total()} failures ({kinds})"
    )
    print("refused: " + ", ".join(f"{code} {number}" for code, number in found.codes.most_common()))
    if not build:
        return
    taken = sum(len(of_one) for of_one in found.keras.values())
    tried = found.refused - found.not_tried
    print(f"of {tried:,} refused specs that Keras could be asked about, it builds and runs {taken + found.ones:,}:")
    print(f"  {found.ones:,} at sizes of 1 alone, which a merge repeats; the conditions exclude that on purpose")
    for code, of_one in sorted(found.keras.items(), key=lambda item: -len(item[1])):
        for number, message in of_one[:8]:
            print(f"  {code} ({len(of_one)}) spec {number}: {message[:300]}")
