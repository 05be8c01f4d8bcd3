"""Reading of documents: from text to a typed [`Spec`][] whose values keep their source locations."""

from nnspec.spec.checked import check, check_named
from nnspec.spec.collected import Collected
from nnspec.spec.document import Document, Network, Spec, load, read_spec
from nnspec.spec.limits import Limits
from nnspec.spec.reader import read_file, read_text
from nnspec.spec.step import Step

__all__ = [
    "Collected",
    "Document",
    "Limits",
    "Network",
    "Spec",
    "Step",
    "check",
    "check_named",
    "load",
    "read_file",
    "read_spec",
    "read_text",
]
