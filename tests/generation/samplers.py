"""Documents with samplers, for tests."""

from __future__ import annotations

DENOISER = """nnspec: 1
name: ddpm
params: {steps: 20, jumps: 10}
blocks:
  signal:
    inputs: [t]
    layers: [{Compute: "take(exp(cumsum(log(1 - linspace(1e-3, 0.4, steps)), axis=0)), t, axis=0)"}]
networks:
  denoiser:
    inputs: {image: [8, 8, 1], t: {shape: [], dtype: int32}}
    layers:
      - Embedding: {input_dim: $steps, output_dim: 8}
        from: t
      - Reshape: {target_shape: [1, 1, 8]}
        name: time
      - Conv2D: {filters: 8, kernel_size: 3, padding: same}
        from: image
      - Add:
        from: [conv2d, time]
      - ReLU
      - Conv2D: {filters: 1, kernel_size: 3, padding: same}
        name: noise
"""
"""A network that predicts the noise in an image."""

DDIM = """  ddim:
    inputs: {image: [8, 8, 1], i: {shape: [], dtype: int32}}
    layers:
      - Compute: {now: "steps - 1 - i * (steps // jumps)", then: "maximum(steps - 1 - (i + 1) * (steps // jumps), 0)"}
        name: t
      - denoiser:
        from: {image: image, t: t.now}
      - signal:
        name: a_now
        from: t.now
      - signal:
        name: a_then
        from: t.then
      - Compute:
          a: reshape(a_now, [1, 1, 1])
          b: reshape(a_then, [1, 1, 1])
          clean: clip((image - sqrt(1 - a) * denoiser) / sqrt(a), -1, 1)
          next: sqrt(b) * clean + sqrt(1 - b) * denoiser
        name: s
    outputs: {image: s.next}
"""
"""A deterministic step of sampling with it (Song et al. 2021)."""

ANCESTRAL = """  ancestral:
    inputs: {image: [8, 8, 1], noise: [8, 8, 1], i: {shape: [], dtype: int32}}
    layers:
      - Compute: steps - 1 - i
        name: t
      - denoiser:
        from: {image: image, t: t}
      - signal:
        from: t
      - Compute:
          beta: reshape(take(linspace(1e-3, 0.4, steps), t, axis=0), [1, 1, 1])
          a: reshape(signal, [1, 1, 1])
          mean: (image - beta / sqrt(1 - a) * denoiser) / sqrt(1 - beta)
          last: cast(reshape(t, [1, 1, 1]) > 0, 'float32')
          next: mean + last * sqrt(beta) * noise
        name: s
    outputs: {image: s.next}
"""
"""A random step of sampling with it (Ho et al. 2020)."""

TRAINED = """inputs: {image: [8, 8, 1]}
data: {train: {builtin: digits}, validation: 0.2}
train:
  objective:
    program:
      draw: {noise: {normal: image}, t: {integers: {shape: [], below: $steps}}}
      layers:
        - signal:
          from: t
        - Compute: sqrt(reshape(signal, [B, 1, 1, 1])) * image + sqrt(1 - reshape(signal, [B, 1, 1, 1])) * noise
          name: noisy
        - denoiser:
          from: {image: noisy, t: t}
        - Compute: square(denoiser - noise)
          name: loss
      minimize: [{loss: loss, of: denoiser}]
  epochs: 2
  ema: 0.99
"""
"""The training of the network."""

DENOISER_OF_ALL_STEPS = DENOISER.replace(", jumps: 10", "")

DRAWN = "generate: {network: ddim, steps: $jumps, count: i, begin: {image: {normal: image}}, result: image}\n"
DRAWN_AT_EVERY_STEP = (
    "generate: {network: ancestral, steps: $steps, count: i, begin: {image: {normal: [8, 8, 1]}}, "
    "draw: {noise: {normal: [8, 8, 1]}}, result: image}\n"
)

CONDITIONED = """nnspec: 1
name: conditioned
networks:
  decoder:
    inputs: {label: {shape: [], dtype: int32}, code: [4]}
    layers:
      - Embedding: {input_dim: 10, output_dim: 8}
        from: label
      - Concatenate:
        from: [embedding, code]
      - Dense: {units: 64, activation: sigmoid}
      - Reshape: {target_shape: [8, 8, 1]}
    outputs: {image: reshape}
inputs: {image: [8, 8, 1], label: {shape: [], dtype: int32}}
data:
  train: {builtin: digits}
  inputs: {image: image, label: target}
  validation: 0.2
train:
  objective:
    program:
      draw: {code: {normal: [4]}}
      layers:
        - decoder:
          from: {label: label, code: code}
        - Compute: square(decoder - image)
          name: loss
      minimize: [{loss: loss, of: decoder}]
  epochs: 1
generate: {network: decoder, begin: {code: {normal: [4]}}, condition: [label], result: image}
"""
"""A generator of one step that the user gives a label."""

FLOW = """nnspec: 1
name: flow
networks:
  shift:
    inputs: {x: [2]}
    layers:
      - Dense: {units: 8, activation: tanh}
      - Dense: {units: 2}
  forward:
    inputs: {x: [4]}
    layers:
      - Compute: {a: "x[:, :2]", b: "x[:, 2:]"}
        name: half
      - shift:
        from: half.a
      - Compute: {z: "concatenate([half.a, half.b + shift], axis=1)"}
        name: joined
    outputs: {z: joined}
  inverse:
    inputs: {z: [4]}
    layers:
      - Compute: {a: "z[:, :2]", b: "z[:, 2:]"}
        name: half
      - shift:
        from: half.a
      - Compute: {x: "concatenate([half.a, half.b - shift], axis=1)"}
        name: joined
    outputs: {x: joined}
inputs: {x: [4]}
data: {train: {builtin: iris}, inputs: {x: {columns: [sepal length (cm), sepal width (cm), petal length (cm), petal width (cm)]}}, validation: 0.2}
train:
  objective:
    program:
      layers:
        - forward:
          from: x
        - Compute: sum(square(forward), axis=1) / 2
          name: loss
      minimize: [{loss: loss, of: forward}]
  epochs: 1
generate: {network: inverse, begin: {z: {normal: x}}, result: x}
"""
"""A flow whose inverse generates, with weights that the two directions share."""
