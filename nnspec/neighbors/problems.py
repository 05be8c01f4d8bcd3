"""Problems of the section ``neighbors``: NN901."""

from __future__ import annotations

from nnspec.diagnostics import Problem


class NoVectors(Problem):
    """Neighbors are found by vectors: the exported network and that of the knowledge base have one output of the same size.

    An output with a vector has one axis. If a network has several outputs, ``output`` names one.
    """

    code = "NN901"
    message = "{reason}"
    fails = (
        "nnspec: 1\nname: net\ninputs: {image: [8, 8, 1]}\nlayers:\n"
        "  - Conv2D: {filters: 4, kernel_size: 3}\nneighbors: {count: 5}\n"
    )
    passes = fails.replace("neighbors:", "  - GlobalAveragePooling2D\nneighbors:")
