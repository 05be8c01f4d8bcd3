"""What the README shows is so."""

from __future__ import annotations

import re
from pathlib import Path

from nnspec.api import validate
from nnspec.cli import _COMMANDS

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_spec_in_the_readme_is_good(write):
    [text] = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert validate(write(text)) == []


def test_the_mistake_in_the_readme_is_reported_so(write):
    lines = [
        "nnspec: 1",
        "name: net",
        "inputs:",
        "  x: [8, 8, 1]",
        "layers:",
        "  - MaxPooling2D",
        "  # the next",
        "  # does not fit",
    ]
    [found] = validate(write("\n".join([*lines, "  - Conv2D: {filters: 16, kernel_size: 5}\n"])))
    shown = re.search(r"```\n(error\[.*?)```", README, re.DOTALL)
    assert shown is not None
    assert f"error[{found.code}]: {found.message}\n  --> net.nnspec.yaml:{found.span.line}:{found.span.column}\n" in shown[1]
    assert f"= help: {found.help}\n" in shown[1]


def test_every_command_stands_in_the_readme():
    assert {command for command in _COMMANDS if f"`nnspec {command}" not in README} == set()
