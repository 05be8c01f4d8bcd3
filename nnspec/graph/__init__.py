"""The typed graph of a spec."""

from nnspec.graph.build import build, compile, survey
from nnspec.graph.model import Graph, Model, Node, Ref

__all__ = ["Graph", "Model", "Node", "Ref", "build", "compile", "survey"]
