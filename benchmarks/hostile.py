"""Documents that nobody would write: random ones by the thousand, and those made to do harm. ``python -m benchmarks hostile``.

Half of the random documents are good specs with a few of their characters, words and lines changed; in the other half whole
values are taken away, doubled, swapped with those of another spec, or replaced by a word that means something. What is
asked: an answer, never a traceback; at most 5 s for each; at most 500 MB for the process that checks them all. The seed and
the number of documents are arguments: ``--documents 100000 --seed 0``.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from nnspec.api import validate

ROOT = Path(__file__).parent.parent
SPECS = [
    file.read_text(encoding="utf-8")
    for folder in ("tests/corpus", "specs")
    for file in sorted((ROOT / folder).glob("*.nnspec.yaml"))
]
TREES = [yaml.load(text, Loader=yaml.BaseLoader) for text in SPECS]
MOST_SECONDS = 5.0
MOST_BYTES = 500_000_000

WORDS = [
    *[
        "null",
        "-1",
        "0",
        "1e9",
        "1_000_000_000",
        "[]",
        "{}",
        "true",
        "no",
        "'x'",
        '"${i}"',
        "$w",
        "${",
        "*a",
        "<<",
        "---",
        ":",
        "#",
        ".",
        "/",
        "a.b",
        "a/b",
        ".inf",
        ".nan",
        "T",
        "T//2",
        "é",
        "\x00",
        "💥",
    ],
    *[
        "Dense",
        "Conv2D",
        "LSTM",
        "Add",
        "Residual",
        "Parallel",
        "layers:",
        "from:",
        "name:",
        "repeat:",
        "share:",
        "use:",
        "blocks:",
    ],
    *("[1, 2]", "{a: 1}", "&a 1", "as: i", "!!int 3", "\t", "- ", "x" * 300, "${" + "(" * 300),
]

BOMBS = {
    "a merge bomb of 500 bytes": "nnspec: 1\na0: &a0 {x: 1}\n"
    + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 18)),
    "an alias bomb": "nnspec: 1\nname: net\na0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)),
    "2,000 brackets": "nnspec: 1\nname: net\nlayers: " + "[" * 2000 + "]" * 2000,
    "2,000 levels of indentation": "nnspec: 1\nname: net\n" + "".join(" " * i + "a:\n" for i in range(2000)),
    "a self-reference": "nnspec: 1\nname: net\nlayers: &a [*a]\n",
    "units: 1_000_000_000": "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 1_000_000_000}\n",
    "a billion repeats": "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 4}\n    repeat: 1_000_000_000\n",
    "repeats in repeats": "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n"
    + "".join("    " * i + "  - repeat: 100\n" + "    " * i + "    layers:\n" for i in range(6))
    + "    " * 6
    + "  - Dense: {units: 4}\n",
    "blocks that double": "nnspec: 1\nname: net\nblocks:\n  b0: {layers: [{Dense: {units: 4}}]}\n"
    + "".join(f"  b{i}: {{layers: [b{i - 1}, b{i - 1}]}}\n" for i in range(1, 40))
    + "inputs: {x: [4]}\nlayers: [b39]\n",
    "a power of powers": "nnspec: 1\nname: net\nparams: {a: '${9**9**9**9}'}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $a}\n",
    "a product of strings": "nnspec: 1\nname: net\nparams: {a: \"${'x' * 1000000000}\"}\ninputs: {x: [4]}\nlayers: [Flatten]\n",
    "params that double": "nnspec: 1\nname: net\nparams:\n  a0: xxxxxxxxxx\n"
    + "".join(f'  a{i}: "${{a{i - 1}}}${{a{i - 1}}}"\n' for i in range(1, 60))
    + "inputs: {x: [4]}\nlayers: [Flatten]\n",
    "lists that double": "nnspec: 1\nname: net\nparams:\n  a0: [1, 1]\n"
    + "".join(f'  a{i}: "${{[a{i - 1}, a{i - 1}]}}"\n' for i in range(1, 60))
    + "inputs: {x: $a59}\nlayers: [Flatten]\n",
    "a remainder that formats": "nnspec: 1\nname: net\nparams: {a: \"${'%2000000000d' % 3}\"}\ninputs: {x: [4]}\nlayers: [Flatten]\n",
    "a number of 60,000 digits": f"nnspec: 1\nname: net\ninputs: {{x: [{'9' * 60_000}]}}\nlayers: [Flatten]\n",
    "an expression of 60,000 brackets": f"nnspec: 1\nname: net\nparams: {{a: '${{{'(' * 30_000}1{')' * 30_000}}}'}}\n",
    "10 MB of one line": "nnspec: 1\nname: " + "a" * 10_000_000,
    "100,000 unknown layers": "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n" + "  - Dens: {unit: 3}\n" * 100_000,
    "20,000 names that nearly match": "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n"
    + "".join(f"  - Dense: {{units: 4}}\n    name: layer{i}\n    from: layr{i}\n" for i in range(20_000)),
}  # fmt: skip


def mutated(rng: random.Random) -> str:
    """A document that was a good spec."""
    return _by_value(rng) if rng.random() < 0.5 else _by_text(rng)


def _by_text(rng: random.Random) -> str:
    lines = rng.choice(SPECS).split("\n")
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(lines))
        line = lines[at]
        position = rng.randrange(len(line) + 1)
        match rng.randrange(9):
            case 0 if len(lines) > 1:
                del lines[at]
            case 1:
                lines.insert(at, rng.choice(lines))
            case 2:
                lines[at] = "  " * rng.randrange(3) + line
            case 3:
                lines[at] = line[rng.randrange(3) :]
            case 4:
                words = line.split(" ")
                words[rng.randrange(len(words))] = rng.choice(WORDS)
                lines[at] = " ".join(words)
            case 5:
                lines[at] = line[:position] + rng.choice(WORDS) + line[position:]
            case 6:
                lines[at] = line[:position] + line[position + rng.randint(1, 3) :]
            case 7:
                other = rng.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                lines.insert(at, rng.choice(rng.choice(SPECS).split("\n")))
    return "\n".join(lines)


def _by_value(rng: random.Random) -> str:
    tree = yaml.load(yaml.dump(rng.choice(TREES)), Loader=yaml.BaseLoader)
    for _ in range(rng.randint(1, 4)):
        holder, key = rng.choice(_places(tree))
        other_holder, other_key = rng.choice(_places(rng.choice(TREES)))
        match rng.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(rng.randrange(len(holder) + 1), deepcopy(holder[key]))
            case 2:
                holder[key] = deepcopy(other_holder[other_key])
            case 3 if isinstance(holder, dict):
                holder[rng.choice((str(other_key), rng.choice(WORDS)))] = holder.pop(key)
            case 4:
                holder[key] = rng.choice((rng.choice(WORDS), [rng.choice(WORDS)], {rng.choice(WORDS): holder[key]}))
            case _:
                holder[key] = [holder[key]]
        if not tree:
            break
    # Plain scalars, quoted by chance only: a number is a number again.
    text: str = yaml.dump(
        tree, sort_keys=False, allow_unicode=True, default_flow_style=rng.choice((None, False, True)), width=1000
    )
    return text.replace("'", "") if rng.random() < 0.8 else text


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            found.append((node, key))
            stack.append(node[key])
    return found or [({"": ""}, "")]


def main(arguments: list[str]) -> int:
    """Prints what was found; the status is 1 where a document was not answered as it should be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks hostile")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    answers: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    failures: list[str] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.nnspec.yaml"

        def check(text: str, what: str) -> float:
            file.write_text(text, encoding="utf-8")
            start = time.process_time()
            try:
                found = validate(file)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                failures.append(f"{what}: {type(error).__name__}: {error}\n{text[:2000]}")
                answers["traceback"] += 1
                return time.process_time() - start
            codes.update(problem.code for problem in found)
            answers["refused" if any(problem.is_error for problem in found) else "good"] += 1
            return time.process_time() - start

        for name, text in BOMBS.items():
            taken = check(text, name)
            slowest = max(slowest, taken)
            print(f"{name:<34} {len(text):>12,} bytes  {taken:6.3f} s  {_peak() / 1e6:6.0f} MB at most so far", flush=True)
        for number in range(options.documents):
            taken = check(mutated(rng), f"document {number} of seed {options.seed}")
            if taken > slowest:
                slowest = taken
            if taken > MOST_SECONDS:
                failures.append(f"document {number} of seed {options.seed} took {taken:.1f} s")
            if sys.stderr.isatty() and number % 1000 == 0:
                print(f"\r{number:,}", end="", file=sys.stderr)
    if _peak() > MOST_BYTES:
        failures.append(f"{_peak() / 1e6:.0f} MB")
    print(
        f"{sum(answers.values()):,} documents: {answers['refused']:,} refused, {answers['good']:,} good, {answers['traceback']:,} tracebacks"
    )
    print(f"{len(codes)} kinds of diagnostic; slowest {slowest:.2f} s; peak memory {_peak() / 1e6:.0f} MB")
    for failure in failures[:20]:
        print(failure)
    return 1 if failures or slowest > MOST_SECONDS else 0


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
