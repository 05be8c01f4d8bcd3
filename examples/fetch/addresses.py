"""US addresses whose words are labeled, as JSON lines, an address a line."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from xml.etree import ElementTree

from examples.fetch.packages import source

__all__ = ["addresses"]

_TEST, _VALIDATION = 0.2, 0.3


def addresses(folder: Path) -> None:
    """The addresses that were labeled by hand for `usaddress`: a fifth for the test, a tenth for validation, each address once.

    The MD5 sum of its text determines the split of an address. Its columns are the words in lower case, their shapes, their
    last two characters, and their tags; all digits are 0.
    """
    with source("usaddress==0.5.16") as package:
        labeled = ElementTree.parse(package / "training/labeled.xml").getroot()
        rows = {" ".join(str(word.text) for word in address).lower(): _row(address) for address in labeled}
    splits: dict[str, list[dict[str, list[str]]]] = {"train": [], "validation": [], "test": []}
    for text, row in rows.items():
        share = int(hashlib.md5(text.encode()).hexdigest()[:8], 16) / 16**8
        splits["test" if share < _TEST else "validation" if share < _VALIDATION else "train"].append(row)
    for split, own in splits.items():
        lines = [json.dumps(row) + "\n" for row in own]
        (folder / f"{split}.jsonl").write_text("".join(lines), "utf-8")


def _row(address: ElementTree.Element) -> dict[str, list[str]]:
    words = [re.sub("[0-9]", "0", str(word.text)) for word in address]
    bare = [word.lower().strip(".,;()#&") or word for word in words]
    return {
        "words": bare,
        "shapes": [_shape(word) for word in words],
        "endings": [word[-2:] for word in bare],
        "tags": [word.tag for word in address],
    }


def _shape(word: str) -> str:
    """The kinds of its characters, of equal ones at most three in a row: ``Xxxx.`` for ``Street.``."""
    kinds = re.sub("[a-z]", "x", re.sub("[A-Z]", "X", word))
    return re.sub(r"(.)\1{3,}", r"\1\1\1", kinds)
