"""Text transforms. The classes are named as in a spec."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, Strict, model_validator

from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms.base import Learned, Transform
from nnspec.layers.scalars import Flag, Number, PositiveInt
from nnspec.types import Config

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnspec.data.transforms.subwords import Subwords

    Values = NDArray[Any]

SPECIAL = ("<PAD>", "<SOS>", "<EOS>", "<UNK>")
"""The first tokens of every vocabulary: padding, start, end, and unknown token."""

_LONGEST = 1_000_000
"""The maximum row length that is accepted from a file."""

_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
"""The tokens of bytes."""

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\s*\n\s*")
_Length = Annotated[int, Field(ge=1, le=_LONGEST)]
_Token = Annotated[str, Strict(), Field(min_length=1)]


class VocabularySource(Config):
    """A vocabulary from elsewhere."""

    of: _Token | Annotated[list[_Token], Field(min_length=1)] | None = Field(
        None,
        description="An input or target whose vocabulary is used; or a list of them, from whose texts together it is learned.",
    )
    file: _Token | None = Field(None, description="A file with one token on each line, UTF-8.")

    @model_validator(mode="after")
    def _one(self) -> VocabularySource:
        if (self.of is None) == (self.file is None):
            raise ValueError("one of `of` and `file` must be given")
        return self

    @property
    def names(self) -> list[str]:
        """The inputs and targets."""
        return [self.of] if isinstance(self.of, str) else self.of or []


class tokenize(Transform):  # noqa: N801
    """Encodes a text as the indices of its words, characters or subwords.

    The vocabulary begins with `<PAD>` 0, `<SOS>` 1, `<EOS>` 2 and `<UNK>` 3, followed by the tokens of the training data in
    order of decreasing frequency. With `word`, a token is a sequence of letters, digits and inner apostrophes, or a single
    punctuation mark. With `space`, the text is split at whitespace, so `B-PER` and `[MASK]` are one token each. A list of
    strings, as in JSON lines and Parquet, is used as a list of tokens and not split further; with `sentences`, and before
    `pad: [8, 30]`, it is a list of texts.

    `by: subword` learns byte-level BPE, in which frequent words are one token and rare words several; `file` reads a
    `tokenizer.json` of the library `tokenizers`, whose token 0 becomes 4. Both require that library.
    """

    main_argument: ClassVar[str | None] = "by"
    takes_ragged: ClassVar[bool] = True
    learns: ClassVar[Mapping[str, Any]] = {"vocabulary": list[str], "tokenizer": str | None}

    by: Literal["word", "character", "space", "byte", "subword"] = Field(
        "word",
        description="The tokens: words and punctuation marks, characters, substrings separated by whitespace, the bytes "
        "of the text in UTF-8, whose vocabulary is always the 256 bytes, or parts of words (byte-level BPE of `size` tokens).",
    )
    file: _Token | None = Field(
        None, description="A `tokenizer.json` of the library `tokenizers`, in place of `by`. Its special tokens are not added."
    )
    lower: Flag = Field(False, description="Whether to convert the text to lowercase.")
    size: Annotated[int, Strict(), Field(gt=len(SPECIAL))] | None = Field(
        None, description="The maximum vocabulary size, including the four special tokens. Default: unlimited."
    )
    min_count: PositiveInt = Field(1, description="The minimum number of occurrences of a token in the training data.")
    start: Flag = Field(False, description="Whether to prepend `<SOS>` to each text.")
    end: Flag = Field(False, description="Whether to append `<EOS>` to each text.")
    sentences: Flag = Field(
        False,
        description="Whether to encode each sentence separately, for `pad: [8, 30]`: each string of a list, or the sentences "
        "of a text, which end at `.`, `!`, `?` or a line break.",
    )
    vocabulary: Annotated[list[_Token], Field(min_length=1)] | VocabularySource | None = Field(
        None,
        description="The tokens in order, without the special tokens; or `{of: INPUT}`, `{of: [INPUT, TARGET]}` or "
        "`{file: PATH}`. Default: learned from the training data.",
    )

    _known: Learned | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _of_file(cls, given: Any) -> Any:
        return {"by": "subword", **given} if isinstance(given, dict) and given.get("file") is not None else given

    @model_validator(mode="after")
    def _distinct(self) -> tokenize:
        given = self.vocabulary
        if isinstance(given, list) and len({*given, *SPECIAL}) < len(given) + len(SPECIAL):
            raise ValueError("`vocabulary` must not contain duplicates or special tokens")
        if self.file is not None:
            if self.by != "subword":
                raise ValueError("only one of `by` and `file` can be given")
            if given is not None or self.size is not None or self.min_count > 1:
                raise ValueError("the vocabulary is that of `file`: remove `vocabulary`, `size` and `min_count`")
            return self
        if self.by == "subword":
            if isinstance(given, list) or (isinstance(given, VocabularySource) and given.file is not None):
                raise ValueError("`by: subword` learns its vocabulary: remove `vocabulary`, or write `file: tokenizer.json`")
            if not isinstance(given, VocabularySource) or isinstance(given.of, list):
                if self.size is None or self.size < len(SPECIAL) + len(_BYTES):
                    raise ValueError(f"`by: subword` requires a `size` of at least {len(SPECIAL) + len(_BYTES)}")
                return self
        if self.by == "byte" and (given is not None or self.size is not None or self.min_count > 1):
            raise ValueError("`by: byte` has the vocabulary of all 256 bytes: remove `vocabulary`, `size` and `min_count`")
        learned = given is None or (isinstance(given, VocabularySource) and isinstance(given.of, list))
        if not learned and self.size is not None:
            raise ValueError("only one of `vocabulary` and `size` can be given")
        return self

    def with_vocabulary(self, known: Learned) -> tokenize:
        """Return a copy with a known vocabulary, which is not learned."""
        copy = self.model_copy()
        copy._known = known
        return copy

    def require_learned(self, learned: Learned) -> None:
        super().require_learned(learned)
        if self.by == "subword":
            _subwords(learned)

    @property
    def takes_text(self) -> bool:
        return True

    @property
    def needs_text(self) -> bool:
        return True

    def infer(self, column: Column) -> Column:
        if column.dtype not in ("text", "unknown") or len(column.shape) > 1:
            reason = f"`tokenize` requires text, but the values are {column.dtype} with shape {column.shape_text}"
            help = "put it first under `transform`, on a text column"
            if not column.shape and not column.ragged:
                help = 'put it first under `transform`, and write the values as texts: `"12"` instead of `12`'
            raise DataError(reason, help=help)
        return Column((None, None) if self.sentences else (None,), "int64", ragged=True)

    def fit(self, chunks: Iterable[Values]) -> Learned:
        if self._known is not None:
            return self._known
        if isinstance(self.vocabulary, list):
            return {"vocabulary": [*SPECIAL, *self.vocabulary]}
        if self.by == "byte":
            return {"vocabulary": [*SPECIAL, *_BYTES]}
        return self.learned_from(self.counted(chunks))

    def counted(self, chunks: Iterable[Values]) -> Counter[str]:
        """Count the tokens of texts; for subwords, which are not known yet, the texts."""
        counts: Counter[str] = Counter()
        for chunk in chunks:
            for text in chunk.tolist():
                for part in self._parts(text):
                    counts.update(self._texts(part) if self.by == "subword" else self.tokens(part))
        return counts

    def learned_from(self, counts: Counter[str]) -> Learned:
        """Return the vocabulary of counted tokens, or the subwords of counted texts."""
        if self.by == "subword":
            from nnspec.data.transforms.subwords import train_subwords

            assert self.size is not None
            return learned_from_tokenizer(train_subwords(counts.elements(), self.size - len(SPECIAL), self.min_count))
        # A literal `<PAD>` in a text is not a special token.
        known = [token for token, count in counts.items() if count >= self.min_count and token not in SPECIAL]
        known.sort(key=lambda token: (-counts[token], token))
        return {"vocabulary": [*SPECIAL, *known][: self.size]}

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

        split = _subwords(learned) if self.by == "subword" else None
        numbers = {token: i for i, token in enumerate(learned["vocabulary"]) if token not in SPECIAL and split is None}
        before, behind = [1] * self.start, [2] * self.end

        def encoded(text: str | Sequence[str]) -> Values:
            if split is not None:
                tokens = split.numbers(self._lowered(text))
            else:
                tokens = [numbers.get(token, 3) for token in self.tokens(text)]
            return np.array([*before, *tokens, *behind], np.int64)

        made = np.empty(len(values), object)
        for row, text in enumerate(values.tolist()):
            made[row] = [encoded(part) for part in self._parts(text)] if self.sentences else encoded(text)
        return made

    def _parts(self, text: str | Sequence[str]) -> Sequence[str | Sequence[str]]:
        """Return what is encoded separately: the whole text, or with `sentences` its sentences."""
        if not self.sentences:
            return [text]
        return sentences_of(text) if isinstance(text, str) else text

    def text(self, numbers: Iterable[int], learned: Learned) -> str:
        """Decode token indices to text, without start, end and padding tokens; words are joined by spaces.

        Example:
            >>> tokenize(by="word").text([1, 4, 5, 2, 0], {"vocabulary": [*SPECIAL, "good", "morning"]})
            'good morning'
            >>> tokenize(by="byte").text([4 + byte for byte in "é!".encode()], {})
            'é!'
        """
        if self.by == "byte":
            first, end = len(SPECIAL), len(SPECIAL) + len(_BYTES)
            return bytes(i - first for i in numbers if first <= i < end).decode("utf-8", "replace")
        if self.by == "subword":
            return _subwords(learned).text(numbers)
        known = learned["vocabulary"]
        tokens = [known[i] if i < len(known) else SPECIAL[3] for i in numbers if i > 2]
        return ("" if self.by == "character" else " ").join(tokens)

    def tokens(self, text: str | Sequence[str]) -> list[str]:
        """Split a text into tokens; a list of strings is a list of tokens.

        Example:
            >>> tokenize(by="space").tokens("B-PER O [MASK]")
            ['B-PER', 'O', '[MASK]']
        """
        text = self._lowered(text)
        if not isinstance(text, str):
            return list(text)
        if self.by == "byte":
            return [_BYTES[byte] for byte in text.encode("utf-8", "replace")]
        return _WORD.findall(text) if self.by == "word" else text.split() if self.by == "space" else list(text)

    def _texts(self, text: str | Sequence[str]) -> list[str]:
        lowered = self._lowered(text)
        return [lowered] if isinstance(lowered, str) else list(lowered)

    def _lowered(self, text: str | Sequence[str]) -> str | Sequence[str]:
        if not self.lower:
            return text
        return text.lower() if isinstance(text, str) else [token.lower() for token in text]


def learned_from_tokenizer(text: str) -> Learned:
    """Return the fitted state of subwords from a ``tokenizer.json``.

    Raises:
        NnspecError: If the library is not installed.
        ValueError: If the file is damaged or not supported.
    """
    learned: Learned = {"vocabulary": [], "tokenizer": text}
    return {"vocabulary": [*SPECIAL, *_subwords(learned).vocabulary], "tokenizer": text}


def _subwords(learned: Learned) -> Subwords:
    from nnspec.data.transforms.subwords import subwords

    text = learned.get("tokenizer")
    if not isinstance(text, str):
        raise ValueError("the tokenizer is missing")
    return subwords(text, len(SPECIAL))


def sentences_of(text: str) -> list[str]:
    """Split a text into sentences, at punctuation marks that end one and at line breaks.

    Example:
        >>> sentences_of('It is 3.5 km. "Far?" asked Ann.')
        ['It is 3.5 km.', '"Far?"', 'asked Ann.']
    """
    return [part for part in (found.strip() for found in _split_sentences(text)) if part]


def _split_sentences(text: str) -> Iterable[str]:
    start = 0
    for found in _SENTENCE.finditer(text):
        yield text[start : found.end()]
        start = found.end()
    yield text[start:]


class pad(Transform):  # noqa: N801
    """Brings rows to one length: shorter rows are padded, longer rows are truncated.

    A row is a list of numbers or tokens, or of lists of numbers of one length, such as boxes. Two lengths are those of a list
    of sentences: `pad: [8, 30]` is 8 sentences of 30 tokens.
    """

    main_argument: ClassVar[str | None] = "length"
    takes_ragged: ClassVar[bool] = True
    learns: ClassVar[Mapping[str, Any]] = {
        "length": _Length | Annotated[list[_Length], Field(min_length=2, max_length=2)],
        "row": list[_Length] | None,
        "buckets": list[_Length] | None,
    }

    length: PositiveInt | Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="The length, or the number of sentences and that of tokens. Default: that of the longest training row.",
    )
    side: Literal["left", "right"] = Field("right", description="The side that is padded.")
    cut: Literal["left", "right"] = Field("right", description="The side at which longer rows are truncated.")
    value: Number | None = Field(
        None, description="The padding value. Default: -1 for boxes and lists of classes, otherwise 0, which is `<PAD>`."
    )
    buckets: Annotated[list[PositiveInt], Field(min_length=1)] | Annotated[int, Strict(), Field(ge=2)] | None = Field(
        None,
        description="Bucket lengths: each training batch contains rows of one bucket and is padded only to its length. An "
        "integer is the number of buckets, each with about as many rows. Default: all batches have the full length.",
    )

    @model_validator(mode="after")
    def _ascending(self) -> pad:
        if self.buckets is not None and isinstance(self.length, list):
            raise ValueError("`buckets` requires a single `length`")
        if isinstance(self.buckets, list):
            if sorted(set(self.buckets)) != self.buckets:
                raise ValueError("`buckets` must be in ascending order, without duplicates")
            if isinstance(self.length, int) and self.buckets[-1] > self.length:
                raise ValueError(f"`buckets` must not exceed `length`, {self.length}")
        return self

    def infer(self, column: Column) -> Column:
        if column.is_text or not column.shape:
            help = "put `tokenize` before it" if column.is_text or column.dtype == "unknown" else ""
            raise DataError(f"`pad` requires sequences, but a row's value has shape {column.shape_text}", help=help)
        if self.value is not None and self.value != int(self.value) and column.dtype.startswith(("int", "uint")):
            raise DataError(f"`pad` cannot pad integers with {self.value:g}", help="write `value: 0`")
        if not _is_nested(column):
            if isinstance(self.length, list):
                reason = f"`pad: {self.length}` requires sentences, but a row's value has shape {column.shape_text}"
                raise DataError(reason, help="write one length, or put `tokenize: {sentences: true}` before it")
            return replace(column, shape=(self.length, *column.shape[1:]), ragged=False)
        if isinstance(self.length, int) or self.buckets is not None:
            reason = "`pad` requires two lengths for sentences, and no `buckets`"
            raise DataError(reason, help="write the numbers of sentences and of tokens: `pad: [8, 30]`")
        return Column((*(self.length or (None, None)), *column.shape[2:]), column.dtype)

    def for_column(self, column: Column) -> Transform:
        return self if self.value is not None else self.model_copy(update={"value": float(column.fill)})

    def fit(self, chunks: Iterable[Values]) -> Learned:
        if isinstance(self.length, list):
            return {"length": list(self.length)}
        lengths: list[int] = []
        inner: list[int] = []
        row: tuple[int, ...] = ()
        for chunk in chunks:
            lengths += map(len, chunk) if chunk.dtype == object else [chunk.shape[1]] * len(chunk)
            first = next((value for value in chunk if len(value)), None)
            if isinstance(first, list):
                inner += [len(sentence) for value in chunk for sentence in value]
            elif first is not None:
                row = first.shape[1:]
                if self.length is not None and not isinstance(self.buckets, int):
                    break  # only the shape of an item was unknown
        if inner:
            return {"length": [max([1, *lengths]), max([1, *inner])]}
        length = self.length or max([1, *lengths])
        return {"length": length} | self._limits(lengths, length) | ({"row": list(row)} if row else {})

    @property
    def sorts(self) -> bool:
        return self.buckets is not None

    def _limits(self, lengths: list[int], length: int) -> Learned:
        """Return the bucket lengths, if there are buckets."""
        import numpy as np

        if self.buckets is None:
            return {}
        if isinstance(self.buckets, list):
            return {"buckets": sorted({*(limit for limit in self.buckets if limit < length), length})}
        shares = [i / self.buckets for i in range(1, self.buckets)]
        limits = np.ceil(np.quantile(lengths, shares)).astype(int).tolist() if lengths else []
        return {"buckets": sorted({*(max(1, limit) for limit in limits if limit < length), length})}

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

        if isinstance(learned["length"], list):
            count, inner = learned["length"]
            made = np.full((len(values), count, inner), self.value or 0, np.int64)
            for row, sentences in enumerate(values):
                place, kept = self._place(sentences, count)
                if len(kept):
                    own = np.empty(len(kept), object)
                    own[:] = kept
                    made[row, place] = self.apply(own, {"length": inner})
            return made
        length = int(learned["length"])
        ragged = values.dtype == object
        dtype = np.asarray(values[0]).dtype if ragged and len(values) else np.dtype("int64") if ragged else values.dtype
        rest = np.asarray(values[0]).shape[1:] if ragged and len(values) else values.shape[2:]
        made = np.full((len(values), length, *(rest or learned.get("row") or ())), self.value or 0, dtype)
        for row, value in enumerate(values):
            place, kept = self._place(value, length)
            if len(kept):
                made[row, place] = kept
        return made

    def _place(self, value: Any, length: int) -> tuple[slice, Any]:
        """Return what is kept of a row, and its place in the padded row."""
        kept = value[-length:] if self.cut == "left" else value[:length]
        return slice(length - len(kept), None) if self.side == "left" else slice(0, len(kept)), kept


def _is_nested(column: Column) -> bool:
    """Whether rows are lists of lists of different lengths."""
    return column.ragged and column.shape[1:2] == (None,)
