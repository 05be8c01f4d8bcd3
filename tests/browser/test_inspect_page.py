"""The page of `nnspec inspect`, in a browser."""

from __future__ import annotations

import pytest

import nnspec
from nnspec.drawing import to_html
from tests.browser.conftest import LOOKS, has_no_overflow

pytestmark = pytest.mark.full
SPECS = ("unet_nuclei", "resnet50", "digits_diffusion")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name in SPECS:
        (folder / f"{name}.html").write_text(to_html(nnspec.compile(nnspec.load(f"specs/{name}.nnspec.yaml"))))
    return {name: (folder / f"{name}.html").as_uri() for name in SPECS}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_has_no_violations_with_details_search_and_all_open(browser, violations, pages, name, width, scheme):
    with browser.opened(pages[name], width, scheme) as page:
        assert violations(page) == []
        page.fill("#search", "conv2d")
        page.keyboard.press("Enter")
        assert violations(page) == []
        page.click("#open")
        assert violations(page) == []
        assert has_no_overflow(page)


def test_all_words_of_a_search_must_occur_in_any_order(browser, pages):
    with browser.opened(pages["resnet50"]) as page:
        page.fill("#search", "stage3 conv2d")
        found = page.inner_text("#found")
        page.fill("#search", "conv2d  STAGE3")
        assert page.inner_text("#found") == found
        page.fill("#search", "conv2d stage3 nowhere")
        assert page.inner_text("#found") == "0 found"


def test_hits_in_closed_blocks_are_counted_there_and_opened_one_by_one(browser, pages):
    with browser.opened(pages["resnet50"]) as page:
        page.fill("#search", "stage3_first conv2d")
        assert page.inner_text("#found") == "4 found, 4 in closed blocks"
        assert (
            page.locator("g.closed.hit").all_inner_texts()
            == ["▸ residual4 found insidestage3_first/residual: 11 layers, 1,512,448 parameters"]
            or "4 found inside" in page.locator("g.closed.hit").first.text_content()
        )
        page.keyboard.press("Enter")
        assert page.inner_text("#found") == "1 of 4"
        assert page.locator("g.box.chosen").count() == 1


def test_the_map_is_there_if_a_part_is_outside_and_moves_the_view(browser, pages):
    with browser.opened(pages["resnet50"]) as page:
        assert page.locator("#map").is_visible()
        before = page.locator("#drawing > g").get_attribute("transform")
        box = page.locator("#map").bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 4)
        assert page.locator("#drawing > g").get_attribute("transform") != before
        page.click("#fit")
        assert not page.locator("#map").is_visible()


def test_a_network_that_goes_down_and_up_again_has_the_form_of_a_u(browser, pages):
    with browser.opened(pages["unet_nuclei"]) as page:
        places = {
            name: page.locator(f"g[aria-label='{name}'] rect").bounding_box()
            for name in ("input image", "output mask", "max_pooling2d_2", "up0", "concatenate_2")
        }
    assert abs(places["input image"]["y"] - places["output mask"]["y"]) < 2
    assert places["output mask"]["x"] > places["input image"]["x"] + places["input image"]["width"]
    assert places["max_pooling2d_2"]["y"] > places["up0"]["y"] > places["concatenate_2"]["y"] > places["output mask"]["y"]


def test_the_keyboard_keeps_its_place_and_moves_the_view(browser, pages):
    with browser.opened(pages["resnet50"]) as page:
        page.focus("#fit")
        for _ in range(12):
            page.keyboard.press("Tab")
        item = page.evaluate("document.activeElement.dataset.item")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.dataset.item") == item
        view, stage = page.locator("g:focus").bounding_box(), page.locator("#drawing").bounding_box()
        assert stage["y"] <= view["y"] and view["y"] + view["height"] <= stage["y"] + stage["height"]


def test_a_print_is_light_and_whole(browser, pages):
    with browser.opened(pages["resnet50"], scheme="dark") as page:
        page.emulate_media(media="print", color_scheme="dark")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not page.locator(".buttons").is_visible()
        drawing, group = page.locator("#drawing").bounding_box(), page.locator("#drawing > g").bounding_box()
        assert group["height"] <= drawing["height"] + 1 and group["width"] <= drawing["width"] + 1
