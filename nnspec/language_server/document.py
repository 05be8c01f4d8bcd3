"""An open document: its text, its tree, and what the compiler found in it, each kept per version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nnspec.api import Checked, check
from nnspec.diagnostics import Diagnostic
from nnspec.explanations.nodes import Located, walk
from nnspec.graph.model import BuiltStep, Graph, Model
from nnspec.language_server.binding import bind_names
from nnspec.language_server.names import Names
from nnspec.language_server.positions import Text
from nnspec.spec.reader import Parsed, parsed_in_memory, read_text
from nnspec.spec.tree import MappingNode

__all__ = ["Analysis", "Document", "Version"]


@dataclass(frozen=True, eq=False)
class Version:
    """One version of the text of a document.

    Attributes:
        path: File of the document, resolved.
        number: Number of the version.
        text: Its text.
        known: The text as a tree, if that is known.
    """

    path: Path
    number: int
    text: Text
    known: Parsed | None = None

    @cached_property
    def parsed(self) -> Parsed:
        """The text as a tree, and its problems."""
        if self.known is not None:
            return self.known
        problems: list[Diagnostic] = []
        tree = read_text(self.text.text, str(self.path), problems)
        return Parsed(self.text.text, tree, tuple(problems))

    @property
    def tree(self) -> MappingNode | None:
        """The document as a tree; None if it could not be read."""
        found = self.parsed.tree
        return found if isinstance(found, MappingNode) else None


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the compiler found in one version of a document.

    Attributes:
        version: The version.
        checked: Diagnostics, and the spec and its graphs as far as they are known.
    """

    version: Version
    checked: Checked

    @classmethod
    def of(cls, version: Version, others: Mapping[Path, Version]) -> Analysis:
        """Check a version.

        Args:
            version: The version.
            others: Versions of the other open documents, which it may use, by path.
        """
        documents = {path: other.parsed for path, other in others.items()}
        with parsed_in_memory({**documents, version.path: version.parsed}):
            return cls(version, check(version.path))

    def complete(self) -> Analysis:
        """Find everything that requests ask for, so that they are answered at once."""
        if self.version.tree is not None:
            _ = self.bound, self.steps
        return self

    @property
    def model(self) -> Model | None:
        return self.checked.model

    @cached_property
    def steps(self) -> dict[str, list[tuple[Graph, BuiltStep]]]:
        """Places of each step in the graphs, by its path in the document."""
        found: dict[str, list[tuple[Graph, BuiltStep]]] = {}
        for graph in self._graphs():
            for step in graph.steps:
                if step.span.file == str(self.version.path):
                    found.setdefault(step.path, []).append((graph, step))
        return found

    @cached_property
    def bound(self) -> Names:
        """Names of the document, bound to their definitions."""
        assert self.version.tree is not None
        return bind_names(self.version.tree, self.names)

    def _graphs(self) -> Iterator[Graph]:
        stack = [] if self.model is None else list(self.model.networks.values())
        while stack:
            graph = stack.pop(0)
            yield graph
            stack += [node.body for node in graph.nodes.values() if node.body is not None]

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """Names of the steps of the document, by their paths; several for a repeated step."""
        found: dict[str, list[str]] = {}
        for at in self.located:
            names = found.setdefault(at.step.path, [])
            if at.step.name not in names:
                names.append(at.step.name)
        return found

    @cached_property
    def located(self) -> list[Located]:
        """Steps of this document in every place where they are used."""
        if self.checked.spec is None:
            return []
        return [at for at in walk(self.checked.spec) if at.step.span.file == str(self.version.path)]


class Document:
    """A document that is open in the editor.

    Attributes:
        version: Its current version.
        analysis: The last analysis, which may be of an earlier version; None before the first.
        known: The last analysis of a version that could be read as a spec, for the names in it.
    """

    def __init__(self, path: Path, text: str, number: int, encoding: str | None = None) -> None:
        self._encoding = encoding
        self.path = path
        self.analysis: Analysis | None = None
        self.known: Analysis | None = None
        self._names: tuple[Version, Analysis | None, Names] | None = None
        self.change(text, number)

    def change(self, text: str, number: int) -> None:
        """Replace the text."""
        self.version = Version(self.path, number, Text(text, self._encoding))

    def learn(self, analysis: Analysis) -> None:
        """Keep an analysis."""
        self.analysis = analysis
        if analysis.checked.spec is not None:
            self.known = analysis

    @property
    def names(self) -> Names | None:
        """The names of the current version; None if it could not be read."""
        version, known = self.version, self.known
        if version.tree is None:
            return None
        if known is not None and known.version is version:
            return known.bound
        if self._names is None or self._names[0] is not version or self._names[1] is not known:
            self._names = version, known, bind_names(version.tree, known.names if known is not None else {})
        return self._names[2]

    @property
    def known_names(self) -> Names | None:
        """The names of the last version that could be read as a spec; None if there is none."""
        return None if self.known is None or self.known.version.tree is None else self.known.bound

    @property
    def current(self) -> Analysis | None:
        """The analysis of the current version; None if there is none yet."""
        return self.analysis if self.analysis is not None and self.analysis.version is self.version else None
