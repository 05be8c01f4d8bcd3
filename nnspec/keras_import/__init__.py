"""From a Keras model to a spec. Nothing in a file is run: a config is walked as data, weights are read as numbers."""

from nnspec.keras_import.imported import Imported, from_keras, import_file

__all__ = ["Imported", "from_keras", "import_file"]
