"""Writes the text of Python's own language reference, as `help()` shows it, into data/topics: a paragraph a line.

A paragraph that stands in several topics is written once. The last tenth of the paragraphs is what is tested on.
Run ``python examples/language_model/text.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from pydoc_data.topics import topics


def write_text(folder: Path) -> None:
    """Writes ``train.txt`` and ``test.txt``.

    Args:
        folder: Where to.
    """
    paragraphs = dict.fromkeys(
        " ".join(paragraph.split()) for name in sorted(topics) for paragraph in topics[name].split("\n\n")
    )
    lines = [line for line in paragraphs if line.isascii() and len(line) > 1]
    folder.mkdir(parents=True, exist_ok=True)
    cut = len(lines) * 9 // 10
    for part, some in (("train", lines[:cut]), ("test", lines[cut:])):
        (folder / f"{part}.txt").write_text("\n".join(some) + "\n", encoding="utf-8")
        print(f"{folder / part}.txt: {len(some):,} paragraphs, {sum(map(len, some)):,} characters")


if __name__ == "__main__":
    write_text(Path(sys.argv[1] if len(sys.argv) > 1 else "data/topics"))
