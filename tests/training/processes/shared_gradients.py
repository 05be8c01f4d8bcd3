"""Prints the losses and gradients of functions of whole and shared values, on one device and on four."""

from __future__ import annotations

import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_num_cpu_devices", 4)

from nnspec.training.backends.sharing import Sharing, entered, gathered, left, own, summed  # noqa: E402

WEIGHT = np.random.default_rng(1).normal(size=(3, 2)).astype("float32")
INPUTS = np.random.default_rng(2).normal(size=(8, 3)).astype("float32")


def _network(weight: Any, inputs: Any) -> Any:
    return jnp.tanh(inputs @ weight)


def _shared(weight: Any, inputs: Any) -> Any:
    [weight] = entered([weight])
    return gathered(_network(weight, own(inputs)))


def _statistics(weight: Any, inputs: Any) -> Any:
    return (values := _network(weight, inputs)) - jnp.mean(values, 0)


def _shared_statistics(weight: Any, inputs: Any) -> Any:
    [weight] = entered([weight])
    values = _network(weight, own(inputs))
    [total] = entered(summed([jnp.sum(values, 0)]))
    return gathered(values - total / len(inputs))


def _changing(weight: Any, inputs: Any) -> Any:
    changed = weight / jnp.sqrt(jnp.sum(weight**2))
    return _network(changed, _network(changed, inputs) @ changed.T)


def _shared_changing(weight: Any, inputs: Any) -> Any:
    [given] = entered([weight])
    changed = given / jnp.sqrt(jnp.sum(given**2))
    values, [changed] = gathered(_network(changed, own(inputs))), left([changed])
    return _shared(changed, values @ changed.T)


def _penalty(call: Any, weight: Any, inputs: Any) -> Any:
    return jnp.sum(jax.grad(lambda given: jnp.sum(call(weight, given) ** 2))(inputs) ** 2)


def _losses(call: Any, statistics: Any, changing: Any) -> dict[str, Any]:
    return {
        "mean": lambda weight: jnp.mean(call(weight, INPUTS) ** 2),
        "within the batch": lambda weight: jnp.sum(jax.nn.log_softmax((z := call(weight, INPUTS)) @ z.T)[:, 0]),
        "two calls": lambda weight: jnp.sum(call(weight, call(weight, INPUTS) @ WEIGHT.T) ** 3),
        "of the weights too": lambda weight: jnp.sum(call(weight, INPUTS)) + 0.1 * jnp.sum(weight**2),
        "statistics": lambda weight: jnp.sum(statistics(weight, INPUTS) ** 4),
        "a changed weight": lambda weight: jnp.sum(changing(weight, INPUTS) ** 2),
        "penalty of a changed weight": lambda weight: _penalty(changing, weight, jnp.asarray(INPUTS)),
        "gradient penalty": lambda weight: _penalty(call, weight, jnp.asarray(INPUTS)),
        "penalty of statistics": lambda weight: _penalty(statistics, weight, jnp.asarray(INPUTS)),
    }


def main() -> None:
    """Prints for each loss its value and gradient on one device, and on four."""
    sharing = Sharing(jax.devices())
    found = {}
    shared_losses = _losses(_shared, _shared_statistics, _shared_changing)
    for name, alone in _losses(_network, _statistics, _changing).items():
        one = jax.value_and_grad(alone)(jnp.asarray(WEIGHT))
        four = jax.jit(sharing.over(jax.value_and_grad(shared_losses[name]), [False]))(sharing.place(WEIGHT))
        found[name] = [[float(np.asarray(value)), np.asarray(gradient).tolist()] for value, gradient in (one, four)]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
