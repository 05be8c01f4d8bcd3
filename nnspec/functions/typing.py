"""The types of expressions: a syntax tree and the types of its names become typed terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from nnspec.diagnostics.remedies import Advice, remedy_of
from nnspec.expressions.params import UNKNOWN, UnknownValue
from nnspec.expressions.syntax import (
    Attribute,
    Binary,
    Conditional,
    ExpressionError,
    Index,
    List,
    Literal,
    Logical,
    Loop,
    Name,
    Slice,
    Syntax,
    Unary,
    parse,
)
from nnspec.expressions.syntax import Call as CallSyntax
from nnspec.expressions.syntax import Ellipsis as EllipsisSyntax
from nnspec.functions import indexing
from nnspec.functions.arguments import READ, constant
from nnspec.functions.base import Call, Context, Function, Parameter
from nnspec.functions.catalogue import ARGUMENTS, FUNCTIONS, INSTEAD
from nnspec.functions.elementwise import OPERATORS, UNARY_OPERATORS, number
from nnspec.functions.help import axes_of, instead, instead_of_attribute, with_operand
from nnspec.functions.names import CONSTANTS
from nnspec.functions.products import FUNCTIONS as PRODUCTS
from nnspec.functions.terms import BATCH, BOOL, FLOAT, INT, Input, Sizes, Term
from nnspec.types import renamed, suggested

_MODULES = frozenset({"np", "numpy", "tf", "keras", "ops", "K", "torch", "F", "jnp", "jax", "nn", "math", "random", "backend"})
_DTYPES = frozenset({"float32", "int32", "bool"})

Pair = tuple[Term, ...]
"""The results of a function with several."""


def input_term(name: str, shape: Sizes, dtype: str, *, mask: int | None = None, at: tuple[int, int] = (0, 0)) -> Term:
    """The term of a tensor that an expression reads.

    Args:
        name: Its name.
        shape: Its shape, without the batch axis.
        dtype: Its dtype, by Keras's name.
        mask: The number of axes of its mask; None if it has none.
        at: Where the name stands.
    """
    return complete_term(name, (BATCH, *shape), dtype, mask=mask, at=at)


def complete_term(name: str, shape: Sizes, dtype: str, *, mask: int | None = None, at: tuple[int, int] = (0, 0)) -> Term:
    """The term of a tensor whose shape is complete; see [`input_term`][]."""
    kind = FLOAT if "float" in dtype else BOOL if dtype == "bool" else INT
    axes = {name: tuple(range(len(shape)))}
    return Term(shape, kind, Input(name), at, axes=axes, masks={} if mask is None else {name: mask})


@dataclass
class Typing:
    """Gives types to expressions.

    Attributes:
        names: The tensors by name.
        params: The values of params, counters and earlier results; tensors take precedence.
        context: Where constraints on sizes are collected.
        in_training: Whether random functions are allowed here.
    """

    names: dict[str, Term | Pair]
    params: Mapping[str, Any] = field(default_factory=dict)
    context: Context = field(default_factory=Context)
    in_training: bool = False
    masks_read: set[str] = field(default_factory=set)
    _text: str = ""

    def result(self, text: str) -> Term:
        """The term of an expression.

        Raises:
            ExpressionError: If it cannot be parsed, or its types are wrong.
        """
        tree = parse(text, tensors=True)
        self._text = text
        try:
            term = self.tensor(self.value(tree), tree)
        except RecursionError:
            raise ExpressionError("too many operations in one expression", 0, len(text)) from None
        except ExpressionError as error:
            error.help = Advice(with_operand(error.help, text[error.start : error.end]), remedy_of(error.help))
            raise
        self.check_result(term, tree)
        return term

    def check_result(self, term: Term, tree: Syntax) -> None:
        """Checks the term of a whole expression.

        Raises:
            ExpressionError: If it does not depend on a tensor.
        """
        if not term.is_batched:
            text = self._text
            reason = "an expression must depend on a tensor, but this is the same for all examples"
            name = next(iter(self.names), "x")
            help = (
                f"write `full_like({name}, {text})`"
                if term.is_number
                else "write it in the expression that combines it with a tensor"
            )
            raise ExpressionError(reason, tree.start, tree.end, help=help)

    def _shown(self, *nodes: Syntax) -> str:
        """What is written from the first of some nodes to the last."""
        return self._text[nodes[0].start : nodes[-1].end]

    # --- nodes ----------------------------------------------------------------------------------------------------------

    def value(self, node: Syntax) -> Any:
        """The value of a node: a term, several terms, a list, a string or None."""
        match node:
            case Literal():
                if isinstance(node.value, str) or node.value is None:
                    return node.value
                return number(node.value, (node.start, node.end))
            case Name():
                return self._name(node)
            case List():
                return [self.value(item) for item in node.items]
            case CallSyntax():
                return self._call(node)
            case Attribute():
                return self._attribute(node)
            case Index():
                return self._index(node)
            case Unary(operator="not"):
                return number(not self._condition(node.operand, node), (node.start, node.end))
            case Unary():
                return self._apply(UNARY_OPERATORS[node.operator], {"x": node.operand}, node, node.operator, node.at)
            case Binary():
                return self._binary(node)
            case Logical():
                left = self._condition(node.left, node)
                if left is (node.operator == "or"):
                    return number(left, (node.start, node.end))
                return number(self._condition(node.right, node), (node.start, node.end))
            case Conditional():
                chosen = self._condition(node.condition, node)
                return self.value(node.then if chosen else node.otherwise)
            case EllipsisSyntax() | Slice():
                raise ExpressionError("`...` and slices belong into an index", node.start, node.end)
            case Loop():
                raise ExpressionError("a list comprehension belongs into `${…}`", node.start, node.end)
        raise AssertionError(node)

    def _binary(self, node: Binary) -> Any:
        """A chain of operators, without recursion on its left."""
        chain = [node]
        while isinstance(chain[-1].left, Binary):
            chain.append(chain[-1].left)
        left = self.value(chain[-1].left)
        for each in reversed(chain):
            function = PRODUCTS["matmul"] if each.operator == "@" else OPERATORS[each.operator]
            names = ("x1", "x2")
            right = self.value(each.right)
            if each.operator in ("==", "!=") and isinstance(left, str | None) and isinstance(right, str | None):
                left = number((left == right) is (each.operator == "=="), (each.start, each.end))  # of params
                continue
            operands = {names[0]: self.tensor(left, each.left), names[1]: self.tensor(right, each.right)}
            places = {names[0]: (each.left.start, each.left.end), names[1]: (each.right.start, each.right.end)}
            result = function.rule(Call(function, operands, each.at, places, self.context, each.operator))
            left = self._placed(result, each)
        return left

    def _apply(self, function: Function, given: Mapping[str, Syntax], node: Syntax, shown: str, at: tuple[int, int]) -> Any:
        operands = {name: self.tensor(self.value(each), each) for name, each in given.items()}
        places = {name: (each.start, each.end) for name, each in given.items()}
        return self._placed(function.rule(Call(function, operands, at, places, self.context, shown)), node)

    def _placed(self, result: Term | Pair, node: Syntax) -> Term | Pair:
        at = node.start, node.end
        return tuple(term.placed(at) for term in result) if isinstance(result, tuple) else result.placed(at)

    def _condition(self, node: Syntax, whole: Unary | Logical | Conditional) -> bool:
        """The value of a condition of `and`, `or`, `not` or `if`, which are computed while compiling."""
        value = self.value(node)
        if isinstance(value, Term):
            if not value.is_static:
                word = "if" if isinstance(whole, Conditional) else whole.operator
                raise ExpressionError(
                    f"`{word}` takes params, and chooses while compiling; this depends on a tensor",
                    whole.start,
                    whole.end,
                    help=f"write `{self._of_tensors(whole)}`",
                )
            return bool(value.value)
        return bool(value)

    def _of_tensors(self, node: Unary | Logical | Conditional) -> str:
        """What does the same with tensors."""
        if isinstance(node, Conditional):
            return f"where({self._shown(node.condition)}, {self._shown(node.then)}, {self._shown(node.otherwise)})"

        def operand(each: Syntax) -> str:
            return self._shown(each) if isinstance(each, Name | CallSyntax | Index) else f"({self._shown(each)})"

        if isinstance(node, Unary):
            return f"~{operand(node.operand)}"
        return f"{operand(node.left)} {'&' if node.operator == 'and' else '|'} {operand(node.right)}"

    def _name(self, node: Name) -> Any:
        at = node.start, node.end
        if node.name in self.names:
            found = self.names[node.name]
            return found if isinstance(found, tuple) else found.placed(at)
        if node.name in self.params:
            return self._param(self.params[node.name], node)
        if node.name in CONSTANTS:
            return number(CONSTANTS[node.name], at)
        known = [*self.names, *self.params, *CONSTANTS]
        near = get_close_matches(node.name, known, 1)
        if near:
            help: str = suggested(node.name, near[0], known, defined=True)
        elif node.name in FUNCTIONS:
            help = f"`{node.name}` is a function: write `{FUNCTIONS[node.name].signature}`"
        elif node.name in _DTYPES:
            help = f"write `'{node.name}'`, in quotes"
        else:
            help = "the names are " + ", ".join(f"`{name}`" for name in known[:12])
        raise ExpressionError(f"unknown name `{node.name}`", *at, help=help)

    def _param(self, value: Any, node: Name) -> Any:
        if value is UNKNOWN:
            raise UnknownValue(f"`{node.name}` has no value", node.start, node.end)
        if isinstance(value, bool | int | float):
            return number(value, (node.start, node.end))
        if isinstance(value, list | tuple):
            return [self._param(item, node) for item in value]
        if value is None or isinstance(value, str):
            return value
        raise ExpressionError(f"`{node.name}` is a mapping, which expressions cannot use", node.start, node.end)

    def _attribute(self, node: Attribute) -> Any:
        if node.name == "shape":
            return _Shape(self.tensor(self.value(node.value), node.value))
        if isinstance(node.value, Name):
            whole = f"{node.value.name}.{node.name}"
            if whole in self.names:
                found = self.names[whole]
                return found if isinstance(found, tuple) else found.placed((node.start, node.end))
        message = f"a tensor has no attribute `{node.name}`"
        raise ExpressionError(message, node.start, node.end, help=instead_of_attribute(node.name, self._shown(node.value)))

    def _index(self, node: Index) -> Any:
        value = self.value(node.value)
        at = node.start, node.end
        if isinstance(value, _Shape):
            return self._size(value, node)
        if isinstance(value, str) or value is None:
            raise self._no_tensor(value, node.value)
        if isinstance(value, tuple | list):
            index = self._static_int(node.items[0], "an index")
            if len(node.items) != 1 or not -len(value) <= index < len(value):
                few = f"use an index from 0 to {len(value) - 1}"
                raise ExpressionError(f"the index {index} is out of range: there are {len(value)}", *at, help=few)
            return value[index]
        x = self.tensor(value, node.value)
        items = [self._index_item(item, node) for item in node.items]
        if x.is_batched and not (items[0] is ... or items[0] == slice(None)):
            raise ExpressionError(
                "axis 0 is the batch axis: an expression describes one example, and cannot index it",
                node.items[0].start,
                node.items[0].end,
                help=f"write `{self._shown(node.value)}[:, {self._shown(*node.items)}]`",
            )
        return self._placed(indexing.indexed(x, items, (node.at[0], node.end), self.context), node)

    def _index_item(self, item: Syntax, whole: Index) -> Any:
        if isinstance(item, EllipsisSyntax):
            return ...
        if isinstance(item, Slice):
            bounds = [None if each is None else self.value(each) for each in (item.first, item.stop, item.step)]
            for bound, each in zip(bounds, (item.first, item.stop, item.step), strict=True):
                if bound is not None and not (isinstance(bound, Term) and bound.is_number and bound.dtype == INT):
                    assert each is not None
                    raise ExpressionError("the bounds of a slice are integers or sizes", each.start, each.end)
            return slice(*bounds)
        value = self.value(item)
        if value is None:
            return None
        if isinstance(value, Term) and value.is_number and value.dtype == INT:
            return value
        help = ""
        if isinstance(value, Term) and not value.is_number:
            x, axis = self._shown(whole.value), max(whole.items.index(item), 1)
            chosen = f"take({x}, {self._shown(item)}, axis={axis})"
            help = f"write `where({self._shown(item)}, {x}, 0)`" if value.dtype == BOOL else f"write `{chosen}`"
        raise ExpressionError("an index is an integer, a slice, `...` or `null`", item.start, item.end, help=help)

    def _size(self, shape: _Shape, node: Index) -> Term:
        """``x.shape[1]``: a number if the size is known."""
        axis = self._static_int(node.items[0], "an axis")
        x, at = shape.tensor, (node.start, node.end)
        rank = x.rank
        place = axis if axis >= 0 else axis + rank
        if len(node.items) != 1 or not 0 <= place < rank:
            raise ExpressionError(f"{x} has no axis {axis}", *at, help=axes_of(x))
        size = x.shape[place]
        if size == BATCH:
            raise ExpressionError("axis 0 is the batch axis, whose size an expression cannot use", *at, help=axes_of(x))
        if isinstance(size, int):
            return number(size, at)
        return indexing.size_of(x, place, at, self.context)

    def _static_int(self, node: Syntax, what: str) -> int:
        value = self.value(node)
        if isinstance(value, Term) and isinstance(value.value, int) and not isinstance(value.value, bool):
            return value.value
        raise ExpressionError(f"{what} must be an integer that is known while compiling", node.start, node.end)

    # --- calls ----------------------------------------------------------------------------------------------------------

    def _call(self, node: CallSyntax) -> Any:
        name = node.function.name
        at = node.function.start, node.function.end
        function = FUNCTIONS.get(name)
        if function is None:
            raise self._unknown_function(node)
        if name == "in_training":
            outer, self.in_training = self.in_training, True
        bound: dict[str, Syntax] = {}
        for parameter, argument in zip(function.parameters, node.arguments, strict=False):
            bound[parameter.name] = argument
        if len(node.arguments) > len(function.parameters):
            extra = node.arguments[len(function.parameters)]
            raise ExpressionError(
                f"`{name}` takes at most {len(function.parameters)} arguments",
                extra.start,
                extra.end,
                help=f"write `{function.signature}`",
            )
        known = {parameter.name for parameter in function.parameters}
        for key, argument in node.keywords:
            if key.name not in known:
                near = get_close_matches(key.name, known, 1)
                help = suggested(key.name, near[0], known) if near else f"write `{function.signature}`"
                if (ours := ARGUMENTS.get(key.name, "")) in known:
                    help = renamed(key.name, ours)
                raise ExpressionError(f"`{name}` has no argument `{key.name}`", key.start, key.end, help=help)
            if key.name in bound:
                help = f"remove it, or `{self._shown(bound[key.name])}`"
                raise ExpressionError(f"`{name}` got `{key.name}` twice", key.start, key.end, help=help)
            bound[key.name] = argument
        values: dict[str, Any] = {}
        for parameter in function.parameters:
            if parameter.name in bound:
                values[parameter.name] = self._argument(function, parameter, bound[parameter.name])
                if name == "in_training" and parameter.name == function.parameters[0].name:
                    self.in_training = outer
            elif parameter.is_required:
                values[parameter.name] = self.omitted(function, parameter, values, node)
            else:
                values[parameter.name] = parameter.default
        if name.startswith("random_") and not self.in_training:
            raise ExpressionError(
                f"`{name}` draws new numbers: it is allowed only in the first argument of `in_training`",
                *at,
                help="move it there"
                if "in_training" in self._text
                else f"write `in_training({self._text}, b)`, where `b` is the value at inference",
            )
        places = {key: (each.start, each.end) for key, each in bound.items()}
        result = function.rule(Call(function, values, (node.start, node.end), places, self.context))
        if name == "mask":
            self.masks_read |= set(values["x"].masks) | values["x"].dropped
        return self._placed(result, node)

    def omitted(self, function: Function, parameter: Parameter, given: Mapping[str, Any], node: CallSyntax) -> Any:
        """The value of a required argument that is missing.

        Args:
            function: The function.
            parameter: The parameter.
            given: The values of the parameters before it.
            node: The call.

        Raises:
            ExpressionError: If it has none.
        """
        del given
        message = f"`{function.name}` requires `{parameter.name}`"
        help = f"write `{function.signature}`"
        if parameter.kind in ("axis", "axes"):
            message += ": without it, Keras would include the batch axis"
            help = f"write `{self._shown(node)[:-1]}, {parameter.name}=-1)` for the last axis"
        raise ExpressionError(message, node.function.start, node.function.end, help=help)

    def _unknown_function(self, node: CallSyntax) -> ExpressionError:
        owner, dot, name = node.function.name.rpartition(".")
        at = node.function.start, node.function.end
        arguments = self._text[node.function.end + 1 : node.end - 1]
        near = get_close_matches(name, FUNCTIONS, 1, 0.7)
        if dot:
            from_module = owner.partition(".")[0] in _MODULES
            given = ", ".join(filter(None, [*([] if from_module else [owner]), arguments]))
            meant = name if name in FUNCTIONS else near[0] if near else ""
            help = instead(name, given) if name in INSTEAD or not meant else f"write `{meant}({given})`"
            message = (
                "a function is written without a prefix" if from_module else "a tensor has no methods, only functions take it"
            )
            return ExpressionError(message, node.start, node.end, help=help)
        if name in self.params or name in self.names:
            message, help = (
                f"`{name}` is no function",
                f"write `{name} * ({arguments})` for a product, `{name}[:, …]` for an index",
            )
        elif name in INSTEAD:
            return ExpressionError(f"unknown function `{name}`", node.start, node.end, help=instead(name, arguments))
        else:
            message = f"unknown function `{name}`"
            help = suggested(name, near[0], FUNCTIONS) if near else "`nnspec layers` lists the functions"
            if name[:1].isupper():
                help = f"layers are steps of their own: write `- {name}: …` above, and read it by its name"
        return ExpressionError(message, *at, help=help)

    def _argument(self, function: Function, parameter: Parameter, node: Syntax) -> Any:
        value = self.value(node)
        kind = parameter.kind
        if kind == "any":
            return value
        if value is None and not parameter.is_required and parameter.default is None:
            return None
        if kind == "tensor":
            return self.tensor(value, node)
        if kind == "tensors":
            if isinstance(value, list):
                items = node.items if isinstance(node, List) else [node] * len(value)
                return tuple(self.tensor(item, at) for item, at in zip(value, items, strict=True))
            raise self._wrong(function, parameter, node, "a list of tensors", "write `[a, b]`")
        if isinstance(value, _Shape):
            raise self._no_tensor(value, node)
        read: Callable[[Any], Any] = READ[kind]
        try:
            return read(value)
        except TypeError as error:
            help = ""
            if isinstance(value, str) and kind != "text":
                help = f"write `{value}`, without quotes" if value else ""
            elif value is None and kind == "axes":
                help = "write the list of all axes but the batch, such as `[1, 2]`"
            raise self._wrong(function, parameter, node, str(error), help) from None

    def _wrong(self, function: Function, parameter: Parameter, node: Syntax, expected: str, help: str) -> ExpressionError:
        return ExpressionError(f"`{parameter.name}` of `{function.name}` must be {expected}", node.start, node.end, help)

    def tensor(self, value: Any, node: Syntax) -> Term:
        """The value of a node as a term; lists of numbers become constants.

        Raises:
            ExpressionError: If it is neither.
        """
        if isinstance(value, Term):
            return value
        if isinstance(value, list):
            return constant(value, (node.start, node.end), self._text)
        raise self._no_tensor(value, node)

    def _no_tensor(self, value: Any, node: Syntax) -> ExpressionError:
        at = node.start, node.end
        if isinstance(value, tuple):
            help = f"write `{self._shown(node)}[0]` for the values, `[1]` for the indices"
            return ExpressionError("this has several results", *at, help=help)
        if isinstance(value, _Shape):
            sizes = ", ".join(f"{self._shown(node)}[{axis}]" for axis in range(int(value.tensor.is_batched), value.tensor.rank))
            return ExpressionError("`shape` needs an index", *at, help=f"write one size of `{sizes}`, or a list: `[{sizes}]`")
        if value is None:
            return ExpressionError("expected a tensor or a number, not null", *at)
        help = f"write `{value}`, without quotes" if value.isidentifier() else ""
        return ExpressionError(f"expected a tensor or a number, not the string `{value}`", *at, help=help)


@dataclass(frozen=True)
class _Shape:
    """``x.shape``, before its index."""

    tensor: Term
