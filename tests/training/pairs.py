"""Documents of two small networks against each other."""

from __future__ import annotations

GENERATOR = """\
  generator:
    inputs: {noise: [6]}
    layers:
      - Dense: {units: 16, use_bias: false}
      - BatchNormalization
      - ReLU
      - Dense: {units: 64, activation: sigmoid}
      - Reshape: {target_shape: [8, 8, 1]}
        name: image
"""
DISCRIMINATOR = """\
  discriminator:
    inputs: {image: [8, 8, 1]}
    layers:
      - Flatten
      - Dense: {units: 12}
      - LeakyReLU
      - Dropout: {rate: 0.2}
      - Dense: {units: 1}
        name: logit
"""
PAIR = "networks:\n" + GENERATOR + DISCRIMINATOR
CONDITIONAL = """\
networks:
  generator:
    inputs: {noise: [6], label: {shape: [], dtype: int32}}
    layers:
      - Embedding: {input_dim: 10, output_dim: 6}
        name: which
        from: label
      - Multiply:
        from: [noise, which]
      - Dense: {units: 64, activation: sigmoid}
      - Reshape: {target_shape: [8, 8, 1]}
        name: image
  discriminator:
    inputs: {image: [8, 8, 1], label: {shape: [], dtype: int32}}
    layers:
      - Flatten:
        from: image
      - Embedding: {input_dim: 10, output_dim: 8}
        name: which
        from: label
      - Concatenate:
        from: [flatten, which]
      - Dense: {units: 12, activation: relu}
      - Dense: {units: 1}
        name: logit
"""
DATA = "data: {train: {builtin: digits}}\n"
LABELLED = "data: {train: {builtin: digits}, inputs: {image: image, label: target}}\n"


def trained(objective: str = "gan", more: str = "") -> str:
    """The section ``train``."""
    return f"train: {{objective: {objective}, steps: 6, batch_size: 300, seed: 3{more}}}\n"
