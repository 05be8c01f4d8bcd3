"""Specs that are ejected, one of each kind of network."""

from __future__ import annotations

CONVOLUTIONAL = """\
nnspec: 1
name: convolutional
blocks:
  unit:
    params: {filters: int}
    layers:
      - Conv2D: {filters: $filters, kernel_size: 3, padding: same, use_bias: false, kernel_regularizer: {L2: {l2: 1e-4}}}
      - BatchNormalization
      - ReLU: {negative_slope: 0.1}
inputs: {image: [12, 12, 3]}
layers:
  - unit: {filters: 4}
    repeat: 2
    name: stage
  - unit: {filters: 8}
    name: wide
  - Conv2D: {filters: 6, kernel_size: 5, strides: 2, padding: [[1, 2], [2, 1]], kernel_initializer: HeNormal}
    name: down
  - MaxPooling2D: {pool_size: 3, strides: 2, padding: [[1, 1], [1, 1]]}
  - Dropout: 0.5
  - GlobalAveragePooling2D
  - Dense: {units: 3, activation: softmax}
    name: kind
"""

EXPRESSIONS = """\
nnspec: 1
name: expressions
params: {scale: 1.702}
inputs: {words: {shape: [T], dtype: int32}, at: {shape: [3], dtype: int32}}
layers:
  - Embedding: {input_dim: 11, output_dim: 6, mask_zero: true}
    from: words
    name: memory
  - Compute: memory * sigmoid(scale * memory)
    name: gated
  - Compute: in_training(gated + 0.1 * random_normal([gated.shape[1], 6]), gated)
    name: noisy
  - Compute:
      weights: softmax(where(mask(memory), mean(noisy * memory, axis=2), -1e9), axis=1)
      context: sum(expand_dims(weights, 2) * memory, axis=1)
      largest: top_k(weights, 2)[0]
    name: attended
  - Compute: reshape(noisy, [noisy.shape[1] * 2, 3]) * (noisy.shape[1] - 1)
    name: halves
  - Compute: mean(halves, axis=1) + [1.0, 2.0, 3.0]
    name: means
  - Compute: take(memory, at, axis=1)
    name: chosen
  - Dense: {units: 2}
    from: gated
    name: scores
outputs: [scores, attended.context, attended.largest, means, chosen]
"""

RECURRENT = """\
nnspec: 1
name: recurrent
blocks:
  minimal_gated:
    params: {units: int}
    inputs: {x: null, h: [$units]}
    layers:
      - Concatenate:
        from: [x, h]
      - Dense: {units: $units, activation: sigmoid}
        name: forget
      - Compute: forget * h
        name: kept
      - Concatenate:
        from: [x, kept]
      - Dense: {units: $units, activation: tanh}
        name: candidate
      - Compute: (1 - forget) * h + forget * candidate
        name: new_h
    outputs: {output: new_h, h: new_h}
inputs: {words: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 9, output_dim: 5, mask_zero: true}
  - RNN: {cell: {minimal_gated: {units: 4}}, return_sequences: true}
  - Bidirectional: {layer: {GRU: {units: 3, return_sequences: true}}}
  - LSTM: {units: 3, peephole: true}
"""

SHARED = """\
nnspec: 1
name: shared
inputs: {left: [8], right: [8]}
networks:
  tower:
    inputs: {x: [8]}
    layers:
      - Dense: {units: 6, activation: relu}
      - UnitNormalization
layers:
  - tower:
    from: left
    name: one
  - tower:
    from: right
    name: other
  - Dot: {axes: 1}
    from: [one, other]
    name: similarity
"""

ATTENTION = """\
nnspec: 1
name: attention
inputs: {source: {shape: [S], dtype: int32}, target: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 9, output_dim: 8, mask_zero: true}
    from: source
  - SinusoidalPositionEncoding:
    name: memory
  - Embedding: {input_dim: 9, output_dim: 8, mask_zero: true}
    from: target
  - PositionEmbedding: {max_length: 256}
    name: query
  - MultiHeadAttention: {num_heads: 2, key_dim: 4, use_causal_mask: true}
    from: {query: query, value: query}
    name: own
  - LayerNormalization:
    name: normal
  - MultiHeadAttention: {num_heads: 2, key_dim: 4}
    from: {query: normal, value: memory}
  - GlobalAveragePooling1D
  - Dense: {units: 2}
"""

CELLS = """\
nnspec: 1
name: cells
networks:
  step:
    inputs: {x: [4], h: [4]}
    layers:
      - Dense: {units: 4, activation: tanh}
        name: mixed
        from: x
      - Compute: mixed + 0.5 * h
        name: new_h
    outputs: {output: new_h, h: new_h}
inputs: {left: [T, 4], right: [T, 4], start: [4]}
layers:
  - step:
    from: {x: start, h: start}
    name: first
  - RNN: {cell: step, return_sequences: true}
    from: left
    name: one
  - RNN: {cell: step}
    from: {x: right, h: first.h}
    name: two
outputs: [one, two]
"""

SIZES = """\
nnspec: 1
name: sizes
inputs: {left: [3, 4], right: [5, 4]}
networks:
  pooled:
    inputs: {rows: [N, 4]}
    layers:
      - Dense: 4
      - Compute: sum(x * softmax(x, axis=1), axis=1) / (x.shape[1] + 1)
layers:
  - pooled:
    from: left
    name: one
  - pooled:
    from: right
    name: two
  - Subtract:
    from: [one, two]
"""

DOCUMENTS = {
    "convolutional": CONVOLUTIONAL,
    "expressions": EXPRESSIONS,
    "recurrent": RECURRENT,
    "shared": SHARED,
    "attention": ATTENTION,
    "cells": CELLS,
    "sizes": SIZES,
}
