"""Batches that several JAX devices share, with the results that one device computes.

Every device runs the networks on its share of a batch. All else (draws, losses, metrics, updates) every device computes alike,
on the whole batch. So a value is either *whole*, the same on all devices, or a *share*, the part of one device. The functions
here turn one into the other, and each is the derivative of another one: gradients of any order are those of one device.

| function | value | its derivative |
|---|---|---|
| `gathered` | share to whole | `own` |
| `own` | whole to share | `gathered` |
| `entered` | weights that a network uses on a share | `summed` |
| `summed` | sum over all devices | `entered` |
| `left` | what a network computes alike on all devices | an equal part of `entered` |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax
from jax.extend.random import define_prng_impl, threefry_prng_impl
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as Spec
from keras.src.backend.common.masking import get_keras_mask, set_keras_mask
from keras.src.backend.common.variables import AutocastScope

AXIS = "data"
"""The axis of devices."""


# --- values -----------------------------------------------------------------------------------------------------------------


def _differentiable(function: Callable[[Any], Any]) -> Any:
    """A function whose derivative is given."""
    return jax.custom_vjp(function)


@_differentiable
def gathered(share: Any) -> Any:
    """The whole of which each device has a share, along the first axis."""
    return lax.all_gather(share, AXIS, axis=0, tiled=True)


@_differentiable
def own(whole: Any) -> Any:
    """The share of this device, along the first axis."""
    size = whole.shape[0] // lax.axis_size(AXIS)
    return lax.dynamic_slice_in_dim(whole, lax.axis_index(AXIS) * size, size)


@_differentiable
def entered(values: list[Any]) -> list[Any]:
    """Values that each device uses on its share of a batch."""
    return values


@_differentiable
def summed(values: list[Any]) -> list[Any]:
    """The sums of values over all devices, in one reduction for each dtype: many small ones cost many times as much."""
    found: dict[int, Any] = {}
    for dtype in {value.dtype for value in values}:
        places = [i for i, value in enumerate(values) if value.dtype == dtype]
        total = lax.psum(jnp.concatenate([jnp.ravel(values[i]) for i in places]), AXIS)
        parts = jnp.split(total, np.cumsum([values[i].size for i in places])[:-1])
        found |= {i: jnp.reshape(part, values[i].shape) for i, part in zip(places, parts, strict=True)}
    return [found[i] for i in range(len(values))]


@_differentiable
def left(values: list[Any]) -> list[Any]:
    """Values that each device computed alike, beside its share: those of changed weights."""
    return values


def _parts(values: list[Any]) -> list[Any]:
    return [value / lax.axis_size(AXIS) for value in values]


gathered.defvjp(lambda share: (gathered(share), None), lambda _, change: (own(change),))
own.defvjp(lambda whole: (own(whole), None), lambda _, change: (gathered(change),))
entered.defvjp(lambda values: (entered(values), None), lambda _, change: (summed(change),))
summed.defvjp(lambda values: (summed(values), None), lambda _, change: (entered(change),))
left.defvjp(lambda values: (left(values), None), lambda _, change: (_parts(entered(change)),))


def _converted(function: Callable[[Any], Any], value: Any) -> Any:
    """`gathered` or `own` of a tensor of any dtype; only floating-point ones have derivatives."""
    if jnp.issubdtype(value.dtype, jnp.floating):
        return function(value)
    # Reductions do not know booleans.
    plain = lax.stop_gradient(value).astype("int32" if value.dtype == jnp.bool_ else value.dtype)
    return function.fun(plain).astype(value.dtype)  # type: ignore[attr-defined]


# --- the networks -----------------------------------------------------------------------------------------------------------


class Sharing:
    """How devices share a training, of this process or of several.

    Args:
        devices: The devices, of all processes.
    """

    def __init__(self, devices: Sequence[Any]) -> None:
        self.count = len(devices)
        self._mesh = Mesh(np.array(devices), (AXIS,))
        self._whole, self._shares = NamedSharding(self._mesh, Spec()), NamedSharding(self._mesh, Spec(AXIS))
        self._local = [device for device in devices if device.process_index == jax.process_index()]
        self._first = next(i for i, device in enumerate(devices) if device.process_index == jax.process_index())
        self._in_step = self._in_network = False
        self._share_of: dict[int, tuple[Any, Any]] = {}
        self._size = 0
        self._prepared: set[int] = set()

    def over(self, function: Callable[..., Any], of: Sequence[bool]) -> Callable[..., Any]:
        """A function of arrays that all devices compute together; its results are whole.

        Args:
            function: The function.
            of: Whether each argument is a share, rather than whole.
        """
        specs = tuple(Spec(AXIS) if share else Spec() for share in of)
        shared: Callable[..., Any] = jax.shard_map(function, mesh=self._mesh, in_specs=specs, out_specs=Spec(), check_vma=False)
        return shared

    def divides(self, size: int) -> bool:
        """Whether a batch can be shared; the devices compute another one whole."""
        return size % self.count == 0

    def rows(self, rows: Any) -> Any:
        """The rows of a batch that this process reads: those of its devices, of each step, (steps, batch size)."""
        if not self.divides(rows.shape[1]):
            return rows
        size = rows.shape[1] // self.count
        return rows[:, self._first * size : (self._first + len(self._local)) * size]

    # --- placement ------------------------------------------------------------------------------------------------------

    def place(self, array: Any, *, share: bool = False) -> Any:
        """Places an array of this process on its devices: the whole array on each, or a part of it on each."""
        sharding = self._shares if share else self._whole
        if isinstance(array, jax.Array) and array.sharding == sharding:
            return array
        if share or not isinstance(array, jax.Array) or len(self._local) > 1:
            return jax.make_array_from_process_local_data(sharding, np.asarray(array))
        return jax.make_array_from_single_device_arrays(array.shape, sharding, [jax.device_put(array, self._local[0])])

    def local(self, array: Any) -> Any:
        """A whole array on one device of this process, for computations outside the steps."""
        return array.addressable_data(0)

    # --- tracing --------------------------------------------------------------------------------------------------------

    @contextmanager
    def step(self) -> Iterator[None]:
        """Shares the calls of networks that are traced within."""
        self._in_step, self._share_of = True, {}
        try:
            yield
        finally:
            self._in_step, self._share_of = False, {}

    def whole(self, share: Any, value: Any = None) -> Any:
        """The whole of a share. A network that takes it uses the share itself.

        Args:
            share: The share.
            value: The whole, if it is known without communication.
        """
        found = _converted(gathered, share) if value is None else value
        self._share_of[id(found)] = found, share
        return found

    def share(self, whole: Any) -> Any:
        """The share of a whole."""
        known = self._share_of.get(id(whole))
        return _converted(own, whole) if known is None else known[1]

    def prepare(self, models: Iterable[keras.Model]) -> None:
        """Makes networks compute shares within steps; outside of them, they are unchanged."""
        for model in models:
            if id(model) in self._prepared:
                continue
            self._prepared.add(id(model))
            model.call = partial(self.call, model.call, model)
            layers = list(model._flatten_layers(include_self=False))
            self.prepare_random(layers)
            for layer in layers:
                if isinstance(layer, keras.layers.BatchNormalization) and id(layer) not in self._prepared:
                    self._prepared.add(id(layer))
                    layer._moments = partial(self._moments, layer._moments, layer)

    def prepare_random(self, layers: Iterable[Any]) -> None:
        """Makes the random generators of layers draw shares where `each` runs them."""
        for layer in layers:
            for value in vars(layer).values():
                if isinstance(value, keras.random.SeedGenerator) and id(value) not in self._prepared:
                    self._prepared.add(id(value))
                    value.next = partial(self._key, value.next)

    def each(self, function: Callable[[Any], Any], batch: Any) -> Any:
        """Applies a function of single examples to a batch, each device to its share.

        Args:
            function: The function; of its variables it changes only the states of random generators.
            batch: The batch.
        """
        size = jax.tree.leaves(batch)[0].shape[0]
        if not self._in_step or not self.divides(size):
            return function(batch)
        with self._on_shares(size):
            shares = function(jax.tree.map(self.share, batch))
        return jax.tree.map(self.whole, shares)

    def call(self, original: Callable[..., Any], model: keras.Model, inputs: Any, mask: Any = None, **arguments: Any) -> Any:
        """Calls a network, each device on its share."""
        leaves = keras.tree.flatten(inputs)
        sizes = {leaf.shape[0] for leaf in leaves}
        if not self._in_step or self._in_network or len(sizes) > 1 or not self.divides(size := sizes.pop()):
            return original(inputs, mask=mask, **arguments)
        variables = model.variables
        with AutocastScope(None):
            before = [variable.value for variable in variables]
        trained = {id(variable) for variable in model.trainable_variables}
        places = [i for i, variable in enumerate(variables) if id(variable) in trained]
        given = list(before)
        for i, value in zip(places, entered([before[i] for i in places]) if places else [], strict=True):
            given[i] = value
        shares = keras.tree.map_structure(self._share_with_mask, inputs)
        masks = keras.tree.map_structure(lambda each: None if each is None else self.share(each), mask)
        state = list(zip(variables, given, strict=True))
        with self._on_shares(size), keras.StatelessScope(state_mapping=state, collect_losses=True) as scope:
            initial = [scope.get_current_value(variable) for variable in variables]
            outputs = original(shares, mask=masks, **arguments)
        if scope.losses:
            # What layers add is a number for the whole batch, whose shares do not determine it.
            return original(inputs, mask=mask, **arguments)
        # Also weights that are trained: spectral normalization divides its kernel at each call.
        changed = [
            (variable, value)
            for variable, value, known in zip(variables, map(scope.get_current_value, variables), initial, strict=True)
            if value is not known
        ]
        for variable, value in changed:
            floating = jnp.issubdtype(value.dtype, jnp.floating)
            variable.assign(left([value])[0] if floating else value)
        return keras.tree.map_structure(self._whole_with_mask, outputs)

    @contextmanager
    def _on_shares(self, size: int) -> Iterator[None]:
        """Statistics and draws within are those of a whole batch of this size."""
        self._in_network, self._size = True, size // self.count
        try:
            yield
        finally:
            self._in_network = False

    def _share_with_mask(self, whole: Any) -> Any:
        share, mask = self.share(whole), get_keras_mask(whole)
        if mask is not None and share is not whole:
            set_keras_mask(share, self.share(mask))
        return share

    def _whole_with_mask(self, share: Any) -> Any:
        whole, mask = self.whole(share), get_keras_mask(share)
        if mask is not None:
            set_keras_mask(whole, self.whole(mask))
        return whole

    def _moments(self, original: Callable[..., Any], layer: Any, inputs: Any, mask: Any) -> Any:
        """The mean and variance of the whole batch."""
        if not self._in_network:
            return original(inputs, mask)
        axes = tuple(layer._reduction_axes)
        weights = jnp.ones((), inputs.dtype) if mask is None else jnp.expand_dims(mask, -1).astype(inputs.dtype)
        count = jnp.sum(jnp.broadcast_to(weights, inputs.shape), axes)
        mean = jnp.sum(inputs * weights, axes) / jnp.maximum(count, 1)
        deviation = jnp.sum(jnp.square(inputs - jnp.expand_dims(mean, axes)) * weights, axes)
        # Sums of squares around each share's own mean lose less to rounding.
        counts, sums, squares = entered(summed([count, mean * count, deviation + count * jnp.square(mean)]))
        whole = jnp.maximum(counts, keras.config.epsilon())
        return sums / whole, jnp.maximum(squares / whole - jnp.square(sums / whole), 0)

    def _key(self, original: Callable[..., Any], **arguments: Any) -> Any:
        """A key with which a share of the whole batch's numbers is drawn."""
        raw = original(**arguments)
        if not self._in_network:
            return raw
        return jax.random.wrap_key_data(raw, impl=_shared_threefry(self._size))


def _shared_threefry(size: int) -> Any:
    """A generator of the share of a device: of arrays with a number of rows, or a multiple of it, it draws those of its share.

    Args:
        size: The number of examples of a share.
    """

    def random_bits(key: Any, width: int, shape: Sequence[int]) -> Any:
        if not shape or shape[0] % size:
            return threefry_prng_impl.random_bits(key, width, shape)
        whole = (shape[0] * lax.axis_size(AXIS), *shape[1:])
        return own.fun(threefry_prng_impl.random_bits(key, width, whole))

    base = threefry_prng_impl
    return define_prng_impl(
        key_shape=base.key_shape,
        seed=base.seed,
        split=base.split,
        random_bits=random_bits,
        fold_in=base.fold_in,
        name=f"share of {size}",
        tag="shr",
    )
