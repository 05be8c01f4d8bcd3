"""Specs with `Compute` as papers and practice need it, and the types of their outputs."""

from __future__ import annotations

from collections.abc import Mapping

SPECS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "attention": (
        """\
params: {width: 16}
inputs: {query: [T, 16], key: [S, 16], value: [S, 16]}
layers:
  - Compute: softmax(query @ swapaxes(key, 1, 2) / sqrt(width)) @ value
""",
        {"compute": "(T, 16) float32"},
    ),
    "capsule": (
        """\
inputs: {image: [28, 28, 1]}
layers:
  - Conv2D: {filters: 32, kernel_size: 9, strides: 2}
  - Reshape: {target_shape: [-1, 8]}
    name: caps
  - Compute: norm(caps, axis=-1, keepdims=true) * caps / (1 + sum(caps * caps, axis=-1, keepdims=true))
  - Flatten:
  - Dense: {units: 10}
""",
        {"dense": "(10) float32"},
    ),
    "causal": (
        """\
inputs: {x: [T, 16]}
layers:
  - Dense: {units: 48}
    name: qkv
  - Compute:
      q: qkv[..., :16]
      k: qkv[..., 16:32]
      v: qkv[..., 32:]
      scores: q @ swapaxes(k, 1, 2) / 4
      output: softmax(where(tril(ones_like(scores)) > 0, scores, -1e9)) @ v
""",
        {"compute": "(T, 16) float32"},
    ),
    "distance": (
        """\
inputs: {a: [N, 3], b: [M, 3]}
layers:
  - Compute: sqrt(maximum(sum(square(a[:, :, null] - b[:, null]), axis=-1), 1e-12))
    name: distance
  - Compute:
      nearest: argmin(distance, axis=2)
      least: min(distance, axis=2)
    name: found
  - Compute: take(b, found.nearest, axis=1)
outputs: [compute, found.least]
""",
        {"compute": "(N, 3) float32", "found_least": "(N) float32"},
    ),
    "dtypes": (
        """\
inputs:
  a: {shape: [T], dtype: int64}
  b: {shape: [T], dtype: uint8}
  c: {shape: [T], dtype: bool}
layers:
  - Compute: where(c, a // 2 + b % 3, -b)
""",
        {"compute": "(T) int32"},
    ),
    "einsum": (
        """\
params: {heads: 4}
inputs: {x: [T, 16]}
layers:
  - Dense: {units: 16}
    name: q
    from: x
  - Dense: {units: 16}
    name: k
    from: x
  - Compute:
      qh: reshape(q, [q.shape[1], heads, 16 // heads])
      kh: reshape(k, [k.shape[1], heads, 16 // heads])
      output: softmax(einsum('bthd,bshd->bhts', qh, kh) / sqrt(16 / heads))
""",
        {"compute": "(4, T, T) float32"},
    ),
    "fourier": (
        """\
params: {bands: 4}
inputs: {t: []}
layers:
  - Compute: t[:, null] * [1, 2, 4, 8] * pi
  - Compute: concatenate([sin(x), cos(x)], axis=1)
  - Dense: {units: 8}
""",
        {"dense": "(8) float32"},
    ),
    "heads2": (
        """\
params: {n: 1}
inputs: {x: [8]}
layers:
  - Dense: {units: 4}
    from: x
    name: head0
  - Dense: {units: 4}
    from: x
    name: head1
  - Compute: "head${n} * head${n - 1}"
""",
        {"compute": "(4) float32"},
    ),
    "layernorm": (
        """\
params: {epsilon: 1.0e-5}
inputs: {x: [T, 8]}
layers:
  - Compute: (x - mean(x, axis=-1, keepdims=true)) * rsqrt(var(x, axis=-1, keepdims=true) + epsilon)
""",
        {"compute": "(T, 8) float32"},
    ),
    "maskedmean": (
        """\
inputs: {tokens: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 50, output_dim: 8, mask_zero: true}
    name: words
  - Compute: sum(where(mask(words)[..., null], words, 0), axis=1) / maximum(sum(cast(mask(words), 'float32'), axis=1), 1)[:, null]
  - Dense: {units: 2}
""",
        {"dense": "(2) float32"},
    ),
    "nested": (
        """\
inputs: {signal: [T, 8]}
blocks:
  unit:
    layers:
      - Compute: x / (1 + norm(x, axis=-1, keepdims=true))
layers:
  - Residual:
      layers:
        - Dense: {units: 8}
        - Compute: gelu(x)
  - Parallel:
      branches:
        - [{Compute: "x * 2"}]
        - [{Dense: {units: 4}}, {Compute: softsign(dense)}]
  - TimeDistributed: {layer: unit}
  - LSTM: {units: 4}
""",
        {"lstm": "(4) float32"},
    ),
    "network": (
        """\
networks:
  tower:
    inputs: {x: [16]}
    layers:
      - Dense: {units: 8}
      - Compute: normalize(dense)
inputs: {a: [16], b: [16]}
layers:
  - tower:
    from: a
    name: left
  - tower:
    from: b
    name: right
  - Compute: sum(left * right, axis=1, keepdims=true)
""",
        {"compute": "(1) float32"},
    ),
    "patches": (
        """\
inputs: {image: [H, W, 3]}
layers:
  - Compute: reshape(transpose(reshape(x, [x.shape[1] // 4, 4, x.shape[2] // 4, 4, 3]), [0, 1, 3, 2, 4, 5]), [x.shape[1] // 4 * (x.shape[2] // 4), 48])
  - Dense: {units: 16}
""",
        {"dense": "((H//4)*(W//4), 16) float32"},
    ),
    "repeat": (
        """\
inputs: {x: [8]}
layers:
  - repeat: 3
    as: i
    layers:
      - Dense: {units: 8}
        name: d${i}
      - Compute: d${i} * (i + 1) / 2
  - Dense: {units: 1}
""",
        {"dense": "(1) float32"},
    ),
    "repeat2": (
        """\
inputs: {y: [8]}
layers:
  - Compute: x * 0.5 ** i
    repeat: 3
    as: i
""",
        {"compute": "(8) float32"},
    ),
    "se": (
        """\
blocks:
  squeeze_excite:
    params: {channels: int, ratio: 4}
    inputs: [image]
    layers:
      - Compute: mean(image, axis=[1, 2])
      - Dense: {units: "${channels // ratio}", activation: relu}
      - Dense: {units: $channels, activation: sigmoid}
        name: scale
      - Compute: image * scale[:, null, null, :]
inputs: {image: [H, W, 3]}
layers:
  - Conv2D: {filters: 16, kernel_size: 3, padding: same}
  - squeeze_excite: {channels: 16}
  - GlobalAveragePooling2D:
  - Dense: {units: 10, activation: softmax}
""",
        {"dense": "(10) float32"},
    ),
    "shared": (
        """\
inputs: {a: [4], b: [4]}
layers:
  - Compute: x * 2
    from: a
    name: twice
  - share: twice
    from: b
    name: again
  - Compute: twice + again
""",
        {"compute": "(4) float32"},
    ),
    "shared2": (
        """\
inputs: {a: [4], b: [4]}
layers:
  - Compute: p * q
    from: {p: a, q: b}
    name: product
  - share: product
    from: {p: b, q: b}
    name: again
  - Compute: product + again
""",
        {"compute": "(4) float32"},
    ),
    "sinusoids2": (
        """\
params: {width: 16}
inputs: {x: [T, 16]}
layers:
  - Compute:
      angle: expand_dims(cast(arange(x.shape[1]), 'float32'), 1) * exp(-log(10000) * linspace(0, 1, width // 2))[null] + zeros_like(x[..., :8])
      output: x + concatenate([sin(angle), cos(angle)], axis=-1)
""",
        {"compute": "(T, 16) float32"},
    ),
    "swiglu_block": (
        """\
blocks:
  swiglu:
    params: {units: int, beta: 1.0}
    inputs: [x]
    layers:
      - Dense: {units: $units}
        name: a
        from: x
      - Dense: {units: $units}
        name: b
        from: x
      - Compute: a * sigmoid(beta * a) * b
inputs: {x: [T, 8]}
layers:
  - swiglu: {units: 16, beta: 1.5}
  - swiglu: {units: 8}
  - GlobalAveragePooling1D:
""",
        {"global_average_pooling1d": "(8) float32"},
    ),
    "topk": (
        """\
params: {k: 3}
inputs: {x: [T, 8], scores: [16]}
layers:
  - Compute:
      values: top_k(scores, k)[0]
      indices: top_k(scores, k)[1]
    name: best
outputs: [best.values, best.indices]
""",
        {"best_values": "(3) float32", "best_indices": "(3) int32"},
    ),
    "training": (
        """\
inputs: {x: [T, 8]}
layers:
  - Compute: in_training(x + 0.1 * random_normal([x.shape[1], x.shape[2]]), x)
  - Dense: {units: 2}
""",
        {"dense": "(T, 2) float32"},
    ),
    "vae": (
        """\
inputs: {image: [28, 28, 1]}
layers:
  - Flatten:
  - Dense: {units: 8}
    name: stats
  - Compute:
      mu: stats[:, :4]
      log_var: stats[:, 4:]
      z: in_training(mu + exp(0.5 * log_var) * random_normal([4]), mu)
      kl: -0.5 * sum(1 + log_var - mu ** 2 - exp(log_var), axis=1)
    name: latent
  - Dense: {units: 784, activation: sigmoid}
    from: latent.z
outputs: {image_out: dense, kl: latent.kl}
""",
        {"image_out": "(784) float32", "kl": "() float32"},
    ),
}
