"""What can be wrong with the section ``sweep``."""

from __future__ import annotations

from nnspec.diagnostics import Problem

_HEAD = "nnspec: 1\nname: net\nparams: {width: 4}\ninputs: {x: [8]}\nlayers:\n  - Dense: {units: $width}\n"


class NoSuchPlace(Problem):
    """A sweep replaces values that stand in the document."""

    code = "NN801"
    message = "there is nothing at `{where}` to replace"
    fails = _HEAD + "sweep: {over: {params.widht: {int: [2, 8]}}}\n"
    passes = _HEAD + "sweep: {over: {params.width: {int: [2, 8]}}}\n"


class BadValue(Problem):
    """A value that is to be tried makes the document wrong, whatever the other values are."""

    code = "NN802"
    message = "with `{where}={value}` the document has an error: {reason}"
    fails = _HEAD + "sweep: {over: {params.width: {int: [-2, 8]}}}\n"
    passes = NoSuchPlace.passes
