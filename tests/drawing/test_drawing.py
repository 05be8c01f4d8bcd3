"""Drawings: what they show, that it is all there, and that nothing in a name can become markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import nnspec
from nnspec.cli import main
from nnspec.drawing import to_html, to_mermaid, to_svg
from nnspec.drawing.folding import resolutions_of
from nnspec.drawing.layout import lay_out
from nnspec.drawing.scene import place_on_plane
from nnspec.drawing.tree import Box, tree_of, wires_of
from nnspec.graph import Graph, Model
from nnspec.printable import printable
from tests.conftest import CORPUS

SPECS = CORPUS.parents[1] / "specs"

NAMES = ["lenet5", "resnet20", "inception", "siamese", "unet"]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "x\"'><script>alert(1)</script>&<!--{{data}}`]|\u2028\x00"


def _model(name):
    return nnspec.compile(nnspec.load(CORPUS / f"{name}.nnspec.yaml"))


def _renamed(graph: Graph, old: str, new: str) -> Graph:
    """The graph with one layer under a name that no spec could give it."""

    def ref(r):
        return replace(r, source=new) if r.source == old else r

    nodes = {
        (new if name == old else name): replace(
            node, name=new if name == old else name, inputs={port: ref(r) for port, r in node.inputs.items()}
        )
        for name, node in graph.nodes.items()
    }
    return replace(graph, nodes=nodes, outputs={name: ref(r) for name, r in graph.outputs.items()})


def _scene(graph):
    return place_on_plane(*lay_out(tree_of(graph), wires_of(graph), 200, resolutions_of(graph)))


def _data(page):
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)[1])


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_input_and_output_is_drawn_once(name):
    model = _model(name)
    drawn = [e.get("data-layer") for e in ElementTree.fromstring(to_svg(model)).iter(f"{SVG}g") if e.get("data-layer")]
    wanted = [
        label
        for graph in model.networks.values()
        for label in [*(f"input {i}" for i in graph.inputs), *graph.nodes, *(f"output {o}" for o in graph.outputs)]
    ]
    assert sorted(drawn) == sorted(wanted)


@pytest.mark.parametrize("name", NAMES)
def test_the_lines_are_the_edges_of_the_graph(name):
    model = _model(name)
    lines = [(e.get("data-from"), e.get("data-to")) for e in ElementTree.fromstring(to_svg(model)).iter(f"{SVG}path")]
    edges = []
    for graph in model.networks.values():
        ends = [(ref, node.name) for node in graph.nodes.values() for ref in node.inputs.values()]
        ends += [(ref, f"output {name}") for name, ref in graph.outputs.items()]
        edges += [(f"input {ref}" if ref.source in graph.inputs else str(ref), target) for ref, target in ends]
    assert sorted(line for line in lines if line[0]) == sorted(edges)


@pytest.mark.parametrize("name", NAMES)
def test_no_two_boxes_overlap_and_all_lie_within_the_picture(name):
    for graph in _model(name).networks.values():
        scene = _scene(graph)
        boxes = [item for item in scene.items if isinstance(item.item, Box)]
        for number, a in enumerate(boxes):
            assert a.x >= 0 and a.y >= 0 and a.x + a.width <= scene.width + 0.1 and a.y + a.height <= scene.height + 0.1
            for b in boxes[number + 1 :]:
                apart = a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
                assert apart, (a.item.id, b.item.id)


@pytest.mark.parametrize("name", NAMES)
def test_no_line_crosses_a_box(name):
    for graph in _model(name).networks.values():
        _assert_no_line_crosses_a_box(graph)


def _assert_no_line_crosses_a_box(graph):
    scene = _scene(graph)
    boxes = [item for item in scene.items if isinstance(item.item, Box)]
    for wire, line in scene.lines.items():
        for x, y in _points(line):
            for box in boxes:
                inside = box.x + 1 < x < box.x + box.width - 1 and box.y + 1 < y < box.y + box.height - 1
                assert not inside, (wire, box.item.id)


def _points(line):
    """Points along a path of M, V, L, C and Q, close enough that none jumps over a box."""
    x = y = 0.0
    for kind, numbers in re.findall(r"([MVLCQ])([^MVLCQ]*)", line):
        values = [float(n) for n in re.findall(r"-?[\d.]+(?:e-?\d+)?", numbers)]
        ends = [(x, values[0])] if kind == "V" else list(zip(values[::2], values[1::2], strict=True))
        start = (x, y)
        for step in range(1, 17):
            t = step / 16
            if kind == "C":
                weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
                control = [start, *ends]
                yield tuple(sum(w * c[axis] for w, c in zip(weights, control, strict=True)) for axis in (0, 1))
            elif kind != "M":
                yield tuple(a + (b - a) * t for a, b in zip(start, ends[-1], strict=True))
        x, y = ends[-1]


@settings(max_examples=30)
@given(data=st.data())
def test_any_graph_is_drawn_without_overlaps(tmp_path_factory, data):
    count = data.draw(st.integers(1, 14))
    steps = []
    for number in range(count):
        names = ["x", *(f"n{i}" for i in range(number))]
        sources = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        op = {"Add": None} if len(sources) > 1 else {"Dense": {"units": 4}}
        if data.draw(st.booleans()) and len(sources) == 1:
            op = {"Residual": {"layers": [op, {"Parallel": {"merge": "Add", "branches": [[op], [op, op]]}}]}}
        steps.append({**op, "name": f"n{number}", "from": sources if len(sources) > 1 else sources[0]})
    file = tmp_path_factory.mktemp("net") / "net.nnspec.yaml"
    document = {"nnspec": 1, "name": "net", "inputs": {"x": [4]}, "layers": steps, "outputs": [s["name"] for s in steps]}
    file.write_text(json.dumps(document))
    graph = nnspec.compile(nnspec.load(file)).main
    scene = _scene(graph)
    boxes = [item for item in scene.items if isinstance(item.item, Box)]
    assert len(boxes) == len(graph.nodes) + len(graph.inputs) + len(graph.outputs)
    _assert_no_line_crosses_a_box(graph)


@pytest.mark.parametrize("draw", [to_svg, to_html, to_mermaid])
def test_the_same_model_gives_the_same_text(draw):
    assert draw(_model("inception")) == draw(_model("inception"))


FOLDED = ["unet_nuclei", "unet_paper", "attention_unet", "segnet", "fcn_8s"]


def _gallery(name, *overrides):
    return nnspec.compile(nnspec.load(SPECS / f"{name}.nnspec.yaml", list(overrides))).main


def _fold(graph):
    return lay_out(tree_of(graph), wires_of(graph), 200, resolutions_of(graph))[0].fold


@pytest.mark.parametrize("name", FOLDED)
def test_a_network_that_goes_down_in_resolution_and_up_again_has_two_arms(name):
    graph = _gallery(name)
    fold, children = _fold(graph), tree_of(graph).children
    assert fold.left.keys() | fold.right.keys() == children.keys()
    assert {child for child in children if child.startswith("output ")} <= fold.right.keys()
    assert {child for child in children if child.startswith("input ")} <= fold.left.keys()
    for wire in wires_of(graph):
        source, target = wire.source.split("/")[0], wire.target.split("/")[0]
        if source in fold.right and target in fold.right and source != target:
            assert fold.right[source] > fold.right[target]
        if source in fold.left and target in fold.left and source != target:
            assert fold.left[source] < fold.left[target]


@pytest.mark.parametrize("name", FOLDED)
def test_no_line_of_two_arms_crosses_a_box(name):
    _assert_no_line_crosses_a_box(_gallery(name))


def test_a_skip_goes_straight_across_to_its_reader_and_the_bottom_is_lowest():
    scene = _scene(_gallery("unet_nuclei"))
    boxes = {item.item.id: item for item in scene.items}
    assert boxes["input image"].y == boxes["output mask"].y
    for source, target in (("down0", "concatenate_2"), ("down1", "concatenate_1"), ("down2", "concatenate")):
        frame, reader = boxes[source], boxes[target]
        assert frame.x + frame.width < reader.x
        assert frame.y + frame.height / 2 == pytest.approx(reader.y + reader.height / 2)
    assert max(boxes.values(), key=lambda item: item.y).item.id.startswith("bottom/")


@pytest.mark.parametrize("name", ["resnet50", "deeplab_v3", "unet_plus_plus", "german_english_transformer", "vae"])
def test_a_network_of_another_form_has_no_arms(name):
    assert _fold(_gallery(name)) is None


def test_a_fixed_size_has_the_arms_of_a_free_one():
    graph = nnspec.compile(nnspec.load(SPECS / "unet_paper.nnspec.yaml", ["inputs.image=[572, 572, 1]"])).main
    assert _fold(graph).left.keys() == _fold(_gallery("unet_paper")).left.keys()


def test_free_sizes_are_written_as_in_mathematics():
    data = _data(to_html(nnspec.compile(nnspec.load(SPECS / "unet_paper.nnspec.yaml"))))["networks"][0]
    shapes = {item["lines"][1] for item in data["items"] if "lines" in item}
    assert "(⌊H/2⌋ − 4) × (⌊W/2⌋ − 4) × 128" in shapes
    assert not any("//" in shape or "*" in shape for shape in shapes)


def test_a_long_network_goes_on_in_further_columns():
    svg = ElementTree.fromstring(to_svg(_model("resnet20")))
    width, height = int(svg.get("width")), int(svg.get("height"))
    assert height < 3000
    assert width < 2 * height


def test_a_hostile_name_stays_text_in_the_picture():
    model = _model("lenet5")
    hostile = Model(HOSTILE, {"main": _renamed(model.main, "conv2d", HOSTILE.replace("/", ""))})
    svg = ElementTree.fromstring(to_svg(hostile))
    assert not list(svg.iter(f"{SVG}script"))
    assert svg.get("aria-label") == printable(HOSTILE)


def test_a_hostile_name_stays_text_in_the_page():
    model = _model("lenet5")
    page = to_html(Model(HOSTILE, {"main": _renamed(model.main, "conv2d", HOSTILE.replace("/", ""))}))
    assert page.lower().count("<script") == 2
    assert page.lower().count("</script") == 2
    data = _data(page)
    assert data["name"] == printable(HOSTILE)
    assert printable(HOSTILE.replace("/", "")) in [item["id"] for item in data["networks"][0]["items"]]


def test_a_hostile_name_stays_text_in_mermaid():
    model = _model("lenet5")
    text = to_mermaid(Model(HOSTILE, {"main": _renamed(model.main, "conv2d", HOSTILE.replace("/", ""))}))
    assert "<script" not in text
    assert text.count("\n") == to_mermaid(model).count("\n")
    labels = re.findall(r'"([^"]*)"', text)
    assert len(labels) * 2 == text.count('"')


@pytest.mark.parametrize("name", NAMES)
def test_the_page_asks_nothing_of_the_network(name):
    page = to_html(_model(name))
    addresses = set(re.findall(r"\w+://[^\s\"'<>\\]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # The name of SVG; nothing is loaded from there.
    assert not re.search(
        r"<(link|img|iframe|object|embed)\b|@import|url\((?!#)|\b(src|href)=|fetch\(|XMLHttpRequest|\bimport\(", page
    )
    assert "default-src 'none'" in page


def test_the_page_knows_what_is_asked_of_a_layer():
    page = to_html(_model("lenet5"))
    [layer] = [item for item in _data(page)["networks"][0]["items"] if item["id"] == "conv2d_1"]
    facts = dict(layer["facts"])
    assert facts["output"] == "10 × 10 × 16 float32"
    assert (facts["parameters"], facts["MACs"], facts["activations"]) == ("2,416", "240,000", "6.2 KiB")
    assert (facts["receptive field"], facts["receptive field stride"]) == ("14 × 14", "2 × 2")
    assert ["filters", "16", True] in layer["arguments"]
    assert ["padding", '"valid"', False] in layer["arguments"]
    [here] = [text for _, text, here in layer["source"] if here]
    assert "Conv2D" in here


def test_a_page_of_a_model_whose_file_is_gone_has_no_lines(write):
    file = write("nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: 2}\n")
    model = nnspec.compile(nnspec.load(file))
    file.unlink()
    [layer] = [item for item in _data(to_html(model))["networks"][0]["items"] if item["id"] == "dense"]
    assert layer["source"] == []


def test_frames_are_blocks_and_an_only_child_stands_for_its_frame():
    tree = tree_of(_model("inception").main)
    module = tree.children["module1"]
    assert module.label == "module1/parallel"
    assert [child.label for child in module.children.values()] == ["0/conv2d", "1", "2", "3", "concatenate"]


def test_mermaid_has_a_node_for_each_box_and_an_arrow_for_each_edge():
    graph = _model("inception").main
    text = to_mermaid(_model("inception"))
    assert text.startswith("flowchart TD\n")
    assert len(re.findall(r":::\w+$", text, re.M)) == len(graph.nodes) + len(graph.inputs) + len(graph.outputs)
    assert text.count("-->") == len(wires_of(graph))
    assert len(re.findall(r"^ *subgraph ", text, re.M)) == len(re.findall(r"^ *end$", text, re.M))


@pytest.mark.parametrize(("form", "begins"), [("mermaid", "flowchart TD"), ("svg", "<svg "), ("html", "<!doctype html>")])
def test_inspect_prints_a_drawing_or_writes_it_to_a_file(form, begins, tmp_path):
    spec, out = str(CORPUS / "lenet5.nnspec.yaml"), tmp_path / f"net.{form}"
    printed = CliRunner().invoke(main, ["inspect", spec, "--format", form])
    assert printed.exit_code == 0
    assert printed.stdout.startswith(begins)
    assert CliRunner().invoke(main, ["inspect", spec, "--format", form, "-o", str(out)]).exit_code == 0
    assert out.read_text() == printed.stdout
