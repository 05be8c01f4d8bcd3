"""The arrays of a file of weights, by the layers or modules that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from nnspec.diagnostics import NnspecError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Shape = tuple[int, ...]


class UnreadableWeights(NnspecError):
    """A file of weights that is damaged or of another kind. The text completes a sentence that begins with the file."""


@dataclass(frozen=True)
class Module:
    """A layer of Keras or a module of PyTorch, as its file describes it.

    Attributes:
        name: Its name, such as ``layer1.0.conv1``.
        parts: The parts of its name, from the outermost scope.
        arrays: The shapes of its arrays, by their names in it.
        places: The place of each of these arrays in the file.
        kind: The class of the layer, ``conv2d``, if the file states it.
        ranks: Its positions in orders of execution that the file states, by the name of the order.
        inner: The layers in it, if it may be a model and not a layer.
    """

    name: str
    parts: tuple[str, ...]
    arrays: Mapping[str, Shape]
    places: Mapping[str, str]
    kind: str | None = None
    ranks: Mapping[str, int] = field(default_factory=dict)
    inner: tuple[Module, ...] = ()


class WeightsSource(Protocol):
    """An open file of weights.

    Attributes:
        framework: ``Keras`` or ``PyTorch``.
    """

    framework: str

    @property
    def modules(self) -> Sequence[Module]:
        """Its modules."""

    def read(self, place: str) -> NDArray[Any]:
        """Return the values of an array.

        Args:
            place: Its place in the file.

        Raises:
            UnreadableWeights: If it is damaged.
        """
