"""Pictures with masks are cut so that touching objects part, and no part of the data sees another."""

from __future__ import annotations

import io
from contextlib import contextmanager

import numpy as np
from PIL import Image
from scipy import ndimage

from examples.fetch import masks


class Package:
    """A wheel with one picture, whose pixels say which part they are of, and its objects."""

    def read(self, name: str) -> bytes:
        columns = np.repeat([50, 100, 200], [248, 68, 196]).astype(np.uint16)
        image = np.tile(columns, (512, 1))
        objects = np.zeros((512, 512), np.uint16)
        objects[10:20, 10:20], objects[10:20, 20:30], objects[20:30, 30:40], objects[100:110, 400:420] = 1, 2, 3, 4
        buffer = io.BytesIO()
        Image.fromarray(image if name.endswith("img2d.tif") else objects).save(buffer, format="TIFF")
        return buffer.getvalue()


def fetched(tmp_path, monkeypatch):
    @contextmanager
    def wheel(requirement):
        yield Package()

    monkeypatch.setattr(masks, "wheel", wheel)
    masks.nuclei(tmp_path)
    return tmp_path


def test_objects_that_touch_are_parted_and_lose_no_more_than_a_line():
    objects = np.zeros((40, 50), int)
    objects[10:20, 10:20], objects[10:20, 20:30], objects[20:30, 30:40] = 1, 2, 3
    line = masks._touching(objects)
    parted = (objects > 0) & ~line
    assert ndimage.label(objects > 0, np.ones((3, 3)))[1] == 1
    assert ndimage.label(parted)[1] == 3
    assert line.sum() == 10


def test_no_part_sees_a_pixel_of_another(tmp_path, monkeypatch):
    folder = fetched(tmp_path, monkeypatch)
    for prefix in ("", "wide_"):
        for part, value in (("train", 50), ("validation", 100), ("test", 200)):
            for file in (folder / f"{prefix}{part}" / "images").iterdir():
                assert set(np.unique(np.asarray(Image.open(file)))) == {value}, file


def test_a_wide_window_has_its_surroundings_or_their_mirror_image(tmp_path, monkeypatch):
    folder = fetched(tmp_path, monkeypatch)
    first = np.asarray(Image.open(folder / "wide_train" / "masks" / "000.png"))
    assert first.shape == (316, 316)
    np.testing.assert_array_equal(first[:92, 92:], first[183:91:-1, 92:])
    inner = np.asarray(Image.open(folder / "train" / "masks" / "000.png"))
    np.testing.assert_array_equal(first[92:220, 92:220], inner)
