"""A model in ONNX Runtime, its inputs and outputs under the spec's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.runtime.metadata import OUTPUTS, ROWS
from nnspec.runtime.ports import converted, port_of, require_rows
from nnspec.runtime.reading import read_metadata
from nnspec.runtime.session import Arrays, open_session, reason_of, run_options

__all__ = ["ModelFile"]


class ModelFile:
    """A model that is ready to run; it may be called from several threads.

    Args:
        content: The model's bytes.
        name: What it is called in messages.
        threads: How many threads compute one operator; None: one for each core.

    Attributes:
        metadata: What it says of itself.
        inputs: What it takes, by name.
        optional: What it takes where that is not to be as it is in the file.
        outputs: The names of what it gives.

    Raises:
        NnspecError: Where ONNX Runtime does not load it.
    """

    def __init__(self, content: bytes, name: str, *, threads: int | None = None) -> None:
        self._name = name
        self._session = open_session(content, name=name, threads=threads)
        self.metadata: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.inputs = {given.name: port_of(given) for given in self._session.get_inputs()}
        self.optional = {given.name: port_of(given) for given in self._session.get_overridable_initializers()}
        own = [given.name for given in self._session.get_outputs()]
        names = self.json(OUTPUTS)
        self.outputs = [str(names.get(output, output)) for output in own]
        self._rows = self.json(ROWS)

    def json(self, key: str) -> dict[str, Any]:
        """What it says of itself under a key; nothing where it does not.

        Raises:
            NnspecError: Where that cannot be read.
        """
        return read_metadata(self.metadata, key, self._name)

    def __call__(self, inputs: Arrays) -> Arrays:
        """Its answers by name; inputs that it does not take are left aside.

        Raises:
            NnspecError: Where it cannot answer: a token that is in no table, say.
        """
        ports = self.inputs | self.optional
        taken = {name: converted(ports[name], array) for name, array in inputs.items() if name in ports}
        require_rows(taken, self._rows)
        try:
            given = self._session.run(None, taken, run_options())
        except Exception as error:
            raise NnspecError(f"{self._name} cannot answer: {reason_of(error)}") from error
        return dict(zip(self.outputs, given, strict=True))
