"""Composed scenes and their proposals."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from examples.detection import scenes
from examples.detection.proposals import propose


def disk(color: tuple[int, int, int], side: int = 40) -> Image.Image:
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    inside = rows**2 + columns**2 <= (side / 2) ** 2
    return Image.fromarray(np.dstack([np.full((side, side, 3), color, np.uint8), np.uint8(255 * inside)]))


def test_a_box_encloses_the_visible_pixels_of_its_object():
    cutouts = [scenes.Cutout(0, disk((250, 0, 0))), scenes.Cutout(1, disk((0, 250, 0)))]
    cutouts += [scenes.Cutout(label, disk((0, 0, 250))) for label in range(2, len(scenes.CLASSES))]
    random, seen = np.random.default_rng(0), 0
    for _ in range(40):
        scene, labels, boxes = scenes.compose(cutouts, [Image.new("RGB", (200, 200))], random)
        for label, channel in ((0, 0), (1, 1)):
            if labels.count(label) == 1 and len(labels) > 1:
                rows, columns = np.nonzero(np.int32(scene)[..., channel] > 120)
                box = boxes[labels.index(label)]
                assert np.abs(np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) - box).max() <= 1
                seen += 1
    assert seen > 10


def test_near_duplicates_and_mirrored_cutouts_are_in_one_group():
    half = Image.new("RGBA", (40, 40), (0, 0, 0, 255))
    half.paste((255, 255, 0, 255), (0, 0, 20, 40))
    mirrored = half.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((30, 30))
    assert sorted(map(sorted, scenes.groups_alike([half, disk((250, 0, 0)), mirrored]))) == [[0, 2], [1]]


def test_splits_share_nothing():
    parts = scenes.shares(list(range(20)), np.random.default_rng(0))
    assert [len(part) for part in parts] == [14, 3, 3]
    assert sorted(item for part in parts for item in part) == list(range(20))


def test_a_region_of_one_color_is_proposed():
    image = np.random.default_rng(0).integers(0, 20, (64, 64, 3), np.uint8)
    image[16:40, 20:60] = (200, 30, 90)
    found = propose(image)
    assert [20, 16, 60, 40] in found.tolist()
    assert (found[:, 2:] - found[:, :2] >= 12).all()


def test_packages_that_are_missing_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(scenes, "PACKAGES", {"openclipart-png": tmp_path / "none", "gnome-backgrounds": tmp_path})
    monkeypatch.setattr("sys.argv", ["scenes"])
    with pytest.raises(SystemExit, match=r"apt-get install openclipart-png$"):
        scenes.main()
