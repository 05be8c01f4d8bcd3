"""The static check of the section ``generate`` against the networks. No framework is loaded."""

from __future__ import annotations

from nnspec.data.section import Columns, DataSection
from nnspec.data.transforms.pointers import positions
from nnspec.data.transforms.text import SPECIAL, tokenize
from nnspec.diagnostics import Diagnostic, Span, SpecError
from nnspec.generation import problems as g
from nnspec.generation.ports import Ports, place
from nnspec.generation.sampler_check import check_sampler, describes_sampler
from nnspec.generation.section import GenerateSection
from nnspec.graph import Model
from nnspec.graph.decoding import Decoding
from nnspec.graph.model import Ref
from nnspec.graph.order import callees
from nnspec.graph.stepping import obstacles, sees_ahead
from nnspec.graph.tables import table_rows
from nnspec.layers.interfaces import LimitsSteps
from nnspec.spec import Spec
from nnspec.spec.checked import check_known
from nnspec.spec.tree import MappingNode
from nnspec.types import Dim, did_you_mean


def check_generation(spec: Spec, model: Model, problems: list[Diagnostic]) -> None:
    """Checks the section ``generate``, of a decoder of tokens or of a sampler.

    Args:
        spec: The spec.
        model: Its graphs.
        problems: Problems are appended here.
    """
    if describes_sampler(spec):
        check_sampler(spec, model, problems)
    else:
        check_decoding(spec, model, problems)


def check_decoding(spec: Spec, model: Model, problems: list[Diagnostic]) -> tuple[GenerateSection, Decoding] | None:
    """Checks the section ``generate`` of a decoder.

    Args:
        spec: The spec.
        model: Its graphs.
        problems: Problems are appended here.

    Returns:
        The section, and the networks that it names; None if there is none, or it has errors.
    """
    tree = spec.section("generate")
    if tree is None:
        return None
    before = len(problems)
    checked = check_known(GenerateSection, tree, problems, name="generate")
    section = checked.value
    if section is None:
        return None
    decoding = Ports(section, tree, model, problems, checked.wrong).decoding()
    if decoding is not None:
        _check_tokens(decoding, tree, problems)
        # The vocabulary is that of the decoder's input in training, which is unknown if those steps have errors.
        broken = {name for name, graph in model.networks.items() if graph.gaps.layers}
        users = {name for name, network in spec.networks.items() if decoding.decoder.name in callees(network.steps)}
        for key in ("start", "end") if not broken & users else ():
            check_token(spec, decoding, tree, key, getattr(section, key), problems)
        _check_time(decoding, section, tree, problems)
    wrong = any(problem.is_error for problem in problems[before:])
    return None if wrong or decoding is None else (section, decoding)


def generation_of(spec: Spec, model: Model) -> tuple[GenerateSection, Decoding] | None:
    """The section ``generate`` of a decoder and the networks that it names; None if there is none.

    Raises:
        SpecError: If it has errors.
    """
    if spec.section("generate") is None or describes_sampler(spec):
        return None
    problems: list[Diagnostic] = []
    found = check_decoding(spec, model, problems)
    if found is None:
        raise SpecError(problems)
    return found


def _check_tokens(decoding: Decoding, tree: MappingNode, problems: list[Diagnostic]) -> None:
    """Checks that the decoder can read every token that it predicts."""
    rows = table_rows(decoding.decoder).get(Ref(decoding.token))
    if rows is not None and decoding.vocabulary is not None and rows != decoding.vocabulary:
        kind = g.NoRowForToken if rows < decoding.vocabulary else g.UnusedRows
        help = "make both sizes equal to that of the vocabulary"
        at = place(tree, "token", "logits")
        logits, token = decoding.logits, decoding.token
        problems.append(kind.at(*at, help=help, logits=logits, input=token, vocabulary=decoding.vocabulary, rows=rows))


def _check_time(decoding: Decoding, section: GenerateSection, tree: MappingNode, problems: list[Diagnostic]) -> None:
    """Checks that the decoder can run token by token, and computes the same as in training."""
    for found in obstacles(decoding):
        node = found.node
        problems.append(g.NotTokenByToken.at(node.span, node.path, help=found.help, name=node.name, reason=found.reason))
    if not decoding.by_token:
        for node in sees_ahead(decoding):
            causal = "use_causal_mask" in type(node.layer).model_fields
            help = "write `use_causal_mask: true`" if causal else "use a layer that runs forward only"
            problems.append(g.NotCausal.at(node.span, node.path, help=help, name=node.name))
    _check_sizes(decoding, section, tree, problems)
    for node in decoding.decoder.nodes.values():
        if isinstance(node.layer, LimitsSteps) and section.max_length > (most := node.layer.most_steps):
            help = f"write `max_length: {most}`, or give the layer more positions"
            at, length = place(tree, "max_length"), section.max_length
            problems.append(g.TooManyPositions.at(*at, help=help, length=length, positions=most, name=node.name))


def _check_sizes(decoding: Decoding, section: GenerateSection, tree: MappingNode, problems: list[Diagnostic]) -> None:
    """Checks that the decoder accepts every length from one token to ``max_length``."""
    time = decoding.token_type.shape[0]
    if not isinstance(time, Dim) or decoding.by_token:
        return
    name, conditions = str(time), decoding.decoder.conditions
    others = [relation for relation in conditions.relations if name in relation.symbols]
    shared = [
        port
        for port, type_ in decoding.decoder.inputs.items()
        if port != decoding.token and name in {str(size) for size in type_.shape}
    ]
    condition = conditions.get(name)
    wrong = next((n for n in range(1, section.max_length + 1) if condition is not None and not condition.is_met(n)), None)
    reason = ""
    if wrong is not None:
        reason = f"`{name}` must be {condition}, and decoding uses all lengths from 1 to {section.max_length}"
    elif shared:
        reason = f"`{shared[0]}` must be as long as the tokens, whose number grows in each step"
    elif others:
        reason = f"{others[0]}, and the number of tokens grows in each step"
    if reason:
        at = place(tree, "decode") if section.decode is not None else place(tree, "token")
        help = "use decoder layers that accept any number of tokens"
        problems.append(g.NotEveryLength.at(*at, help=help, reason=reason))


def check_token(
    spec: Spec, decoding: Decoding, tree: MappingNode, key: str, given: int | str | None, problems: list[Diagnostic]
) -> None:
    """Reports a ``start`` or ``end`` that is not in the vocabulary, if the vocabulary is known before training."""
    at = tree.get(key)
    if given is None or at is None:
        return
    place: tuple[Span, str] = (at.span, at.path)
    if isinstance(given, int):
        if decoding.vocabulary is not None and given >= decoding.vocabulary:
            reason = f"`{key}` is {given}, and `{decoding.logits}` has the tokens 0 to {decoding.vocabulary - 1}"
            problems.append(g.NotInVocabulary.at(*place, reason=reason))
        return
    step, is_known = _tokenizer(spec, decoding)
    if not is_known:
        return
    if step is None:
        fed = f"`data.inputs.{decoding.target}`" if decoding.target else f"`{decoding.token}`"
        reason = f"`{key}` is the text `{given}`, and {fed} has no `tokenize` or `positions` to look it up"
        problems.append(g.NotInVocabulary.at(*place, help="write its number, such as 1", reason=reason))
        return
    words = step.vocabulary if isinstance(step, tokenize) else []
    if given not in SPECIAL and isinstance(words, list) and given not in words:
        help = did_you_mean(given, [*SPECIAL, *words])
        problems.append(g.NotInVocabulary.at(*place, help=help, reason=f"`{given}` is not in the vocabulary"))


def _tokenizer(spec: Spec, decoding: Decoding) -> tuple[tokenize | positions | None, bool]:
    """The transform to tokens of the decoder's input, and whether it is known: not if the inputs under `data` have errors."""
    tree = spec.section("data")
    if tree is None:
        return None, True
    checked = check_known(DataSection, tree, [], name="data")
    section = checked.value
    if section is None or "inputs" in checked.wrong:
        return None, False
    columns: Columns | None = section.inputs.get(decoding.target or "")
    found = columns.transform if columns is not None else []
    return next((step for step in found if isinstance(step, tokenize | positions)), None), True
