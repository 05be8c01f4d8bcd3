"""The check of a GAN's generator and discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from nnspec.data.locations import locate
from nnspec.diagnostics import Diagnostic, Span
from nnspec.graph import Graph
from nnspec.layers.normalization import BatchNormalization
from nnspec.layers.spectral_normalization import SpectralNormalization
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.objectives import problems as o
from nnspec.training.objectives.context import OWN_LOSSES, refuse_keys
from nnspec.training.objectives.gan import gan
from nnspec.training.objectives.gan import problems as g
from nnspec.training.objectives.gan.plan import GanPlan
from nnspec.training.plan import fitted_layers
from nnspec.training.section import TrainSection
from nnspec.types import closest, did_you_mean, same_size, suggested

_WITHOUT: Mapping[str, str] = {
    **OWN_LOSSES,
    "loss": "write `gan: {loss: …}`: the two networks share one",
    "reduce_on_plateau": "give each optimizer's `learning_rate` a schedule: no metric of a GAN shows convergence",
}


def check_networks(objective: gan, section: TrainSection, tree: MappingNode, networks: Mapping[str, Graph]) -> _Check:
    """Checks the objective against the networks.

    Args:
        objective: The objective.
        section: The section ``train``.
        tree: Its YAML tree.
        networks: The document's networks, by name.

    Returns:
        The check, with the problems and the plan.
    """
    check = _Check(objective, section, tree)
    check.run(networks)
    return check


class _Check:
    """The state of the check.

    Attributes:
        problems: The problems found.
        plan: The plan; None if there are errors.
    """

    def __init__(self, objective: gan, section: TrainSection, tree: MappingNode) -> None:
        self._gan, self._section, self._tree = objective, section, tree
        self.problems: list[Diagnostic] = []
        self.plan: GanPlan | None = None

    def run(self, networks: Mapping[str, Graph]) -> None:
        refuse_keys(self._tree, "gan", _WITHOUT, self.problems)
        generator = self._network("generator", networks)
        discriminator = self._network("discriminator", networks)
        if generator is None or discriminator is None:
            return
        if generator is discriminator:
            self._mismatch("they are the same network", "discriminator")
            return
        if generator.gaps or discriminator.gaps:
            return
        self._check_conditions(generator, discriminator)
        noise = self._noise(generator)
        example_input = self._example_input(discriminator, generator)
        generator_output = self._generator_output(generator, example_input) if example_input is not None else None
        score_output = self._score_output(discriminator)
        self._check_layers(generator, discriminator)
        if noise is None or example_input is None or generator_output is None or score_output is None:
            return
        self._check_fit(generator, generator_output, discriminator, example_input)
        self._check_noise_of_training(example_input)
        if not any(problem.is_error for problem in self.problems):
            conditions = tuple(self._gan.condition)
            self.plan = GanPlan(
                self._gan, generator, discriminator, noise, generator_output, example_input, conditions, score_output
            )

    # --- which network, which input ---------------------------------------------------------------------------------------

    def _network(self, key: str, networks: Mapping[str, Graph]) -> Graph | None:
        name = getattr(self._gan, key)
        others = [other for other in networks if other != "main"]
        if name in others:
            return networks[name]
        suggestion = closest(name, others)
        listed = ", ".join(f"`{other}`" for other in others)
        help = (
            suggested(name, suggestion, others)
            if suggestion
            else f"the networks are {listed}"
            if others
            else "define it under `networks`"
        )
        self.problems.append(o.UnknownNetwork.at(*self._place(key), help=help, name=name))
        return None

    def _check_conditions(self, generator: Graph, discriminator: Graph) -> None:
        for i, name in enumerate(self._gan.condition):
            without = [graph for graph in (generator, discriminator) if name not in graph.inputs]
            for graph in without:
                help = did_you_mean(name, graph.inputs, f"add an input `{name}` to `{graph.name}`")
                self._mismatch(f"`{graph.name}` has no input `{name}`", "condition", i, help=help)
            if not without and not _alike(generator, name, discriminator, name):
                first, second = generator.inputs[name], discriminator.inputs[name]
                reason = f"`{name}` is {first} ({first.dtype}) in `{generator.name}`, and {second} ({second.dtype}) in "
                self._mismatch(f"{reason}`{discriminator.name}`", "condition", i)

    def _noise(self, generator: Graph) -> str | None:
        rest = [name for name in generator.inputs if name not in self._gan.condition]
        wanted = self._gan.noise.input
        if wanted is not None and wanted not in rest:
            help = did_you_mean(wanted, rest)
            self._mismatch(f"`{generator.name}` has no noise input `{wanted}`", "noise", "input", help=help)
            return None
        if not rest:
            self._mismatch(f"`{generator.name}` has no noise input", help="add one: `noise: [100]`")
            return None
        noise = wanted or rest[0]
        unfed = [name for name in rest if name != noise]
        if unfed:
            which = f"`{unfed[0]}`" if wanted else ", ".join(f"`{name}`" for name in rest)
            what = f"what feeds {which}" if wanted else f"which of {which} is the noise input"
            help = f"write `condition: [{unfed[0]}]` if the data feed it"
            self.problems.append(o.ObjectiveUnclear.at(*self._place(), help=help, objective="gan", what=what))
            return None
        kind = generator.inputs[noise]
        if not kind.dtype.startswith("float") or not all(isinstance(size, int) for size in kind.shape):
            self._mismatch(
                f"the noise input needs a float dtype and a fixed shape, and `{noise}` is {kind} ({kind.dtype})", "noise"
            )
            return None
        return noise

    def _example_input(self, discriminator: Graph, generator: Graph) -> str | None:
        rest = [name for name in discriminator.inputs if name not in self._gan.condition]
        if len(rest) == 1:
            return rest[0]
        if not rest:
            self._mismatch(f"`{discriminator.name}` has no input for examples, only conditions", "discriminator")
            return None
        shared = [name for name in rest if name in generator.inputs]
        conditions = shared[:1] or [name for name in rest if name not in generator.outputs][:1]
        help = f"write `condition: [{conditions[0]}]` if the data feed it to both networks" if conditions else ""
        listed = ", ".join(f"`{name}`" for name in rest)
        what = f"which of {listed} of `{discriminator.name}` is the input for examples"
        self.problems.append(o.ObjectiveUnclear.at(*self._place("discriminator"), help=help, objective="gan", what=what))
        return None

    def _generator_output(self, generator: Graph, example_input: str) -> str | None:
        if len(generator.outputs) == 1:
            return next(iter(generator.outputs))
        if example_input in generator.outputs:
            return example_input
        listed = ", ".join(f"`{name}`" for name in generator.outputs)
        self._mismatch(f"`{generator.name}` returns {listed}, and none of them is named `{example_input}`", "generator")
        return None

    # --- outputs ------------------------------------------------------------------------------------------------------------

    def _check_fit(self, generator: Graph, generator_output: str, discriminator: Graph, example_input: str) -> None:
        first, second = generator.output_types[generator_output], discriminator.inputs[example_input]
        fits = first.rank == second.rank and all(
            same_size(a, b) is not False for a, b in zip(first.shape, second.shape, strict=True)
        )
        if not fits or first.dtype != second.dtype:
            kinds = (f" ({kind.dtype})" if first.dtype != second.dtype else "" for kind in (first, second))
            ours, theirs = (f"{kind}{dtype}" for kind, dtype in zip((first, second), kinds, strict=True))
            reason = f"`{generator.name}` returns {ours}, and `{example_input}` of `{discriminator.name}` takes {theirs}"
            node = generator.nodes.get(generator.outputs[generator_output].source)
            place = (node.span, node.path) if node is not None else self._place("generator")
            self.problems.append(g.NetworksDoNotFit.at(*place, help="make both shapes and dtypes equal", reason=reason))

    def _score_output(self, discriminator: Graph) -> str | None:
        if len(discriminator.outputs) != 1:
            listed = ", ".join(f"`{name}`" for name in discriminator.outputs)
            self._not_a_logit(discriminator, f"has several outputs, {listed}", "list one of them under `outputs`")
            return None
        [(name, kind)] = discriminator.output_types.items()
        sizes = kind.shape
        if not all(isinstance(size, int) for size in sizes) or prod(size for size in sizes if isinstance(size, int)) != 1:
            self._not_a_logit(discriminator, f"ends in {kind}", "end it with `Flatten` and `Dense: {units: 1}`")
            return None
        node = discriminator.nodes.get(discriminator.outputs[name].source)
        activation = node.layer.activation_name if node is not None else None
        allowed = ("linear", None, "sigmoid") if self._gan.loss == "least_squares" else ("linear", None)
        if activation not in allowed:
            self._not_a_logit(discriminator, f"ends in `{activation}`", "remove the activation: the loss applies its own")
            return None
        return name

    def _not_a_logit(self, discriminator: Graph, got: str, help: str) -> None:
        ends = [discriminator.nodes[ref.source] for ref in discriminator.outputs.values() if ref.source in discriminator.nodes]
        place = (ends[0].span, ends[0].path) if len(ends) == 1 else self._place("discriminator")
        wanted = "score" if self._gan.loss == "wasserstein" else "logit"
        facts: dict[str, Any] = {"loss": self._gan.loss, "wanted": wanted, "name": discriminator.name, "got": got}
        self.problems.append(g.NotALogit.at(*place, help=help, **facts))

    # --- layers and noise ---------------------------------------------------------------------------------------

    def _check_layers(self, generator: Graph, discriminator: Graph) -> None:
        for node, _ in fitted_layers(generator):
            help = "set `mean` and `variance`, or remove it"
            self._mismatch(
                f"`{node.name}` of `{generator.name}` needs statistics of data, and its input is not data",
                "generator",
                help=help,
            )
        layers = [(node, node.layer) for node in discriminator.nodes.values()]
        normal = next((node for node, layer in layers if isinstance(layer, BatchNormalization)), None)
        if self._gan.gradient_penalty is not None and normal is not None:
            help = "remove it, or use `LayerNormalization`"
            self.problems.append(g.NormalizedWithPenalty.at(normal.span, normal.path, help=help, name=normal.name))
        constrained = self._gan.gradient_penalty or self._gan.weight_clip
        if (
            self._gan.loss == "wasserstein"
            and not constrained
            and not any(isinstance(x, SpectralNormalization) for _, x in layers)
        ):
            help = "write `gradient_penalty: 10`, or `weight_clip: 0.01`"
            self.problems.append(g.UnboundedCritic.at(*self._place("loss"), help=help, name=discriminator.name))

    def _check_noise_of_training(self, example_input: str) -> None:
        noise, labels = self._section.input_noise, self._section.label_noise
        for name in noise if isinstance(noise, dict) else ():
            if name != example_input:
                reason = f"names `{name}`, and the discriminator's input for examples is `{example_input}`"
                place = locate(self._tree, "input_noise", name)
                self.problems.append(
                    t.NoiseDoesNotFit.at(*place, help=f"write `{example_input}`", key="input_noise", reason=reason)
                )
        if isinstance(labels, dict):
            reason = "must be a number: the only labels are real and generated"
            place = locate(self._tree, "label_noise")
            self.problems.append(
                t.NoiseDoesNotFit.at(*place, help="write `label_noise: 0.05`", key="label_noise", reason=reason)
            )

    def _mismatch(self, reason: str, *keys: str | int, help: str = "") -> None:
        self.problems.append(g.NetworksDoNotFit.at(*self._place(*keys), help=help, reason=reason))

    def _place(self, *keys: str | int) -> tuple[Span, str]:
        return locate(self._tree, "objective", "gan", *keys)


def _alike(first: Graph, a: str, second: Graph, b: str) -> bool:
    ours, theirs = first.inputs[a], second.inputs[b]
    return (
        ours.dtype == theirs.dtype
        and ours.rank == theirs.rank
        and all(same_size(x, y) for x, y in zip(ours.shape, theirs.shape, strict=True))
    )
