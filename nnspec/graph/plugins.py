"""Diagnostics of layers from other packages."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.diagnostics import Diagnostic
from nnspec.graph import problems as g
from nnspec.graph.model import Model, Node
from nnspec.layers import LAYERS
from nnspec.layers.plugin import converted, plugin_of


def advise_on_plugins(model: Model) -> Iterator[Diagnostic]:
    """Yield notes about plug-in layers that tf2onnx converts, and warnings about shadowed plug-ins.

    Installed packages are inspected only if the model has a plug-in layer.
    """
    nodes: dict[str, Node] = {}
    for graph in model.networks.values():
        for node in graph.every_node():
            nodes.setdefault(node.op, node)
    outside = {op: plugin for op, node in nodes.items() if (plugin := plugin_of(node.layer)) is not None}
    for op, plugin in outside.items():
        if converted(nodes[op].layer):
            yield g.ConvertedLayer.at(nodes[op].span, nodes[op].path, name=op, package=plugin.package)
    installed = LAYERS.plugins.found if outside and LAYERS.plugins is not None else {}
    for op, node in nodes.items():
        if op in installed and op not in outside:
            help = "the package should rename its layer"
            yield g.ShadowedPlugin.at(node.span, node.path, help=help, name=op, package=installed[op].package)
