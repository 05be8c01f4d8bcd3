"""The reference: a page for each family of layers, written from their classes, and which of Keras's layers are here."""

from nnspec.reference.layer import layer_text
from nnspec.reference.pages import pages

__all__ = ["layer_text", "pages"]
