"""Backbones of `keras-hub`, a few layers each (its ``--from`` is the folder that holds the package)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_TEXT = {"vocabulary_size": 40, "num_layers": 2, "hidden_dim": 16, "intermediate_dim": 32}
_HEADS = {**_TEXT, "num_heads": 2}
_POSITIONS = {**_HEADS, "max_sequence_length": 12}
_GROUPED = {**_TEXT, "num_query_heads": 4, "num_key_value_heads": 2}
_PATCHES = {"image_shape": (28, 28, 3), "patch_size": 7, "num_layers": 2, "num_heads": 2, "hidden_dim": 16}

_BACKBONES: Mapping[str, Mapping[str, Any]] = {
    "AlbertBackbone": {**_POSITIONS, "embedding_dim": 8},
    "BartBackbone": _POSITIONS,
    "BertBackbone": _POSITIONS,
    "BloomBackbone": _HEADS,
    "CSPNetBackbone": {
        "stem_filters": 8, "stem_kernel_size": 3, "stem_strides": 1, "stackwise_depth": [1, 2], "stackwise_strides": 2,
        "stackwise_num_filters": [8, 16], "image_shape": (32, 32, 3), "down_growth": True, "bottle_ratio": (0.5, 1.0),
        "block_ratio": (1.0, 0.5), "expand_ratio": (2.0, 1.0), "block_type": "dark_block", "stage_type": "csp",
        "stem_padding": "same",
    },
    "DebertaV3Backbone": {**_POSITIONS, "bucket_size": 4},
    "DeiTBackbone": {**_PATCHES, "intermediate_dim": 32},
    "DenseNetBackbone": {"stackwise_num_repeats": [2, 2], "growth_rate": 8, "image_shape": (64, 64, 3)},
    "DistilBertBackbone": _POSITIONS,
    "ESMBackbone": {**_HEADS, "max_sequence_length": 12},
    "ElectraBackbone": {
        "vocab_size": 40, "num_layers": 2, "num_heads": 2, "hidden_dim": 16, "embedding_dim": 8, "intermediate_dim": 32,
        "max_sequence_length": 12,
    },
    "FNetBackbone": {**_TEXT, "max_sequence_length": 12},
    "FalconBackbone": {**_TEXT, "num_attention_heads": 2},
    "GPT2Backbone": _POSITIONS,
    "GPTNeoXBackbone": {**_POSITIONS, "rotary_percentage": 0.5},
    "Gemma3Backbone": {**_GROUPED, "image_size": 16, "head_dim": 4, "vision_encoder": None},
    "GemmaBackbone": {**_GROUPED, "head_dim": 4},
    "Llama3Backbone": _GROUPED,
    "LlamaBackbone": _GROUPED,
    "MiTBackbone": {
        "layerwise_depths": [1, 1], "image_shape": (32, 32, 3), "hidden_dims": [4, 8], "num_layers": 2,
        "layerwise_num_heads": [1, 2], "layerwise_sr_ratios": [2, 1], "max_drop_path_rate": 0.1,
        "layerwise_patch_sizes": [7, 3], "layerwise_strides": [4, 2],
    },
    "MistralBackbone": _GROUPED,
    "MixtralBackbone": {**_GROUPED, "num_experts": 4},
    "OPTBackbone": _POSITIONS,
    "Phi3Backbone": _GROUPED,
    "Qwen3Backbone": {**_GROUPED, "head_dim": 4},
    "QwenBackbone": _GROUPED,
    "ResNetBackbone": {
        "input_conv_filters": [64], "input_conv_kernel_sizes": [7], "stackwise_num_filters": [64, 16],
        "stackwise_num_blocks": [1, 1], "stackwise_num_strides": [1, 2], "block_type": "basic_block",
        "image_shape": (32, 32, 3),
    },
    "RobertaBackbone": _POSITIONS,
    "RoformerV2Backbone": {**_HEADS, "head_size": 8},
    "SwinTransformerBackbone": {
        "image_shape": (32, 32, 3), "embed_dim": 8, "depths": (2, 2), "num_heads": (2, 4), "window_size": 4,
    },
    "T5Backbone": _HEADS,
    "VGGBackbone": {"stackwise_num_repeats": [1, 1], "stackwise_num_filters": [8, 16], "image_shape": (32, 32, 3)},
    "ViTBackbone": {**_PATCHES, "patch_size": (7, 7), "mlp_dim": 32},
    "ViTDetBackbone": {
        "image_shape": (16, 16, 3), "patch_size": 2, "hidden_size": 4, "num_layers": 2, "intermediate_dim": 16, "num_heads": 2,
        "global_attention_layer_indices": [1], "num_output_channels": 2, "window_size": 2,
    },
    "WhisperBackbone": {**_HEADS, "num_mels": 8, "max_encoder_sequence_length": 8, "max_decoder_sequence_length": 12},
    "XLMRobertaBackbone": _POSITIONS,
    "XLNetBackbone": _HEADS,
    "XceptionBackbone": {
        "stackwise_conv_filters": [[8, 16], [24, 24], [32, 32]], "stackwise_pooling": [False, True, False],
        "image_shape": (64, 64, 3),
    },
}  # fmt: skip


def models() -> Mapping[str, Callable[[], Any]]:
    """Return what builds each model, by its name."""
    return {name: lambda name=name: _built(name) for name in _BACKBONES}  # type: ignore[misc]


def _built(name: str) -> Any:
    import keras_hub

    return getattr(keras_hub.models, name)(**_BACKBONES[name])
