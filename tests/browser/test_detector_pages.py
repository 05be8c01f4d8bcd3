"""The pages of a detector, in a browser: boxes are drawn where they are."""

from __future__ import annotations

import pytest

from nnspec.reports import write_report
from tests.browser.conftest import LOOKS, has_no_overflow
from tests.detection.conftest import folder, run  # noqa: F401
from tests.serving import models
from tests.serving.conftest import running
from tests.serving.test_plain import drawn

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running([models.write(tmp_path_factory.mktemp("m") / "a.onnx", models.detector())]) as found:
        yield found


@pytest.fixture
def image(tmp_path):
    file = tmp_path / "wide.png"
    file.write_bytes(drawn((200, 400)))
    return file


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_draws_boxes_and_has_no_violations(browser, violations, server, image, width, scheme):
    with browser.opened(f"http://127.0.0.1:{server.port}/", width, scheme) as page:
        page.set_input_files("input[type=file]", image)
        page.wait_for_selector(".scene .edge")
        assert violations(page) == []
        assert has_no_overflow(page)
        picture, [edge] = page.locator(".scene img").bounding_box(), page.locator(".scene .edge").all()
        box = edge.bounding_box()
        assert box["x"] == pytest.approx(picture["x"], abs=4)
        assert box["width"] == pytest.approx(picture["width"] / 2, abs=6)
        assert box["height"] == pytest.approx(picture["height"], abs=6)
        assert page.locator(".scene text").all_text_contents() == ["left 87.5 %"]


def test_the_least_score_shows_more_objects_as_text(browser, server, image):
    with browser.opened(f"http://127.0.0.1:{server.port}/") as page:
        page.set_input_files("input[type=file]", image)
        page.wait_for_selector(".scene .edge")
        page.locator(".least input").fill("0.1")
        assert page.locator(".scene .edge").count() == 2
        rows = page.locator("#answer tbody tr").all_inner_texts()
        assert rows[0].split() == ["left", "87.5", "%", "0", "0", "200", "200"]
        assert rows[1].startswith("<b>low</b>")
        assert page.locator(".scene").get_by_text("<b>low</b> 25.0 %").count() == 1


def test_several_images_are_a_table_with_the_objects_of_each(browser, server, image, tmp_path):
    other = tmp_path / "other.png"
    other.write_bytes(drawn())
    with browser.opened(f"http://127.0.0.1:{server.port}/") as page:
        page.set_input_files("input[type=file]", [image, other])
        page.wait_for_selector("table")
        assert page.locator("td", has_text="left, <b>low</b>").count() == 2


@pytest.fixture(scope="module")
def regions(tmp_path_factory):
    with running([models.write(tmp_path_factory.mktemp("r") / "a.onnx", models.regions())]) as found:
        yield found


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_an_image_and_its_proposals_are_fields_and_both_are_in_its_pixels(browser, violations, regions, image, width, scheme):
    with browser.opened(f"http://127.0.0.1:{regions.port}/", width, scheme) as page:
        assert "pixels of image, at most 2" in page.locator("textarea").get_attribute("placeholder")
        page.set_input_files("form input[type=file]", image)
        page.locator("textarea").fill("[[0, 0, 200, 100]]")
        page.get_by_role("button", name="Predict").click()
        page.wait_for_selector(".scene .edge")
        assert violations(page) == []
        assert has_no_overflow(page)
        [row] = page.locator("#answer tbody tr").all_inner_texts()
        assert row.split() == ["part", "75.0", "%", "0", "0", "200", "100"]
        picture, box = (page.locator(f".scene {each}").bounding_box() for each in ("img", ".edge"))
        assert box["width"] == pytest.approx(picture["width"] / 2, abs=6)
        assert box["height"] == pytest.approx(picture["height"] / 2, abs=6)


def test_wrong_proposals_are_stated(browser, regions, image):
    with browser.opened(f"http://127.0.0.1:{regions.port}/") as page:
        page.set_input_files("form input[type=file]", image)
        page.locator("textarea").fill("[[0, 0, 900, 100]]")
        page.get_by_role("button", name="Predict").click()
        page.wait_for_selector("#answer .bad")
        assert "the box [0, 0, 900, 100] of an image of 400×200 exceeds it" in page.locator("#answer .bad").inner_text()
        page.locator("textarea").fill("all")
        page.get_by_role("button", name="Predict").click()
        page.get_by_text("expected boxes as a JSON list").wait_for()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_report_has_no_violations(browser, violations, run, tmp_path, width, scheme):  # noqa: F811
    page_of = write_report(run, tmp_path / "report.html").path.as_uri()
    with browser.opened(page_of, width, scheme) as page:
        assert violations(page) == []
        assert page.locator(".scene rect:not(.halo)").count() >= 12
        assert has_no_overflow(page)
