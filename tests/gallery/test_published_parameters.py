"""The networks of the gallery have as many parameters as published, and can be made small."""

from __future__ import annotations

import pytest

from nnspec.graph import compile
from nnspec.spec import load
from tests.gallery.commands import SPECS, small_overrides

PUBLISHED = {
    "alexnet": 60_965_224,  # Caffe's
    "vgg16": 138_357_544,
    "googlenet": 13_378_280,  # Caffe's, with both auxiliary classifiers
    "inception_v3": 23_851_784,
    "resnet50": 25_636_712,
    "densenet121": 8_062_504,
    "squeezenet": 1_248_424,
    "mobilenet_v2": 3_538_984,
    "efficientnet_b0": 5_330_571,
    "convnext_tiny": 28_589_128,
    "vit_b16": 86_567_656,
    "mlp_mixer_b16": 59_880_472,
    "fcn_8s": 134_489_759,  # Caffe's
    "unet_plus_plus": 9_042_408,  # 9.04 million, table 3
}
PUBLISHED_TRAINABLE = {  # without the statistics of batch normalization
    "resnet18": 11_689_512,
    "se_resnet50": 28_088_024,
    "deeplab_v3": 42_004_074,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_network_has_as_many_parameters_as_published(name):
    assert compile(load(SPECS / f"{name}.nnspec.yaml")).main.parameters == PUBLISHED[name]


@pytest.mark.parametrize("name", PUBLISHED_TRAINABLE)
def test_a_network_has_as_many_trainable_parameters_as_published(name):
    assert compile(load(SPECS / f"{name}.nnspec.yaml")).main.trainable_parameters == PUBLISHED_TRAINABLE[name]


def test_segnet_has_29_45_million_trainable_parameters():
    assert round(compile(load(SPECS / "segnet.nnspec.yaml")).main.trainable_parameters / 1e6, 2) == 29.45


SMALL = [file for file in sorted(SPECS.glob("*.nnspec.yaml")) if small_overrides(file)]


def test_the_published_networks_have_a_command_that_trains_them_small():
    assert {*PUBLISHED, *PUBLISHED_TRAINABLE, "segnet", "attention_unet"} - {"resnet50"} <= {
        file.name.removesuffix(".nnspec.yaml") for file in SMALL
    }


@pytest.mark.parametrize("file", SMALL, ids=lambda file: file.name.partition(".")[0])
def test_the_command_of_a_published_network_trains_a_small_one(file):
    assert compile(load(file, small_overrides(file))).main.parameters < 2_000_000
