"""A model in ONNX Runtime, with the spec's names of inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.runtime.metadata import OUTPUTS, ROWS
from nnspec.runtime.ports import converted, port_of, require_rows
from nnspec.runtime.reading import read_metadata
from nnspec.runtime.session import Arrays, open_session, reason_of, run_options


class ModelFile:
    """A model that is ready to run. It may be called from several threads.

    Args:
        content: The model's bytes.
        name: The model's name in error messages.
        threads: The number of threads per operator; None for one per core.

    Attributes:
        metadata: The metadata of the file.
        inputs: The inputs, by name.
        optional: The optional inputs, whose defaults are in the file.
        outputs: The output names.

    Raises:
        NnspecError: If ONNX Runtime cannot load the model.
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
        """Parse a metadata value; empty if the key is missing.

        Raises:
            NnspecError: If the value is not valid.
        """
        return read_metadata(self.metadata, key, self._name)

    def __call__(self, inputs: Arrays) -> Arrays:
        """Compute the outputs, by name; unknown inputs are ignored.

        Raises:
            NnspecError: If the run fails, for example because an index is out of range.
        """
        ports = self.inputs | self.optional
        taken = {name: converted(ports[name], array) for name, array in inputs.items() if name in ports}
        require_rows(taken, self._rows)
        try:
            given = self._session.run(None, taken, run_options())
        except Exception as error:
            raise NnspecError(f"{self._name} cannot run: {reason_of(error)}") from error
        return dict(zip(self.outputs, given, strict=True))
