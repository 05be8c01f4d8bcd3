"""Documents that nobody would write: whatever stands in a file, there is an answer, and never a traceback."""

from __future__ import annotations

import os
import random

import pytest

from nnspec.api import validate
from tests.conftest import CORPUS

SPECS = [file.read_text(encoding="utf-8") for file in sorted(CORPUS.glob("*.yaml"))]
SPECS += [file.read_text(encoding="utf-8") for file in sorted((CORPUS.parent.parent / "specs").glob("*.yaml"))]
WORDS = [
    *(
        "null",
        "-1",
        "0",
        "1e9",
        "1_000_000_000",
        "[]",
        "{}",
        "[1, 2]",
        "{a: 1}",
        "true",
        "no",
        "'x'",
        '"${i}"',
        "$w",
        "${",
        "*a",
        "&a 1",
    ),
    *(
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
        "as: i",
        "share:",
        "use:",
        "blocks:",
    ),
    *(
        "!!int 3",
        "<<",
        "---",
        "\t",
        ":",
        "- ",
        "#",
        "T",
        "T//2",
        "é",
        "\x00",
        "💥",
        ".",
        "/",
        "a.b",
        "a/b",
        "x" * 300,
        ".inf",
        ".nan",
    ),
]
COUNT = 100_000 if os.environ.get("NNSPEC_FULL") else 2_000
PARTS = 20


def mutated(random_: random.Random) -> str:
    text = random_.choice(SPECS)
    for _ in range(random_.randint(1, 6)):
        lines = text.split("\n")
        at = random_.randrange(len(lines))
        match random_.randrange(9):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, random_.choice(lines))
            case 2:
                lines[at] = "  " * random_.randrange(3) + lines[at]
            case 3:
                lines[at] = lines[at][random_.randrange(3) :]
            case 4:
                words = lines[at].split(" ")
                words[random_.randrange(len(words))] = random_.choice(WORDS)
                lines[at] = " ".join(words)
            case 5:
                position = random_.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:position] + random_.choice(WORDS) + lines[at][position:]
            case 6:
                position = random_.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:position] + lines[at][position + random_.randint(1, 3) :]
            case 7:
                other = random_.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 8:
                piece = random_.choice(random_.choice(SPECS).split("\n"))
                lines.insert(at, piece)
        text = "\n".join(lines)
    return text


@pytest.mark.parametrize("part", range(PARTS))
def test_a_mutated_spec_is_answered_without_a_traceback(part, tmp_path):
    random_ = random.Random(part)
    file = tmp_path / "net.nnspec.yaml"
    for _ in range(COUNT // PARTS):
        text = mutated(random_)
        file.write_text(text, encoding="utf-8")
        try:
            found = validate(file)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\n{text}") from error
        assert all(d.message and 1 <= d.span.line <= text.count("\n") + 2 for d in found if d.span.file == str(file)), text
