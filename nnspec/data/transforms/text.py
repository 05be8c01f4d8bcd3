"""Text transforms. The classes are named as in a spec."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, Strict, model_validator

from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms.base import Learned, Transform
from nnspec.layers.scalars import Flag, Number, PositiveInt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]

SPECIAL = ("<PAD>", "<SOS>", "<EOS>", "<UNK>")
"""The first tokens of every vocabulary: padding, start, end, and unknown token."""

_LONGEST = 1_000_000
"""The maximum row length that is accepted from a file."""

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_Token = Annotated[str, Strict(), Field(min_length=1)]


class tokenize(Transform):  # noqa: N801
    """Encodes a text as the indices of its words or characters.

    The vocabulary begins with `<PAD>` 0, `<SOS>` 1, `<EOS>` 2 and `<UNK>` 3, followed by the tokens of the training data in
    order of decreasing frequency. With `word`, a token is a sequence of letters, digits and inner apostrophes, or a single
    punctuation mark. With `space`, the text is split at whitespace, so `B-PER` and `[MASK]` are one token each. A list of
    strings, as in JSON lines and Parquet, is used as a list of tokens and not split further.
    """

    main_argument: ClassVar[str | None] = "by"
    takes_ragged: ClassVar[bool] = True
    learns: ClassVar[Mapping[str, Any]] = {"vocabulary": list[str]}

    by: Literal["word", "character", "space"] = Field(
        "word", description="The tokens: words and punctuation marks, characters, or substrings separated by whitespace."
    )
    lower: Flag = Field(False, description="Whether to convert the text to lowercase.")
    size: Annotated[int, Strict(), Field(gt=len(SPECIAL))] | None = Field(
        None, description="The maximum vocabulary size, including the four special tokens. Default: unlimited."
    )
    min_count: PositiveInt = Field(1, description="The minimum number of occurrences of a token in the training data.")
    start: Flag = Field(False, description="Whether to prepend `<SOS>` to each text.")
    end: Flag = Field(False, description="Whether to append `<EOS>` to each text.")
    vocabulary: list[_Token] | None = Field(
        None,
        min_length=1,
        description="The tokens in order, without the special tokens. Default: learned from the training data.",
    )

    @model_validator(mode="after")
    def _distinct(self) -> tokenize:
        if self.vocabulary is not None and len({*self.vocabulary, *SPECIAL}) < len(self.vocabulary) + len(SPECIAL):
            raise ValueError("`vocabulary` must not contain duplicates or special tokens")
        if self.vocabulary is not None and self.size is not None:
            raise ValueError("only one of `vocabulary` and `size` can be given")
        return self

    @property
    def takes_text(self) -> bool:
        return True

    def infer(self, column: Column) -> Column:
        if column.dtype not in ("text", "unknown") or len(column.shape) > 1:
            reason = f"`tokenize` requires text, but the values are {column.dtype} with shape {column.shape_text}"
            raise DataError(reason, help="put it first under `transform`, on a text column")
        return Column((None,), "int64", ragged=True)

    def fit(self, chunks: Iterable[Values]) -> Learned:
        if self.vocabulary is not None:
            return {"vocabulary": [*SPECIAL, *self.vocabulary]}
        counts: Counter[str] = Counter()
        for chunk in chunks:
            for text in chunk.tolist():
                counts.update(self.tokens(text))
        # A literal `<PAD>` in a text is not a special token.
        known = [token for token, count in counts.items() if count >= self.min_count and token not in SPECIAL]
        known.sort(key=lambda token: (-counts[token], token))
        return {"vocabulary": [*SPECIAL, *known][: self.size]}

    def apply(self, values: Values, learned: Learned) -> Values:
        import numpy as np

        numbers = {token: i for i, token in enumerate(learned["vocabulary"]) if token not in SPECIAL}
        before, behind = [1] * self.start, [2] * self.end
        made = np.empty(len(values), object)
        for row, text in enumerate(values.tolist()):
            tokens = [numbers.get(token, 3) for token in self.tokens(text)]
            made[row] = np.array([*before, *tokens, *behind], np.int64)
        return made

    def text(self, numbers: Iterable[int], learned: Learned) -> str:
        """Decode token indices to text, without start, end and padding tokens; words are joined by spaces.

        Example:
            >>> tokenize(by="word").text([1, 4, 5, 2, 0], {"vocabulary": [*SPECIAL, "good", "morning"]})
            'good morning'
        """
        known = learned["vocabulary"]
        tokens = [known[i] if i < len(known) else SPECIAL[3] for i in numbers if i > 2]
        return ("" if self.by == "character" else " ").join(tokens)

    def tokens(self, text: str | Sequence[str]) -> list[str]:
        """Split a text into tokens; a list of strings is a list of tokens.

        Example:
            >>> tokenize(by="space").tokens("B-PER O [MASK]")
            ['B-PER', 'O', '[MASK]']
        """
        if not isinstance(text, str):
            return [token.lower() for token in text] if self.lower else list(text)
        text = text.lower() if self.lower else text
        return _WORD.findall(text) if self.by == "word" else text.split() if self.by == "space" else list(text)


class pad(Transform):  # noqa: N801
    """Brings rows to one length: shorter rows are padded, longer rows are truncated."""

    main_argument: ClassVar[str | None] = "length"
    takes_ragged: ClassVar[bool] = True
    learns: ClassVar[Mapping[str, Any]] = {
        "length": Annotated[int, Field(ge=1, le=_LONGEST)],
        "buckets": list[Annotated[int, Field(ge=1, le=_LONGEST)]] | None,
    }

    length: PositiveInt | None = Field(None, description="The length. Default: that of the longest training row.")
    side: Literal["left", "right"] = Field("right", description="The side that is padded.")
    cut: Literal["left", "right"] = Field("right", description="The side at which longer rows are truncated.")
    value: Number = Field(0.0, description="The padding value; 0 is `<PAD>`.")
    buckets: Annotated[list[PositiveInt], Field(min_length=1)] | Annotated[int, Strict(), Field(ge=2)] | None = Field(
        None,
        description="Bucket lengths: each training batch contains rows of one bucket and is padded only to its length. An "
        "integer is the number of buckets, each with about as many rows. Default: all batches have the full length.",
    )

    @model_validator(mode="after")
    def _ascending(self) -> pad:
        if isinstance(self.buckets, list):
            if sorted(set(self.buckets)) != self.buckets:
                raise ValueError("`buckets` must be in ascending order, without duplicates")
            if self.length is not None and self.buckets[-1] > self.length:
                raise ValueError(f"`buckets` must not exceed `length`, {self.length}")
        return self

    def infer(self, column: Column) -> Column:
        if column.is_text or not column.shape:
            help = "put `tokenize` before it" if column.is_text or column.dtype == "unknown" else ""
            raise DataError(f"`pad` requires sequences, but a row's value has shape {column.shape_text}", help=help)
        if self.value != int(self.value) and column.dtype.startswith(("int", "uint")):
            raise DataError(f"`pad` cannot pad integers with {self.value:g}", help="write `value: 0`")
        return Column((self.length, *column.shape[1:]), column.dtype)

    def fit(self, chunks: Iterable[Values]) -> Learned:
        if self.length is not None and not isinstance(self.buckets, int):
            return {"length": self.length} | self._limits([], self.length)
        lengths: list[int] = []
        for chunk in chunks:
            lengths += map(len, chunk) if chunk.dtype == object else [chunk.shape[1]] * len(chunk)
        length = self.length or max([1, *lengths])
        return {"length": length} | self._limits(lengths, length)

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

        length = int(learned["length"])
        ragged = values.dtype == object
        dtype = np.asarray(values[0]).dtype if ragged and len(values) else np.dtype("int64") if ragged else values.dtype
        rest = np.asarray(values[0]).shape[1:] if ragged and len(values) else values.shape[2:]
        made = np.full((len(values), length, *rest), self.value, dtype)
        for row, value in enumerate(values):
            kept = value[-length:] if self.cut == "left" else value[:length]
            place = slice(length - len(kept), None) if self.side == "left" else slice(0, len(kept))
            made[row, place] = kept
        return made
