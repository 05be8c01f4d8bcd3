"""Subword tokenizers: the files of the library ``tokenizers``, and byte-level BPE that is trained with it.

A ``tokenizer.json`` is hostile until `checked` has accepted it. Its components are those of a list, a regular expression is one
of the known ones, since others can take exponential time, and the text that it inserts is limited.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from nnspec.extras import require

MAX_BYTES = 2**26
"""The maximum size of a ``tokenizer.json``."""

_MAX_TOKENS = 2**20
_MAX_INSERTED = 64
"""How many times longer the normalizers and decoders of a file may make a text."""

_MODELS = {"BPE", "WordPiece", "WordLevel", "Unigram"}
_NORMALIZERS = {
    "Sequence", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "Lowercase", "Strip", "StripAccents", "BertNormalizer", "Replace",
    "Prepend", "ByteLevel",
}  # fmt: skip
_PRE_TOKENIZERS = {
    "Sequence", "ByteLevel", "BertPreTokenizer", "Whitespace", "WhitespaceSplit", "Metaspace", "Punctuation", "Digits",
    "CharDelimiterSplit", "UnicodeScripts", "Split",
}  # fmt: skip
_DECODERS = {"Sequence", "ByteLevel", "WordPiece", "Metaspace", "BPEDecoder", "CTC", "Fuse", "Strip", "Replace", "ByteFallback"}
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_PATTERNS = {
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"\p{N}{1,3}", r"\d", r"\s+", r"\p{N}", " {2,}", r"\w+|[^\w\s]+",
}  # fmt: skip
"""The regular expressions of GPT-2, Llama 3 and Qwen 2, and short ones without nested repetitions."""


def checked(text: str) -> str:
    """Check a ``tokenizer.json``, and return it without its padding, truncation and special tokens around a text.

    Raises:
        ValueError: If the file is damaged, or has a component that is not supported.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES:,} bytes")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("model"), dict):
        raise ValueError("it has no `model`")
    model = found["model"]
    if model.get("type") not in _MODELS:
        raise ValueError(f"its model is {_shown(model.get('type'))}, not one of {', '.join(sorted(_MODELS))}")
    if model.get("dropout"):
        raise ValueError("its model has `dropout`, which splits a text differently each time: set it to null")
    _check_numbers(model.get("vocab"), found.get("added_tokens"))
    for key, known in (("normalizer", _NORMALIZERS), ("pre_tokenizer", _PRE_TOKENIZERS), ("decoder", _DECODERS)):
        _check_component(key, found.get(key), known)
    return json.dumps({**found, "post_processor": None, "truncation": None, "padding": None}, separators=(",", ":"))


def _check_numbers(vocabulary: Any, added: Any) -> None:
    if isinstance(vocabulary, dict):
        numbers = list(vocabulary.values())
    elif isinstance(vocabulary, list):
        numbers = list(range(len(vocabulary)))
    else:
        raise ValueError("its model has no `vocab`")
    if added is not None and not (isinstance(added, list) and all(isinstance(token, dict) for token in added)):
        raise ValueError("`added_tokens` is not a list of tokens")
    numbers += [token.get("id") for token in added or ()]
    if not all(type(number) is int and 0 <= number < _MAX_TOKENS for number in numbers):
        raise ValueError(f"the numbers of its tokens are not integers below {_MAX_TOKENS:,}")
    if not numbers:
        raise ValueError("it has no tokens")


def _check_component(key: str, component: Any, known: set[str]) -> None:
    longer = 1
    for part in _parts(component):
        kind = part.get("type")
        if kind not in known:
            raise ValueError(f"its `{key}` is {_shown(kind)}, not one of {', '.join(sorted(known))}")
        pattern = part.get("pattern")
        if isinstance(pattern, dict) and "Regex" in pattern and pattern["Regex"] not in _PATTERNS:
            raise ValueError(f"its `{key}` has the regular expression {_shown(pattern['Regex'])}, which is not a known one")
        inserted = part.get("content") if kind == "Replace" else part.get("prepend") if kind == "Prepend" else ""
        longer *= max(1, len(str(inserted)) + (kind == "Prepend"))
        if longer > _MAX_INSERTED:
            raise ValueError(f"its `{key}` can make a text more than {_MAX_INSERTED} times longer")


def _parts(component: Any) -> Iterator[Mapping[str, Any]]:
    """Iterate over a component and those of a sequence; the parser of JSON limits how deep they are."""
    if component is None:
        return
    if not isinstance(component, dict):
        raise ValueError("a component is not an object with a `type`")
    yield component
    for inner in ("normalizers", "pretokenizers", "decoders"):
        own = component.get(inner, [])
        if not isinstance(own, list):
            raise ValueError(f"`{inner}` is not a list")
        for part in own:
            yield from _parts(part)


def _shown(value: Any) -> str:
    return f"`{str(value)[:60]}`"


class Subwords:
    """A tokenizer, whose tokens are numbered from `offset` on.

    Args:
        text: A ``tokenizer.json``.
        offset: The number of its first token.

    Raises:
        NnspecError: If the library is not installed.
        ValueError: If the file is damaged or not supported.
    """

    def __init__(self, text: str, offset: int) -> None:
        require("subword")
        from tokenizers import Tokenizer

        with _without_panics():
            self._tokenizer = Tokenizer.from_str(checked(text))
        self._offset = offset

    @property
    def vocabulary(self) -> list[str]:
        """The tokens in order; numbers without a token have no text."""
        found = self._tokenizer.get_vocab(with_added_tokens=True)
        tokens = [""] * (max(found.values()) + 1)
        for token, number in found.items():
            tokens[number] = token
        return tokens

    def numbers(self, text: str | Sequence[str]) -> list[int]:
        """Encode a text, or the words of a list one by one."""
        given = _encodable(text) if isinstance(text, str) else [_encodable(word) for word in text]
        with _without_panics():
            found = self._tokenizer.encode(given, is_pretokenized=not isinstance(text, str), add_special_tokens=False)
        return [self._offset + number for number in found.ids]

    def text(self, numbers: Iterable[int]) -> str:
        """Decode numbers of tokens; others are left out."""
        known = [number - self._offset for number in numbers if self._offset <= number < _MAX_TOKENS]
        with _without_panics():
            return str(self._tokenizer.decode(known))


class _without_panics:  # noqa: N801
    """Turns an error of the library, which may be a panic of Rust, into a ValueError."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, ValueError | KeyboardInterrupt | SystemExit | MemoryError):
            return
        raise ValueError(f"the library `tokenizers` reports: {str(error)[:200]}") from None


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@lru_cache(maxsize=16)
def subwords(text: str, offset: int) -> Subwords:
    """Return the tokenizer of a ``tokenizer.json``; the last ones are kept, because a server needs them at each request."""
    return Subwords(text, offset)


def train_subwords(texts: Iterable[str], size: int, min_count: int) -> str:
    """Train byte-level BPE (Radford et al. 2019), and return its ``tokenizer.json``.

    Args:
        texts: The texts.
        size: The maximum number of tokens; the 256 bytes are always tokens.
        min_count: How often a pair must occur to become a token.

    Raises:
        NnspecError: If the library is not installed.
    """
    require("subword")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=min_count, initial_alphabet=alphabet, special_tokens=[], show_progress=False
    )
    made.train_from_iterator((_encodable(text) for text in texts), trainer)
    return checked(made.to_str())
