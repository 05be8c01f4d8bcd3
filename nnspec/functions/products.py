"""Products of matrices and tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nnspec.expressions.syntax import ExpressionError
from nnspec.functions.base import Call, Case, Function, parameters
from nnspec.functions.lazy_numpy import np
from nnspec.functions.terms import BATCH, FLOAT, Application, Term
from nnspec.types import Dim, product, size_text

__all__ = ["FUNCTIONS", "macs"]

_OPERANDS = ("a", "b", "c", "d")


def macs(application: Application) -> int | Dim:
    """The multiply-accumulates of a function for one example; 0 unless it is a product."""
    return application.arguments.get("macs", 0)  # type: ignore[no-any-return]


# --- matmul ---------------------------------------------------------------------------------------------------------------


def _matmul_rule(call: Call) -> Term:
    # The rules of numpy.matmul for one example. Operands get the axes that they lack, and the result loses those of vectors.
    a, b = call.unified(call.numeric("x1"), call.numeric("x2"))
    inner = _inner_size(call, a, b)
    left, right = _example(a), _example(b)
    row, column = len(left) == 1, len(right) == 1
    rows, columns = (not row and [left[-2]]) or [], (not column and [right[-1]]) or []
    loops = max(len(left), len(right), 2) - 2
    lead = 1 if a.is_batched or b.is_batched else 0
    shape: list[int | Dim] = [1] * loops
    for sizes in (left[:-2], right[:-2]):
        for place, size in enumerate(sizes, loops - len(sizes)):
            shape[place] = call.same(shape[place], size, one=True)
    outer = [*shape, *rows, *columns]
    full = [*([BATCH] if lead else []), *outer]
    a_kept, b_kept = _kept_loops(a, full, lead + loops), _kept_loops(b, full, lead + loops)
    if not row:
        a_kept[lead + loops] = a.rank - 2
    if not column:
        b_kept[-1] = b.rank - 1
    # A batch of vectors times a matrix that all examples share is one product.
    shared = row and a.is_batched and not b.is_batched and len(right) == 2
    end = lead + loops + 2
    drop = () if shared else (*([end - 2] if row else []), *([end - 1] if column else []))
    add = ((), ()) if shared else (_lacking(a, loops, is_left=True), _lacking(b, loops, is_left=False))
    return call.result(full, a.dtype, [a, b], [a_kept, b_kept], add=add, drop=drop, macs=product(outer) * inner)


def _inner_size(call: Call, a: Term, b: Term) -> int | Dim:
    """The size of the axis that a matrix product sums over."""
    for term in (a, b):
        if len(_example(term)) == 0:
            help = "a number multiplies by `*`" if term.is_number else "write `a * b`, or `expand_dims` it"
            raise call.error(f"{call.name} needs an axis behind the batch, but this is {_shown(term)}", help, at=term)
    right = _example(b)
    column = len(right) == 1
    inner, other = _example(a)[-1], right[-1 if column else -2]
    try:
        call.same(inner, other)
    except ExpressionError:
        raise call.error(
            f"{call.name} of {a} and {b}: the last axis of the left, {size_text(inner)}, must equal "
            f"the {'only' if column else 'second last'} axis of the right, {size_text(other)}",
            "transpose one of them: `swapaxes(b, -2, -1)`" if not column and right[-1] == inner else "",
        ) from None
    return inner


def _kept_loops(term: Term, full: Sequence[int | Dim], end: int) -> list[int | None]:
    """The axes of an operand that a product preserves, its matrices' apart; ``end`` is the place behind the others."""
    start = 1 if term.is_batched else 0
    found: list[int | None] = [None] * len(full)
    if term.is_batched:
        found[0] = 0
    sizes = _example(term)[:-2]
    for axis, size in enumerate(sizes):
        at = end - len(sizes) + axis
        found[at] = start + axis if size != 1 or full[at] == 1 else None
    return found


def _lacking(term: Term, loops: int, *, is_left: bool) -> tuple[int, ...]:
    """The positions of axes to add, so that both operands have the same number of axes behind the batch."""
    own = len(_example(term))
    axes = list(range(1, 1 + loops - max(own - 2, 0))) if term.is_batched else []
    end = int(term.is_batched) + len(axes) + own
    return (*axes, *([end - 1 if is_left else end] if own == 1 else []))


def _example(x: Term) -> tuple[int | Dim, ...]:
    return x.shape[1:] if x.is_batched else x.shape


def _shown(x: Term) -> str:
    return str(x) if x.is_number else "one number for each example"


def _numpy_matmul(n: Any, c: Application, a: Any, b: Any) -> Any:
    left, right = (np.expand_dims(x, axes) for x, axes in zip((a, b), c["add"], strict=True))
    return np.squeeze(np.matmul(left, right), c["drop"])


def _keras_matmul(k: Any, c: Application, a: Any, b: Any) -> Any:
    left, right = (k.ops.expand_dims(x, axes) if axes else x for x, axes in zip((a, b), c["add"], strict=True))
    found = k.ops.matmul(left, right)
    return (
        found[tuple(0 if axis in c["drop"] else slice(None) for axis in range(len(c.shape) + len(c["drop"])))]
        if c["drop"]
        else found
    )


def _onnx_matmul(b: Any, c: Application, *names: str) -> str:
    left, right = (
        b.op("Unsqueeze", x, b.ints(list(axes), "axes")) if axes else x for x, axes in zip(names, c["add"], strict=True)
    )
    found = b.op("MatMul", left, right)
    if not isinstance(c.operands[0].shape[-1], int):
        # ONNX Runtime leaves memory as it was where there is nothing to add.
        empty = b.op("Equal", b.op("Shape", left, start=-1), b.ints([0], "none"))
        found = b.op("Where", empty, b.number(0.0) if c.dtype == FLOAT else b.integer(0), found)
    return str(b.op("Squeeze", found, b.ints(list(c["drop"]), "axes")) if c["drop"] else found)


def _draw_matmul(rng: np.random.Generator) -> Case:
    forms: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = [
        ("a @ b", (2, 4), (4, 5)),
        ("matmul(a, b)", (4,), (4,)),
        ("a @ b", (4,), (4, 5)),
        ("a @ b", (2, 4), (4,)),
        ("matmul(a, b)", (2, 3, 4), (4, 5)),
        ("a @ b[:, :1]", (3, 2, 4), (2, 4, 5)),
        ("a @ b", (4,), (2, 4, 3)),
        ("a @ swapaxes(b, 1, 2)", (2, 4), (5, 4)),
    ]
    if rng.random() < 0.4:
        text, shape = [
            ("a @ [[1, -2], [0.5, 3], [2, 1]]", (3,)),
            ("a @ [[1, -2], [0.5, 3], [2, 1]]", (2, 3)),
            ("matmul([[1, -2, 3]], a)", (3, 2)),
            ("a @ [1, -2, 3]", (4, 3)),
            ("a @ tril(ones([a.shape[1], a.shape[1]]))", (4,)),
        ][rng.integers(5)]
        return Case(text, {"a": rng.normal(size=(3, *shape)).astype(np.float32)})
    text, left, right = forms[rng.integers(len(forms))]
    if rng.random() < 0.2:
        return Case(
            text, {key: rng.integers(-4, 5, (3, *shape)).astype(np.int32) for key, shape in (("a", left), ("b", right))}
        )
    return Case(text, {key: rng.normal(size=(3, *shape)).astype(np.float32) for key, shape in (("a", left), ("b", right))})


# --- einsum ---------------------------------------------------------------------------------------------------------------


def _einsum_rule(call: Call) -> Term:
    equation = call["subscripts"].replace(" ", "")
    given = {name: call[name] for name in _OPERANDS if call[name] is not None}
    operands = call.unified(*(call.numeric(name) for name in given))
    names = list(given)

    def wrong(message: str, help: str = "", at: str = "subscripts") -> ExpressionError:
        return call.error(message, help, at=at)

    if "." in equation:
        raise wrong("the subscripts of `einsum` name every axis: `...` is not allowed", "write a letter for each axis")
    if equation.count("->") != 1:
        raise wrong("the subscripts of `einsum` need a result", "write `->` and the letters of the result: 'bij,bjk->bik'")
    left, result = equation.split("->")
    parts = left.split(",")
    if not all(part.isascii() and part.isalpha() for part in (*parts, result)):
        raise wrong("the subscripts of `einsum` are letters: one for each axis", "write them like 'bij,bjk->bik'")
    if len(parts) != len(operands):
        help = f"write {len(operands)} groups of letters with commas between them"
        raise wrong(f"the subscripts describe {len(parts)} operands, but `einsum` got {len(operands)}", help)
    for part, term in zip(parts, operands, strict=True):
        if len(part) != term.rank:
            batch = ", the batch included" if term.is_batched else ""
            raise wrong(
                f"'{part}' names {len(part)} axes, but {term} has {term.rank}{batch}", _with_batch(parts, result, operands)
            )
    twice = [letter for letter, count in Counter(result).items() if count > 1]
    if twice:
        raise wrong(f"the result of `einsum` names the axis `{twice[0]}` twice")
    batch = _batch_letter(call, names, parts, operands, result)
    sizes: dict[str, int | Dim] = {}
    for name, part, term in zip(names, parts, operands, strict=True):
        for letter, size in zip(part, term.shape, strict=True):
            if letter in sizes:
                try:
                    size = call.same(sizes[letter], size, name)
                except ExpressionError:
                    raise wrong(
                        f"the axis `{letter}` of `einsum` has the sizes {size_text(sizes[letter])} and {size_text(size)}",
                        at=name,
                    ) from None
            sizes[letter] = size
    missing = [letter for letter in result if letter not in sizes]
    if missing:
        raise wrong(f"no operand has the axis `{missing[0]}` of the result")
    kept = [[part.index(letter) if part.count(letter) == 1 else None for letter in result] for part in parts]
    cost = _einsum_macs(parts, result, {letter: size for letter, size in sizes.items() if letter != batch})
    return call.result([sizes[letter] for letter in result], operands[0].dtype, operands, kept, subscripts=equation, macs=cost)


def _with_batch(parts: list[str], result: str, operands: tuple[Term, ...]) -> str:
    """Help for subscripts that lack the batch: those with a letter for it."""
    if any(len(part) + term.is_batched != term.rank for part, term in zip(parts, operands, strict=True)):
        return "write a letter for each axis, beginning with the batch"
    letter = next(each for each in "bnzacdefghijklmopqrstuvwxy" if each not in "".join((*parts, result)))
    groups = [f"{letter if term.is_batched else ''}{part}" for part, term in zip(parts, operands, strict=True)]
    return f"write `'{','.join(groups)}->{letter}{result}'`"


def _batch_letter(call: Call, names: list[str], parts: list[str], operands: tuple[Term, ...], result: str) -> str:
    """The letter of the batch: the first of every tensor that has a batch, and of the result."""
    batched = [(name, part) for name, part, term in zip(names, parts, operands, strict=True) if term.is_batched]
    if not batched:
        return ""
    letter = batched[0][1][0]
    for name, part in batched:
        if part[0] != letter:
            raise call.error(
                f"axis 0 of each tensor is the batch: '{part}' must begin with `{letter}`",
                f"write '{letter}{part[1:] if letter not in part[1:] else '…'}'",
                at=name,
            )
        if letter in part[1:]:
            raise call.error(f"`{letter}` is the batch axis: '{part}' names it twice", "use another letter", at="subscripts")
    for name, part, term in zip(names, parts, operands, strict=True):
        if not term.is_batched and letter in part:
            raise call.error(
                f"`{letter}` is the batch axis, which a constant does not have: '{part}'", "use another letter", at=name
            )
    if result[0] != letter:
        raise call.error(
            f"the result of `einsum` must begin with `{letter}`, the batch axis",
            f"write '->{letter}{result.replace(letter, '')}'",
            at="subscripts",
        )
    return letter


def _einsum_macs(parts: list[str], result: str, sizes: Mapping[str, int | Dim]) -> int | Dim:
    """The multiply-accumulates of a product from left to right, for one example."""
    total: int | Dim = 0
    known = set(parts[0])
    for place, part in enumerate(parts[1:], 1):
        known |= set(part)
        total = total + product(sizes[letter] for letter in known if letter in sizes)
        later = set(result).union(*parts[place + 1 :])
        known &= later
    return total


def _draw_einsum(rng: np.random.Generator) -> Case:
    sizes = dict(zip("bijkl", (3, *map(int, rng.integers(1, 5, 4))), strict=True))
    equation = str(
        rng.choice(
            ["bij,bjk->bik", "bij,bkj->bikj", "bi,bi->b", "bij,bj->bi", "bi,bj,bk->bijk", "bij,bjk,bkl->bil", "bij->bji",
             "bijk->bi", "bijk,bljk->bil"]
        )
    )  # fmt: skip
    parts = equation.split("->")[0].split(",")
    if rng.random() < 0.25:
        text = str(rng.choice(["einsum('bij,jk->bik', a, [[1, 2], [-1, 0.5]])", "einsum('i,bij->bj', ones([a.shape[1]]), a)"]))
        return Case(text, {"a": rng.normal(size=(3, 4, 2)).astype(np.float32)})
    found = {
        name: rng.normal(size=[sizes[letter] for letter in part]).astype(np.float32)
        for name, part in zip(_OPERANDS, parts, strict=False)
    }
    return Case(f"einsum('{equation}', {', '.join(found)})", found)


_MATMUL = Function(
    "matmul",
    parameters("x1, x2"),
    _matmul_rule,
    _numpy_matmul,
    _keras_matmul,
    _onnx_matmul,
    _draw_matmul,
    "The matrix product of the last axes of each example, `x1 @ x2`, as in NumPy; a constant matrix multiplies all examples.",
)
_EINSUM = Function(
    "einsum",
    parameters("subscripts: text, a, b = None, c = None, d = None"),
    _einsum_rule,
    lambda n, c, *operands: np.einsum(c["subscripts"], *operands),
    lambda k, c, *operands: k.ops.einsum(c["subscripts"], *operands),
    lambda b, c, *operands: b.op("Einsum", *operands, equation=c["subscripts"]),
    _draw_einsum,
    "Sums of products by letters, 'bij,bjk->bik'; the batch is the first letter of each tensor and of the result.",
)
FUNCTIONS: Mapping[str, Function] = {function.name: function for function in (_MATMUL, _EINSUM)}
