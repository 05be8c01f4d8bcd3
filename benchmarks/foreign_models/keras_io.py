"""The models of the keras.io code examples: ``--from`` is the folder ``examples/keras_io`` of a copy of keras-core.

Each is named by its script. Only the parts that build the model are run, see `example.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.foreign_models.example import defined, without_data


@dataclass(frozen=True)
class Example:
    """A model of a script.

    Attributes:
        script: The script, relative to the folder, without its suffix.
        model: The expression that gives the model: a name of the script, or a call of its functions.
        fixed: Values of names that the script would read from data, or that make its model smaller.
        batch: The shape of a batch on which a model of a custom class is called, so that it is built.
        edits: Texts of the script that are replaced, with sizes that it would read from data.
        free: The sizes of the free axes of what it is called on.
        unbuildable: Why it cannot be built here, for a reason that has nothing to do with the import.
    """

    script: str
    model: str = "model"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    batch: tuple[int, ...] | None = None
    edits: Mapping[str, str] = field(default_factory=dict)
    free: range = range(7, 17)
    unbuildable: str = ""

    @property
    def name(self) -> str:
        return f"{Path(self.script).name}:{self.model.partition('(')[0]}"

    def built(self, folder: Path) -> Any:
        import keras

        if self.unbuildable:
            raise Unbuildable(self.unbuildable)
        names = defined(folder / f"{self.script}.py", until=self.model, fixed=self.fixed, edits=self.edits)
        if self.model.isidentifier() and self.model not in names:
            raise RuntimeError(f"`{self.model}` is not defined: {names['__failed__'].get(self.model)}")
        with without_data():
            model = eval(self.model, names)
        if self.batch is None:
            return model
        model(np.ones(self.batch, "float32"))
        x = keras.Input(self.batch[1:])
        return keras.Model(x, model(x))


class Unbuildable(Exception):
    """Raised in place of a model that cannot be built."""


_VISION, _TF, _TFV = "vision/", "tensorflow/", "tensorflow/vision/"
_SMALL_TEXT = {"vocab_size": 40, "maxlen": 12}
_CATEGORIES = {
    "CATEGORICAL_FEATURES_WITH_VOCABULARY": {name: list("abcdef") for name in ("workclass", "education", "gender")},
    "TARGET_LABELS": [" <=50K", " >50K"],
}

EXAMPLES = (
    Example("generative/text_generation_gpt", fixed={"VOCAB_SIZE": 40, "SEQ_LEN": 12, "EMBED_DIM": 16, "tokenizer": None}),
    Example(
        "generative/text_generation_with_miniature_gpt",
        "create_model()",
        fixed=_SMALL_TEXT,
        unbuildable="written for an earlier Keras: it concatenates a number of examples that is None",
    ),
    Example("nlp/addition_rnn", fixed={"chars": "0123456789+ "}),
    Example("nlp/bidirectional_lstm_imdb"),
    Example(
        "nlp/neural_machine_translation_with_keras_nlp",
        "transformer",
        {"MAX_SEQUENCE_LENGTH": 12, "ENG_VOCAB_SIZE": 40, "SPA_VOCAB_SIZE": 40, "EMBED_DIM": 16, "INTERMEDIATE_DIM": 32},
    ),
    Example(
        "nlp/neural_machine_translation_with_transformer",
        "transformer",
        {"vocab_size": 40, "sequence_length": 12, "embed_dim": 16, "latent_dim": 32},
        unbuildable="written for an earlier Keras: its decoder computes its mask with TensorFlow",
    ),
    Example("structured_data/collaborative_filtering_movielens", fixed={"num_users": 9, "num_movies": 8}, batch=(2, 2)),
    Example("structured_data/deep_neural_decision_forests", "create_tree_model()", _CATEGORIES),
    Example("structured_data/deep_neural_decision_forests", "create_forest_model()", _CATEGORIES),
    Example("structured_data/tabtransformer", "baseline_model", _CATEGORIES),
    Example("structured_data/tabtransformer", "tabtransformer_model", _CATEGORIES),
    Example(f"{_TF}audio/speaker_recognition_using_cnn", "build_model((800, 1), 5)"),
    Example(f"{_TF}audio/uk_ireland_accent_recognition", "build_and_compile_model()"),
    Example(
        f"{_TF}generative/cyclegan",
        "gen_G",
        unbuildable="written for an earlier Keras: it pads a symbolic tensor with TensorFlow",
    ),
    Example(f"{_TF}generative/cyclegan", "disc_X"),
    Example(f"{_TF}generative/dcgan_overriding_train_step", "discriminator"),
    Example(f"{_TF}generative/dcgan_overriding_train_step", "generator"),
    Example(f"{_TF}generative/ddim", "get_network(16, [8, 16], 1)"),
    Example(
        f"{_TF}generative/ddpm",
        "network",
        {"img_size": 16, "widths": [8, 16], "has_attention": [False, True], "num_res_blocks": 1},
    ),
    Example(f"{_TF}generative/lstm_character_level_text_generation", fixed={"chars": "abcdefgh", "maxlen": 12}),
    Example(f"{_TF}generative/vae", "encoder"),
    Example(f"{_TF}generative/vae", "decoder"),
    Example(f"{_TF}generative/wgan_gp", "d_model"),
    Example(f"{_TF}generative/wgan_gp", "g_model"),
    Example(f"{_TF}keras_recipes/antirectifier", batch=(2, 784)),
    Example(f"{_TF}keras_recipes/endpoint_layer_pattern", "inference_model"),
    Example(f"{_TF}keras_recipes/subclassing_conv_layers", edits={'padding="valid"': 'padding="VALID"'}),
    Example(f"{_TF}keras_recipes/tensorflow_numpy_models", "create_layered_tnp_model()", {"input_dim": 13}, batch=(2, 13)),
    Example(f"{_TF}keras_recipes/tensorflow_numpy_models", "create_mixed_model()", {"input_dim": 13}, batch=(2, 13)),
    Example(f"{_TF}keras_recipes/trainer_pattern", "model_a"),
    Example(f"{_TF}keras_recipes/trainer_pattern", "model_b"),
    Example(f"{_TF}nlp/end_to_end_mlm_with_bert", "create_masked_language_bert_model()"),
    Example(f"{_TF}nlp/lstm_seq2seq", fixed={"num_encoder_tokens": 9, "num_decoder_tokens": 8, "latent_dim": 16}),
    Example(f"{_TF}nlp/ner_transformers", "NERModel(5, 40, 12, 16)", batch=(2, 12), edits={"ops.backend.shape": "ops.shape"}),
    Example(
        f"{_TF}nlp/pretrained_word_embeddings",
        fixed={"num_tokens": 40, "embedding_dim": 16, "class_names": "abc"},
        free=range(200, 210),
    ),
    Example(f"{_TF}nlp/text_classification_from_scratch", fixed={"max_features": 40}),
    Example(f"{_TF}rl/actor_critic_cartpole"),
    Example(f"{_TF}structured_data/imbalanced_classification", fixed={"train_features": np.zeros((4, 30))}),
    Example(
        f"{_TF}structured_data/structured_data_classification_from_scratch",
        unbuildable="text: it looks strings up, with the vocabulary of a file",
    ),
    Example(
        f"{_TF}structured_data/structured_data_classification_with_feature_space",
        "training_model",
        unbuildable="text: it looks strings up, with the vocabulary of a file",
    ),
    Example(f"{_TF}timeseries/eeg_signal_classification", "create_model()", {"num_classes": 3}),
    Example(
        f"{_TF}timeseries/timeseries_traffic_forecasting", unbuildable="its graph is computed from a file that it downloads"
    ),
    Example(f"{_TF}timeseries/timeseries_weather_forecasting", edits={"inputs.shape[1], inputs.shape[2]": "20, 7"}),
    Example(f"{_TFV}captcha_ocr", "build_model()", unbuildable="written for an earlier Keras: `ctc_batch_cost` is gone"),
    Example(f"{_TFV}cutmix", "training_model()"),
    Example(
        f"{_TFV}deit",
        "ViTClassifier()",
        batch=(2, 224, 224, 3),
        unbuildable="the class alone cannot be called: its positions include the token of its subclass",
    ),
    Example(f"{_TFV}grad_cam", "keras.applications.Xception()"),
    Example(f"{_TFV}image_captioning", "cnn_model"),
    Example(f"{_TFV}image_classification_from_scratch", "make_model((64, 64, 3), 2)"),
    Example(f"{_TFV}involution", "conv_model"),
    Example(f"{_TFV}involution", "inv_model"),
    Example(f"{_TFV}metric_learning"),
    Example(f"{_TFV}mirnet", "mirnet_model(num_rrg=1, num_mrb=1, channels=16)", free=range(8, 99, 8)),
    Example(f"{_TFV}mixup", "get_training_model()"),
    Example(f"{_TFV}perceiver_image_classification", "perceiver_classifier", batch=(2, 32, 32, 3)),
    Example(f"{_TFV}reptile"),
    Example(f"{_TFV}semisupervised_simclr", "baseline_model", batch=(2, 96, 96, 3)),
    Example(f"{_TFV}shiftvit", "get_augmentation_model()", batch=(2, 48, 48, 3)),
    Example(f"{_TFV}siamese_network", "siamese_network"),
    Example(f"{_TFV}simsiam", "get_encoder()", unbuildable="its encoder is in a file that it downloads"),
    Example(f"{_TFV}simsiam", "get_predictor()"),
    Example(f"{_TFV}swim_transformers"),
    Example(f"{_TFV}zero_dce", "build_dce_net()"),
    Example("timeseries/timeseries_anomaly_detection", fixed={"x_train": np.zeros((4, 288, 1))}),
    Example("timeseries/timeseries_classification_from_scratch", "make_model((50, 1))", {"num_classes": 2}),
    Example(
        "timeseries/timeseries_classification_transformer",
        "build_model((20, 1), 8, 2, 4, 2, [16], 0.1, 0.1)",
        {"n_classes": 2},
    ),
    Example("vision/attention_mil_classification", "create_model((28, 28))"),
    Example("vision/autoencoder", "autoencoder"),
    Example("vision/cct", "create_cct_model()"),
    Example("vision/conv_lstm", fixed={"x_train": np.zeros((2, 5, 16, 16, 1))}),
    Example("vision/deeplabv3_plus", "DeeplabV3Plus(64, 5)"),
    Example("vision/eanet", "get_model('external_attention')"),
    Example("vision/fixres", "get_training_model()"),
    Example("vision/gradient_centralization"),
    Example(
        "vision/image_classification_with_vision_transformer",
        "create_vit_classifier()",
        edits={"ops.backend.shape": "ops.shape"},
    ),
    Example("vision/keypoint_detection", "get_model()"),
    Example("vision/learnable_resizer", "get_model()"),
    Example("vision/mlp_image_classification", "mlpmixer_classifier"),
    Example("vision/mlp_image_classification", "fnet_classifier"),
    Example("vision/mlp_image_classification", "gmlp_classifier"),
    Example("vision/mnist_convnet"),
    Example("vision/object_detection_using_vision_transformer", "vit_object_detector"),
    Example("vision/oxford_pets_image_segmentation", "get_model((64, 64), 3)"),
    Example("vision/siamese_contrastive", "siamese"),
    Example("vision/token_learner", "create_vit_classifier()"),
    Example(
        "vision/video_transformers",
        "get_compiled_model((10, 1024))",
        edits={
            "keras.backend.cast": "keras.ops.cast",
            "keras.backend.shape": "keras.ops.shape",
            "len(label_processor.get_vocabulary())": "5",
        },
    ),
)


def models(folder: Path) -> Mapping[str, Callable[[], Any]]:
    """Return what builds each model, by its name."""
    return {one.name: lambda one=one: one.built(folder) for one in EXAMPLES}  # type: ignore[misc]


def free_sizes() -> Mapping[str, range]:
    """Return the sizes of the free axes of what each model is called on."""
    return {one.name: one.free for one in EXAMPLES}
