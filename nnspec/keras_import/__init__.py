"""Import of Keras models as specs. No code in a file is run: configs and weights are read as data."""

from nnspec.keras_import.imported import Imported, from_keras, import_file

__all__ = ["Imported", "from_keras", "import_file"]
