"""The page of the server, in a browser."""

from __future__ import annotations

import base64
import io
import json
import shlex
import subprocess

import numpy as np
import pytest
from onnx import helper
from PIL import Image

from nnspec.runtime.metadata import EXAMPLES
from tests.browser.conftest import LOOKS, has_no_overflow
from tests.serving import models
from tests.serving.conftest import running
from tests.serving.test_plain import drawn

pytestmark = pytest.mark.full
HOSTILE = "<img src=x onerror=alert(1)>'$(touch x).png"


def with_examples(model, rows):
    helper.set_model_props(model, {**{prop.key: prop.value for prop in model.metadata_props}, EXAMPLES: json.dumps(rows)})
    return model


def shares():
    """Rows whose classes have probabilities: the model of rows, which adds up to 1 for the examples."""
    return with_examples(models.iris(), [{"length": 0.25, "width": 0.75}, {"length": 0.9731, "width": 0.0269}])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("m")
    image = base64.b64encode(drawn()).decode()
    files = [
        models.write(folder / "a.onnx", with_examples(models.picture(white=255), [{"image": image}])),
        models.write(folder / "b.onnx", shares()),
        models.write(folder / "c.onnx", models.scale()),
    ]
    with running(files) as found:
        yield found


@pytest.fixture
def url(server):
    return f"http://127.0.0.1:{server.port}/"


def choose(page, model):
    page.select_option("#models", label=model)
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_has_no_violations_in_any_state(browser, violations, url, tmp_path, width, scheme):
    (tmp_path / HOSTILE).write_bytes(drawn())
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with browser.opened(url, width, scheme) as page:
        assert violations(page) == []
        page.click(".examples button")
        page.wait_for_selector("#answer h2")
        assert violations(page) == []
        page.set_input_files("input[type=file]", [tmp_path / HOSTILE, tmp_path / "broken.png"])
        page.wait_for_selector("table")
        assert violations(page) == []
        assert has_no_overflow(page)
        choose(page, "iris")
        page.click(".examples button")
        page.wait_for_selector(".bars")
        page.click("summary")
        assert violations(page) == []
        choose(page, "scale")
        assert violations(page) == []
        assert has_no_overflow(page)


def test_probabilities_are_percentages(browser, url):
    with browser.opened(url) as page:
        choose(page, "iris")
        page.click(".examples button >> nth=1")
        page.wait_for_selector(".bars")
        assert page.locator(".prediction").inner_text() == "long"
        assert page.locator(".bars .n").all_inner_texts() == ["97.3 %", "2.7 %", "0.0 %"]
        assert page.locator(".bars span").all_inner_texts()[4] == "<b>neither</b>"


def test_values_that_are_no_probabilities_are_numbers(browser, url):
    with browser.opened(url) as page:
        choose(page, "iris")
        page.fill("#request input >> nth=0", "3.5")
        page.fill("#request input >> nth=1", "-2")
        page.click("button.main")
        page.wait_for_selector(".bars")
        assert page.locator(".bars .n").all_inner_texts() == ["3.5", "0", "-2"]


def test_the_image_is_shown_as_the_network_reads_it(browser, url, tmp_path):
    (tmp_path / "large.png").write_bytes(drawn((40, 64)))
    with browser.opened(url) as page:
        page.set_input_files("input[type=file]", tmp_path / "large.png")
        page.wait_for_selector("text=what the network reads, 4 × 4")
        assert page.locator("text=your image, 64 × 40").is_visible()


def test_several_files_are_rows_of_a_table_and_a_damaged_one_does_not_stop_the_others(browser, url, tmp_path):
    (tmp_path / "a.png").write_bytes(drawn())
    (tmp_path / "b.png").write_bytes(b"no image")
    (tmp_path / HOSTILE).write_bytes(drawn())
    with browser.opened(url) as page:
        page.set_input_files("input[type=file]", [tmp_path / name for name in ("a.png", "b.png", HOSTILE)])
        page.wait_for_selector("table")
        rows = page.locator("tbody tr").all_inner_texts()
        assert [row.split("\t")[1] for row in rows] == ["a.png", "b.png", HOSTILE]
        assert "right" in rows[0]
        assert "not a PNG or JPEG" in rows[1]
        assert page.locator("#status").inner_text() == "3 answers, 1 of them errors"
        page.click("tbody button >> nth=2")
        assert page.locator("#answer h2").inner_text() == HOSTILE


def test_files_can_be_dropped(browser, url):
    with browser.opened(url) as page:
        page.evaluate(
            """(content) => {
              const data = new DataTransfer(), bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
              for (const name of ["a.png", "b.png"]) data.items.add(new File([bytes], name, {type: "image/png"}));
              document.querySelector(".drop").dispatchEvent(new DragEvent("drop", {dataTransfer: data, cancelable: true}));
            }""",
            base64.b64encode(drawn()).decode(),
        )
        page.wait_for_selector("table")
        assert page.locator("tbody tr").count() == 2


def test_a_file_of_rows_has_an_answer_for_each(browser, url, tmp_path):
    (tmp_path / "rows.csv").write_text("length,width\n1,2\n9,1\n")
    with browser.opened(url) as page:
        choose(page, "iris")
        page.set_input_files("input[type=file]", tmp_path / "rows.csv")
        page.wait_for_selector("table")
        rows = [text.split("\t") for text in page.locator("tbody tr").all_inner_texts()]
        assert [row[0] for row in rows] == ["rows.csv, row 1", "rows.csv, row 2"]
        assert [row[1].split(":")[0] for row in rows] == ["wide", "long"]


@pytest.mark.parametrize("name", ["three.png", "-", HOSTILE])
def test_the_line_for_curl_makes_the_same_request(browser, url, tmp_path, name):
    (tmp_path / name).write_bytes(drawn())
    with browser.opened(url) as page:
        page.set_input_files("input[type=file]", tmp_path / name)
        page.wait_for_selector(".curl pre")
        line = page.locator(".curl pre").inner_text()
    _, address, *rest = shlex.split(line)
    assert (address, rest[:2]) == (
        f"{url}predict/side",
        ["-H", "Content-Type: " + ("image/png" if "." in name else "application/octet-stream")],
    )
    assert (tmp_path / rest[-1].removeprefix("@")).read_bytes() == drawn()
    assert rest[-1] != "@-"


def test_the_line_for_curl_contains_a_row_or_an_example(browser, url, tmp_path):
    with browser.opened(url) as page:
        page.click(".examples button")
        page.wait_for_selector(".curl pre")
        piped = page.locator(".curl pre").inner_text()
        choose(page, "iris")
        page.click(".examples button")
        page.wait_for_selector(".bars")
        row = page.locator(".curl pre").inner_text()
        page.click("text=Copy")
        page.wait_for_selector("text=Copied")
    first, *_ = piped.split(" | curl ")
    written = subprocess.run(["sh", "-c", first], capture_output=True, check=True, cwd=tmp_path).stdout
    assert np.asarray(Image.open(io.BytesIO(written))).shape == (4, 4)
    assert json.loads(shlex.split(row)[-1]) == {"length": 0.25, "width": 0.75}


def test_an_output_that_is_an_image_is_drawn(browser, violations, tmp_path):
    (tmp_path / "a.png").write_bytes(drawn())
    with (
        running([models.write(tmp_path / "a.onnx", models.mask())]) as server,
        browser.opened(f"http://127.0.0.1:{server.port}/") as page,
    ):
        page.set_input_files("input[type=file]", tmp_path / "a.png")
        page.wait_for_selector("canvas")
        row = "[...document.querySelector('canvas').getContext('2d').getImageData(0, 0, 4, 1).data]"
        assert page.evaluate(row) == [*[0, 0, 0, 255] * 2, *[255] * 8]
        assert violations(page) == []


def test_a_token_is_asked_for_and_is_not_in_the_line_for_curl(browser, tmp_path):
    with (
        running([models.write(tmp_path / "a.onnx", shares())], tokens=frozenset({b"secret"})) as server,
        browser.opened(f"http://127.0.0.1:{server.port}/") as page,
    ):
        page.fill("#token", "secret")
        page.keyboard.press("Enter")
        page.click(".examples button")
        page.wait_for_selector(".curl pre")
        line = page.locator(".curl pre").inner_text()
    assert "secret" not in line
    assert '"Authorization: Bearer $TOKEN"' in line
