"""The document: its keys, its params, its networks."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nnspec.diagnostics import Diagnostic, Span, SpecError
from nnspec.spec import problems as p
from nnspec.spec.evaluate import Scope, Uneval, evaluate
from nnspec.spec.overrides import override
from nnspec.spec.reader import Limits, read_file
from nnspec.spec.scalars import resolve_plain
from nnspec.spec.shapes import Input, read_inputs
from nnspec.spec.steps import Step, read_steps
from nnspec.spec.tree import MappingNode, Scalar, Tree
from nnspec.types import closest

__all__ = ["KEYS", "Network", "Spec", "load", "read_spec"]

KEYS = ("nnspec", "name", "description", "params", "use", "blocks", "networks", "inputs", "layers", "outputs",
        "data", "train", "generate", "export", "budget")  # fmt: skip
"""The keys of a document, in their usual order."""

SECTIONS = ("data", "train", "generate", "export", "budget")
_LATER = {
    "use": "blocks and networks of other files are",
    "blocks": "blocks are",
    "networks": "several networks in one document are",
    "generate": "generation is",
}
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PARAM = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ROOT_MARKS = (".git", "pyproject.toml", "nnspec.toml")


@dataclass(frozen=True)
class Network:
    """One network as it is written.

    Attributes:
        name: ``main`` for the document's own layers.
        inputs: By name; None for one whose declaration is wrong.
        steps: In order.
        outputs: What stands under ``outputs``; None for the default, the last step.
        span: Where its layers stand.
    """

    name: str
    inputs: Mapping[str, Input | None]
    steps: tuple[Step, ...]
    outputs: Tree | None
    span: Span


@dataclass(frozen=True)
class Spec:
    """A document that was read.

    Attributes:
        name: The model's name.
        file: Where it was read from, as the user named it.
        folder: What its paths are relative to.
        root: What its paths may not leave.
        networks: Its networks by name.
        document: The whole document, overrides applied, its params' values in place.
        hash: A digest of the document's values; comments and order of keys do not change it.
    """

    name: str
    file: str
    folder: Path
    root: Path
    networks: Mapping[str, Network]
    document: MappingNode
    sections: Mapping[str, MappingNode]

    def section(self, name: str) -> MappingNode | None:
        """One of ``data``, ``train``, ``generate``, ``export``, ``budget``, its expressions evaluated; None where not given."""
        return self.sections.get(name)

    @property
    def hash(self) -> str:
        text = json.dumps(self.document.plain(), sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def resolved(self) -> str:
        """The document as YAML, overrides applied: read again, it gives the same spec."""
        return yaml.dump(
            self.document.plain(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120
        )


class _Dumper(yaml.SafeDumper):
    """Quotes every string that would be read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(resolve_plain(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def load(
    file: str | Path, overrides: Sequence[str] = (), *, folder: Path | None = None, root: Path | None = None, limits: Limits | None = None
) -> Spec:
    """Reads a spec.

    Args:
        file: The document.
        overrides: ``path=value`` each, applied in order before anything is read.
        folder: What its paths are relative to; the file's own folder by default.
        root: What its paths may not leave; by default the nearest folder above with ``.git``, ``pyproject.toml`` or
            ``nnspec.toml``, else the file's own.
        limits: What the document may cost.

    Raises:
        SpecError: With every diagnostic, where the document has errors.
    """
    problems: list[Diagnostic] = []
    spec = read_spec(file, problems, overrides, folder=folder, root=root, limits=limits)
    if spec is None or any(problem.is_error for problem in problems):
        raise SpecError(problems)
    return spec


def read_spec(
    file: str | Path,
    problems: list[Diagnostic],
    overrides: Sequence[str] = (),
    *,
    folder: Path | None = None,
    root: Path | None = None,
    limits: Limits | None = None,
) -> Spec | None:
    """As [`load`][], but what is wrong is appended to ``problems``, and what can be read is returned."""
    path = Path(file)
    limits = limits or Limits()
    tree = read_file(path, problems, limits, shown=str(file))
    if tree is None:
        if not problems:
            problems.append(p.MissingKey.at(p.whole(str(file)), help="begin with `nnspec: 1`", where="an empty file", key="nnspec"))
        return None
    if not isinstance(tree, MappingNode):
        help = "begin with `nnspec: 1` and `name: …`"
        problems.append(p.NotAMapping.at(tree.span, help=help, what="a spec", got=tree.kind))
        return None
    tree = override(tree, overrides, problems)
    _check_keys(tree, problems)
    name = _check_head(tree, problems)
    scope, tree = _params(tree, problems)
    network = _network("main", tree, scope, problems, limits)
    sections = _sections(tree, scope, problems)
    _check_params_used(tree, scope, problems)
    folder = (folder or path.parent).resolve()
    return Spec(name, str(file), folder, (root or _root_of(folder)).resolve(), {"main": network}, tree, sections)


def _check_keys(tree: MappingNode, problems: list[Diagnostic]) -> None:
    for key, value in tree.items():
        if key.value not in KEYS:
            suggestion = closest(str(key.value), KEYS)
            help = f"did you mean `{suggestion}`?" if suggestion else f"a spec has {', '.join(f'`{k}`' for k in KEYS)}"
            problems.append(p.UnknownKey.at(key.span, value.path, help=help, key=key.value, where="a spec"))
        elif key.value in _LATER:
            problems.append(p.NotYet.at(key.span, value.path, what=_LATER[str(key.value)]))


def _check_head(tree: MappingNode, problems: list[Diagnostic]) -> str:
    top = p.whole(tree.span.file)
    version = tree.get("nnspec")
    if version is None:
        problems.append(p.MissingKey.at(top, help="write `nnspec: 1` on the first line", where="a spec", key="nnspec"))
    elif version.plain() != 1 or isinstance(version.plain(), bool):
        problems.append(p.UnsupportedVersion.at(version.span, "nnspec", help="write `nnspec: 1`", version=version.kind))
    description = tree.get("description")
    if description is not None and not (isinstance(description, Scalar) and isinstance(description.value, str)):
        reason = f"`description` must be text, not {description.kind}"
        problems.append(p.WrongValue.at(description.span, "description", help="put it in quotes", reason=reason))
    name = tree.get("name")
    if name is None:
        problems.append(p.MissingKey.at(top, help="write `name: my-model`", where="a spec", key="name"))
        return "model"
    value = name.plain()
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        suggestion = re.sub(r"[^a-z0-9_-]+", "-", str(value).lower()).strip("-")
        help = f"write `{suggestion}`" if _NAME.fullmatch(suggestion) else "begin with a small letter"
        problems.append(p.BadName.at(name.span, "name", help=help, name=value, what="a model", pattern=_NAME.pattern))
        return "model"
    return value


def _params(tree: MappingNode, problems: list[Diagnostic]) -> tuple[Scope, MappingNode]:
    """The params' values, and the document with these in place of their expressions."""
    scope = Scope()
    given = tree.get("params")
    if given is None:
        return scope, tree
    if not isinstance(given, MappingNode):
        problems.append(p.NotAMapping.at(given.span, "params", help="write `params: {width: 6}`", what="`params`", got=given.kind))
        return scope, tree
    entries: list[tuple[Scalar, Tree]] = []
    for key, value in given.items():
        if not _PARAM.fullmatch(str(key.value)):
            problems.append(p.BadName.at(key.span, value.path, name=key.value, what="a param", pattern=_PARAM.pattern))
            continue
        try:
            known = evaluate(value, scope, problems)
        except Uneval:
            known = Scalar(None, value.span, value.place)
        entries.append((key, known))
        scope.values[str(key.value)] = known.plain()
    params = MappingNode(entries, given.span, given.place)
    whole = [(key, params if value is given else value) for key, value in tree.items()]
    return scope, MappingNode(whole, tree.span, tree.place)


def _network(name: str, tree: MappingNode, scope: Scope, problems: list[Diagnostic], limits: Limits) -> Network:
    inputs = read_inputs(_evaluated(tree.get("inputs"), scope, problems), problems)
    steps = read_steps(tree.get("layers"), set(inputs), scope, problems, limits.layers)
    top = p.whole(tree.span.file)
    if tree.get("inputs") is None and not any(key in tree for key in _LATER):
        problems.append(p.MissingKey.at(top, help="write `inputs: {image: [28, 28, 1]}`", where="a spec", key="inputs"))
    if tree.get("layers") is None and not any(key in tree for key in _LATER):
        problems.append(p.MissingKey.at(top, help="write `layers:` and a list of steps", where="a spec", key="layers"))
    layers = tree.get("layers")
    outputs = _evaluated(tree.get("outputs"), scope, problems)
    return Network(name, inputs, tuple(steps), outputs, layers.span if layers else top)


def _evaluated(tree: Tree | None, scope: Scope, problems: list[Diagnostic]) -> Tree | None:
    try:
        return None if tree is None else evaluate(tree, scope, problems)
    except Uneval:
        return None


def _sections(tree: MappingNode, scope: Scope, problems: list[Diagnostic]) -> dict[str, MappingNode]:
    sections: dict[str, MappingNode] = {}
    for name in SECTIONS:
        section = _evaluated(tree.get(name), scope, problems)
        if isinstance(section, MappingNode):
            sections[name] = section
        elif section is not None and not (isinstance(section, Scalar) and section.value is None):
            problems.append(p.NotAMapping.at(section.span, name, what=f"`{name}`", got=section.kind))
    return sections


def _check_params_used(tree: MappingNode, scope: Scope, problems: list[Diagnostic]) -> None:
    params = tree.get("params")
    if isinstance(params, MappingNode):
        for key, value in params.items():
            if key.value not in scope.used and str(key.value) in scope.values:
                problems.append(p.UnusedParam.at(key.span, value.path, name=key.value))


def _root_of(folder: Path) -> Path:
    for above in (folder, *folder.parents):
        if any((above / mark).exists() for mark in _ROOT_MARKS):
            return above
    return folder
