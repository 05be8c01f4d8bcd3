"""Problems of the section ``sweep``."""

from __future__ import annotations

from nnspec.diagnostics import MISSPELLED, Problem

_HEAD = "nnspec: 1\nname: net\nparams: {width: 4}\ninputs: {x: [8]}\nlayers:\n  - Dense: {units: $width}\n"


class NoSuchPlace(Problem):
    """A sweep replaces values of the document, so the paths under `over` must exist."""

    code = "NN801"
    fixable = MISSPELLED
    message = "the document has no value `{where}`"
    fails = _HEAD + "sweep: {over: {params.widht: {int: [2, 8]}}}\n"
    passes = _HEAD + "sweep: {over: {params.width: {int: [2, 8]}}}\n"


class BadValue(Problem):
    """A value of a range makes the document invalid on its own."""

    code = "NN802"
    message = "with `{where}={value}`, the document has an error: {reason}"
    fails = _HEAD + "sweep: {over: {params.width: {int: [-2, 8]}}}\n"
    passes = NoSuchPlace.passes
