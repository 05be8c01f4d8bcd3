from tests.language_server.conftest import LENET, URI


def test_a_valid_document_has_no_diagnostics(opened):
    assert opened.open(URI, LENET) == []


def test_an_error_of_the_compiler_is_shown_at_its_word_with_its_help(opened):
    [found] = opened.open(URI, LENET.replace("activation: softmax", "activation: sofmax"))
    assert found["code"] == "NN105"
    assert found["severity"] == 1
    assert found["range"] == {"start": {"line": 11, "character": 35}, "end": {"line": 11, "character": 41}}
    assert "did you mean `softmax`?" in found["message"]


def test_a_warning_is_shown_as_a_warning(opened):
    [found] = opened.open(URI, LENET.replace("width: 6,", "width: 6, height: 3,"))
    assert found["severity"] == 2
    assert "height" in found["message"]


def test_columns_count_utf_16_units(opened):
    text = LENET.replace("[28, 28, 1]}", "[28, 28, 1]} # 𝛼").replace("name: lenet", 'name: lenet\ndescription: "𝛼𝛼", oops: 1')
    found = opened.open(URI, text)
    assert found


def test_text_that_is_being_typed_is_reported_and_never_stops_the_server(opened):
    for end in range(0, len(LENET), 7):
        opened.open(URI, LENET[:end])
    assert opened.open(URI, LENET) == []
    assert not opened.logged


def test_only_the_last_of_several_quick_changes_is_checked(opened):
    for letters in ("s", "so", "sof", "soft"):
        opened.write(URI, LENET.replace("softmax", letters))
    assert opened.open(URI, LENET) == []


def test_an_error_in_a_file_that_a_document_uses_is_shown_there(server, tmp_path):
    (tmp_path / "net.nnspec.yaml").write_text(NET)
    blocks = tmp_path / "blocks.nnspec.yaml"
    blocks.write_text(BLOCKS.replace("$units", "0"))
    server.tell(
        "textDocument/didOpen",
        textDocument={"uri": (tmp_path / "net.nnspec.yaml").as_uri(), "languageId": "yaml", "version": 1, "text": NET},
    )
    [found] = server.diagnostics(blocks.as_uri())
    assert found["range"]["start"]["line"] == 6
    server.close((tmp_path / "net.nnspec.yaml").as_uri())
    assert server.diagnostics(blocks.as_uri()) == []


def test_a_document_is_checked_again_with_the_unsaved_text_of_a_file_that_it_uses(server, tmp_path):
    net, blocks = tmp_path / "net.nnspec.yaml", tmp_path / "blocks.nnspec.yaml"
    net.write_text(NET)
    blocks.write_text(BLOCKS)
    server.open(blocks.as_uri(), BLOCKS)
    assert server.open(net.as_uri(), NET) == []
    server.write(blocks.as_uri(), BLOCKS.replace("units: int", "width: int").replace("$units", "$width"))
    assert any("units" in found["message"] for found in server.diagnostics(net.as_uri()))
    server.close(net.as_uri())
    server.close(blocks.as_uri())


def test_a_yaml_file_that_is_no_spec_is_left_alone(server, tmp_path):
    uri = (tmp_path / "compose.yaml").as_uri()
    server.tell("textDocument/didOpen", textDocument={"uri": uri, "languageId": "yaml", "version": 1, "text": "services: {}\n"})
    assert server.at("hover", uri, 0, 1) is None
    server.close(uri)


NET = """\
nnspec: 1
name: net
use: [blocks.nnspec.yaml]
inputs: {x: [4]}
layers:
  - wide: {units: 8}
"""
BLOCKS = """\
nnspec: 1
name: blocks
blocks:
  wide:
    params: {units: int}
    layers:
      - Dense: {units: $units}
inputs: {x: [4]}
layers:
  - wide: {units: 3}
"""
