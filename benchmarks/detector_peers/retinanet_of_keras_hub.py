"""RetinaNet of KerasHub, from random weights: a ResNet of four blocks, levels 3 to 5, heads of one hidden layer.

The published sizes, a ResNet-50, levels 3 to 7 and heads of four hidden layers, take most of the minutes for a few hundred images.
KerasHub fixes the 64 filters of the first block, and the 256 of the heads and the pyramid.

PYTHON benchmarks/detector_peers/retinanet_of_keras_hub.py SCENES MINUTES OUT.npz
"""

from __future__ import annotations

import keras
import keras_hub
import numpy as np
import tensorflow as tf
from scenes_in_tensorflow import Task, augmented, read, train_for

CLASSES, SIDE, BATCH = 6, 128, 16


def detector() -> keras.Model:
    """The network, with anchors from 20 to 127 pixels."""
    encoder = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 64, 128, 128],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
        image_shape=(SIDE, SIDE, 3),
    )
    backbone = keras_hub.models.RetinaNetBackbone(
        encoder, min_level=3, max_level=5, use_p5=False, use_fpn_batch_norm=True, image_shape=(SIDE, SIDE, 3)
    )
    anchors = keras_hub.layers.AnchorGenerator("xyxy", 3, 5, num_scales=3, aspect_ratios=[0.5, 1.0, 2.0], anchor_size=2.5)
    decoder = keras_hub.layers.NonMaxSuppression("xyxy", from_logits=True, confidence_threshold=0.05, max_detections=20)
    return keras_hub.models.RetinaNetObjectDetector(
        backbone,
        CLASSES,
        bounding_box_format="xyxy",
        anchor_generator=anchors,
        pre_logits_num_conv_layers=1,
        use_prediction_head_norm=True,
        prediction_decoder=decoder,
    )


def main() -> None:
    task = Task.from_arguments()
    keras.utils.set_random_seed(0)
    model = detector()
    optimizer = keras.optimizers.AdamW(0.002, weight_decay=0.01, clipnorm=10.0)
    model.compile(optimizer=optimizer)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images: tf.Tensor, boxes: tf.Tensor, classes: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            found = model(images, training=True)
            value = model.compute_loss(images, {"boxes": boxes, "labels": tf.cast(classes, tf.float32)}, found, None)
        optimizer.apply(tape.gradient(value, model.trainable_variables))

    steps, minutes = train_for(task.minutes, optimizer, step, augmented(read(task.scenes / "train"), BATCH))
    images = read(task.scenes / "test").images.astype(np.float32) / 255
    # `predict` fails in its suppression, which needs a known number of images.
    parts = [tf.constant(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    answers = [model.decode_predictions(model(part, training=False), part) for part in parts]
    found = {name: np.concatenate([answer[name] for answer in answers]) for name in ("boxes", "confidence", "labels")}
    scores = found["confidence"]
    kinds = np.where(scores > 0, found["labels"], -1).astype(np.int32)
    report = {"parameters": model.count_params(), "minutes": minutes, "images": BATCH * steps}
    task.finish({"boxes": found["boxes"], "scores": scores, "class": kinds}, report)


if __name__ == "__main__":
    main()
