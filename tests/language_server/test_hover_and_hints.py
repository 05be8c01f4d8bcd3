import pytest

from tests.language_server.conftest import LENET, URI


def hover(server, word, text=LENET, last=False):
    offset = text.rindex(word) if last else text.index(word)
    line = text.count("\n", 0, offset)
    found = server.at("hover", URI, line, offset - text.rfind("\n", 0, offset) - 1)
    return "" if found is None else found["contents"]["value"]


def test_the_output_shape_is_beside_each_step(opened):
    hints = opened.about("inlayHint", URI, range=WHOLE)
    shown = {LENET.splitlines()[hint["position"]["line"]].strip(): hint["label"] for hint in hints}
    assert shown["- MaxPooling2D"] == "14 × 14 × 6"
    assert shown["- Flatten:"] == "1200"
    assert len(hints) == 5
    assert all(hint["position"]["character"] == len(LENET.splitlines()[hint["position"]["line"]]) for hint in hints)


def test_the_hints_of_a_block_show_the_shapes_of_its_uses(opened):
    opened.open(URI, BLOCK)
    hints = {hint["position"]["line"]: hint["label"] for hint in opened.about("inlayHint", URI, range=WHOLE)}
    assert hints == {5: "8 | 4", 8: "8", 9: "4", 10: "3", 11: "2"}


def test_a_step_that_is_an_error_has_no_hint_and_the_others_keep_theirs(opened):
    opened.open(URI, LENET.replace("$twice, kernel_size: 5", "$twice, kernel_size: 50"))
    assert [hint["label"] for hint in opened.about("inlayHint", URI, range=WHOLE)] == ["28 × 28 × 6", "14 × 14 × 6"]


def test_the_hover_of_a_layer_has_its_documentation_shapes_and_parameters(opened):
    text = hover(opened, "Conv2D")
    assert "Convolution over images" in text
    assert "image 28 × 28 × 1 → 28 × 28 × 6 · 156 parameters · 117,600 multiply–accumulates" in text


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("kernel_size", "an integer ≥ 1 or a list of integers ≥ 1"),
        ("from: deep", "Sources: a name, a list of names"),
        ("outputs", "Output steps"),
        ("nnspec", "Version of the language"),
    ],
)
def test_the_hover_of_a_key_has_its_meaning_and_its_type(opened, word, shown):
    assert shown in hover(opened, word)


def test_the_hover_of_a_computed_value_has_the_value_and_where_it_comes_from(opened):
    text = hover(opened, "$twice")
    assert "**= 12**" in text
    assert "computed from `${2 * width}`" in text
    assert "`width` = 6" in text


def test_the_hover_of_a_name_has_what_it_stands_for(opened):
    assert "deep is a `Conv2D`" in hover(opened, "deep", last=True)
    assert "10 × 10 × 12" in hover(opened, "deep", last=True)


def test_the_hover_of_a_loss_has_what_it_is(opened):
    text = LENET + "train: {loss: {digit: SparseCategoricalCrossentropy}}\n"
    opened.open(URI, text)
    assert "classes" in hover(opened, "SparseCategoricalCrossentropy", text)


WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 1000, "character": 0}}
BLOCK = """\
nnspec: 1
name: net
blocks:
  wide:
    params: {units: int}
    layers: [{Dense: $units}]
inputs: {x: [4]}
layers:
  - wide: {units: 8}
  - wide: {units: 4}
  - Dense: 3
  - Dense: 2
"""
