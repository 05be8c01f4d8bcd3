import pytest

from benchmarks.lsp_client import Refused, edited, position_of
from tests.language_server.conftest import LENET, URI


def at(text, word, occurrence=0):
    offset = -1
    for _ in range(occurrence + 1):
        offset = text.index(word, offset + 1)
    return position_of(text, offset)


def fixes(server, text):
    found = server.open(URI, text)
    place = found[0]["range"]
    return {a["title"]: a for a in server.about("codeAction", URI, range=place, context={"diagnostics": found})}


def fixed(server, text, title):
    return edited(text, fixes(server, text)[title]["edit"]["changes"][URI])


def test_a_certain_fix_is_a_quick_fix(opened):
    wrong = LENET.replace("activation: softmax", "activation: sofmax")
    assert fixed(opened, wrong, "Replace `sofmax` with `softmax`") == LENET


def test_all_certain_fixes_can_be_applied_at_once(opened):
    wrong = LENET.replace("activation: softmax", "activation: sofmax").replace(
        "kernel_size: 5, padding", "kernel_sise: 5, padding"
    )
    assert fixed(opened, wrong, "Apply all 2 certain fixes") == LENET


def test_a_warning_can_be_ignored_by_a_comment(opened):
    text = LENET.replace("width: 6,", "width: 6, height: 3,")
    [title] = [title for title in fixes(opened, text) if title.startswith("Ignore")]
    after = fixed(opened, text, title)
    assert "# nnspec: ignore[" in after
    assert opened.open(URI, after) == []


@pytest.mark.parametrize(
    ("word", "occurrence", "line"),
    [("$width", 0, 2), ("deep", 1, 7), ("digit", 1, 11), ("width}", 0, 2)],
)
def test_a_name_leads_to_its_definition(opened, word, occurrence, line):
    place = at(LENET, word, occurrence)
    found = opened.at("definition", URI, place["line"], place["character"] + 1)
    assert found["range"]["start"]["line"] in (line, line + 1)
    assert found["uri"] == URI


def test_the_default_name_of_a_step_leads_to_the_step(opened):
    text = LENET.replace("from: deep", "from: max_pooling2d")
    opened.open(URI, text)
    assert opened.at("definition", URI, **at(text, "max_pooling2d"))["range"]["start"]["line"] == 6


def test_a_block_of_another_file_leads_there(server, tmp_path):
    (tmp_path / "blocks.nnspec.yaml").write_text(BLOCKS)
    uri = (tmp_path / "net.nnspec.yaml").as_uri()
    server.open(uri, NET)
    found = server.at("definition", uri, **at(NET, "wide"))
    assert found["uri"] == (tmp_path / "blocks.nnspec.yaml").as_uri()
    assert found["range"]["start"]["line"] == 3
    assert server.at("definition", uri, **at(NET, "blocks.nnspec"))["uri"] == (tmp_path / "blocks.nnspec.yaml").as_uri()
    server.close(uri)


def rename(server, text, word, new, occurrence=0):
    server.open(URI, text)
    found = server.at("rename", URI, **at(text, word, occurrence), newName=new)
    return edited(text, found["changes"][URI])


def test_a_param_is_renamed_in_every_expression(opened):
    after = rename(opened, LENET, "width", "channels")
    assert after == LENET.replace("width", "channels")
    assert opened.open(URI, after) == []


def test_a_step_is_renamed_with_what_reads_it_and_what_is_named_after_it(opened):
    text = LENET + "data: {targets: {digit: label}, train: {builtin: digits}}\n"
    after = rename(opened, text, "digit", "number")
    assert after.count("number") == 3
    assert "builtin: digits" in after


def test_a_name_in_an_expression_of_tensors_is_renamed(opened):
    text = LENET.replace("  - Flatten:\n    from: deep\n", "  - Compute: deep + 0 * deep\n  - Flatten\n")
    assert "Compute: conv + 0 * conv" in rename(opened, text, "deep", "conv")


@pytest.mark.parametrize(("new", "reason"), [("digit", "digit"), ("a b", "a b"), ("image", "image")])
def test_a_name_that_is_taken_or_invalid_is_refused_with_the_reason(opened, new, reason):
    opened.open(URI, LENET)
    with pytest.raises(Refused, match=reason):
        opened.at("rename", URI, **at(LENET, "deep"), newName=new)


def test_the_default_name_of_a_step_cannot_be_renamed(opened):
    text = LENET.replace("from: deep", "from: max_pooling2d")
    opened.open(URI, text)
    with pytest.raises(Refused, match="give the step a `name`"):
        opened.at("prepareRename", URI, **at(text, "max_pooling2d"))


def test_references_are_the_definition_and_its_uses(opened):
    place = at(LENET, "width")
    found = opened.at("references", URI, **place, context={"includeDeclaration": True})
    assert [(each["range"]["start"]["line"]) for each in found] == [2, 2, 5]


def test_the_outline_has_sections_steps_and_their_shapes(opened):
    symbols = {symbol["name"]: symbol for symbol in opened.about("documentSymbol", URI)}
    assert list(symbols) == ["nnspec", "name", "params", "inputs", "layers", "outputs"]
    steps = [(step["name"], step["detail"]) for step in symbols["layers"]["children"]]
    assert steps[1:3] == [("max_pooling2d", "MaxPooling2D 14 × 14 × 6"), ("deep", "Conv2D 10 × 10 × 12")]


def test_a_document_is_formatted_as_by_fmt(opened):
    untidy = LENET.replace("{width: 6,", "{width:   6,").replace("name: lenet\n", "") + "name: lenet\n"
    opened.open(URI, untidy)
    edits = opened.about("formatting", URI, options={"tabSize": 2, "insertSpaces": True})
    assert edited(untidy, edits) == LENET
    opened.open(URI, LENET)
    assert opened.about("formatting", URI, options={"tabSize": 2, "insertSpaces": True}) == []


NET = "nnspec: 1\nname: net\nuse: [blocks.nnspec.yaml]\ninputs: {x: [4]}\nlayers:\n  - wide: {units: 8}\n"
BLOCKS = "nnspec: 1\nname: blocks\nblocks:\n  wide: {params: {units: int}, layers: [{Dense: $units}]}\ninputs: {x: [4]}\nlayers: [{wide: {units: 3}}]\n"
