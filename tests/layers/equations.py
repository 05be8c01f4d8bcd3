"""Equations of ``EinsumDense`` drawn at random for an input, with the arguments that have to go with them."""

from __future__ import annotations

from random import Random
from typing import Any

from nnspec.types import TensorType

__all__ = ["draw_equation"]


def draw_equation(random: Random, x: TensorType) -> dict[str, Any]:
    """An equation, and the ``output_shape`` and ``bias_axes`` that go with it.

    Args:
        random: What decides.
        x: The type that comes in. Of its axes some are summed over, some are in the kernel and stay, others have no part in it.
    """
    sizes = dict(zip("bcde", x.shape, strict=False))
    numbers = [letter for letter, size in sizes.items() if isinstance(size, int)]
    summed = random.sample(numbers, random.randint(min(1, len(numbers)), len(numbers)))
    rest = [letter for letter in numbers if letter not in summed]
    alongside = random.sample(rest, random.randint(0, min(1, len(rest))))
    made = {letter: random.randint(1, 4) for letter in "xy"[: random.randint(0 if summed else 1, 2)]}
    kernel = [*summed, *alongside, *made]
    random.shuffle(kernel)
    output = [letter for letter in sizes if letter not in summed] + list(made)
    if random.random() < 0.4:
        random.shuffle(output)
    shape = [
        made.get(letter, random.choice([None, size]) if isinstance(size := sizes.get(letter), int) else None)
        for letter in output
    ]
    biased = [letter for letter in output if letter in made or letter in numbers]
    bias = "".join(sorted(random.sample(biased, random.randint(0, len(biased))), key=output.index)) or None
    equation = f"a{''.join(sizes)},{''.join(kernel)}->a{''.join(output)}"
    return {"equation": _shortened(random, equation), "output_shape": shape, "bias_axes": bias}


def _shortened(random: Random, equation: str) -> str:
    """The same with ``...`` for the batch axis, sometimes."""
    if random.random() < 0.3:
        return equation.replace("->a", "->...").replace("a", "...", 1)
    return equation
