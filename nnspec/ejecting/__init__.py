"""Writes a network's Keras model as standalone Python code, which needs only Keras. Importing this loads Keras."""

from nnspec.ejecting.file import ejected, function_name

__all__ = ["ejected", "function_name"]
