"""``python -m benchmarks lsp``: language servers over the gallery: false errors, completions that are valid, and times.

``nnspec lsp``, and with ``--yaml-language-server`` the YAML language server of most editors with the JSON Schema, each in its own
process and driven by the protocol.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.lsp_client import Client, edited, position_of
from nnspec.api import validate
from nnspec.json_schema import schema
from nnspec.language_server.places import inside, is_list_of_steps
from nnspec.spec import read_text
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode

ROOT = Path(__file__).parent.parent
GALLERY = sorted((ROOT / "specs").glob("*.nnspec.yaml"))
SCHEMA = ROOT / "schemas" / "nnspec-v1.schema.json"
MOST = 0.1
"""Seconds within which a server answers."""


def main(arguments: list[str]) -> int:
    """Run the parts that are named, all by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks lsp", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure; by default everything")
    parser.add_argument("--yaml-language-server", metavar="FOLDER", help="where `npm install yaml-language-server` was run")
    parser.add_argument("--places", type=int, default=300, help="places at which completions are asked for")
    parser.add_argument("--accepted", type=int, default=12, help="completions accepted at each place")
    parser.add_argument("--verbose", action="store_true", help="print the first error after each completion")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    servers: dict[str, Callable[[], Client]] = {"nnspec": lambda: Client([sys.executable, "-m", "nnspec", "lsp"], folder=ROOT)}
    if options.yaml_language_server:
        servers["yaml"] = lambda: yaml_language_server(Path(options.yaml_language_server))
    failed = False
    for part in options.parts or PARTS:
        for name, start in servers.items():
            with start() as client:
                failed |= not PARTS[part](name, client, options)
    return int(failed)


def yaml_language_server(folder: Path) -> Client:
    """The YAML language server with the committed schema for specs."""
    program = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    settings = {
        "yaml": {
            "schemas": {SCHEMA.as_uri(): ["*.nnspec.yaml"]},
            "validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}, "yamlVersion": "1.2",
        },
        "http": {"proxy": "", "proxyStrictSSL": False},
        "[yaml]": {"editor.tabSize": 2},
    }  # fmt: skip
    return Client(["node", str(program), "--stdio"], settings=settings, folder=ROOT)


# --- no false error ---------------------------------------------------------------------------------------------------------


def false_errors(name: str, client: Client, options: argparse.Namespace) -> bool:
    """Whether every spec of the gallery has only the errors that the compiler reports: data that is not there."""
    del options
    wrong = 0
    for file in GALLERY:
        found = client.open(file.as_uri(), file.read_text("utf-8"))
        known = Counter((d.span.line - 1, d.code) for d in validate(file)) if name == "nnspec" else Counter()
        extra = Counter((d["range"]["start"]["line"], d.get("code")) for d in found) - known
        wrong += bool(extra)
        for diagnostic in found:
            if extra[diagnostic["range"]["start"]["line"], diagnostic.get("code")]:
                print(
                    f"  {file.name}:{diagnostic['range']['start']['line'] + 1}: {diagnostic['message'].splitlines()[0][:150]}"
                )
        client.close(file.as_uri())
    print(f"{name}: {wrong} of {len(GALLERY)} specs with false errors")
    return not wrong


# --- completions ------------------------------------------------------------------------------------------------------------


def places(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield places where something is written: what, the text with a gap there, the offset of the gap."""
    tree = read_text(text, "spec", [])
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + column - 1

    assert tree is not None
    for keys, node in inside(tree):
        span = node.span
        first, last = offset(span.line, span.column), offset(span.end_line, span.end_column)
        in_brackets = text[first : first + 1] in ("{", "[")
        if isinstance(node, Scalar) and keys and isinstance(node.value, str | int | float | bool) and not node.dynamic:
            if span.line == span.end_line and isinstance(keys[-1], str) and not node.quoted:
                yield "value", text[:first] + text[last:], first
        elif isinstance(node, MappingNode) and len(node) and in_brackets:
            yield "key in braces", text[: last - 1] + ", " + text[last - 1 :], last + 1
        elif isinstance(node, MappingNode) and len(node) and not in_brackets and text[first] != "&":
            indent = "\n" + " " * (span.column - 1)
            end = text.find("\n", last - 1) if text[last - 1 : last] != "\n" else last - 1
            end = len(text) if end < 0 else end
            yield "key in a block", text[:end] + indent + text[end:], end + len(indent)
        elif isinstance(node, SequenceNode) and is_list_of_steps(keys) and node.items and not in_brackets:
            step = node.items[len(node.items) // 2]
            begin = starts[step.span.line - 1]
            dash = " " * (span.column - 1) + "- "
            yield "step", text[:begin] + dash + "\n" + text[begin:], begin + len(dash)
        elif isinstance(node, SequenceNode) and len(node.items) > 1 and in_brackets:
            yield "item in brackets", text[: last - 1] + ", " + text[last - 1 :], last + 1


def completions(name: str, client: Client, options: argparse.Namespace) -> bool:
    """Whether every document in which a completion was accepted is valid by the schema."""
    import jsonschema

    check = jsonschema.Draft202012Validator(schema())
    generator = random.Random(options.seed)
    every = [(file, *place) for file in GALLERY for place in places(file.read_text("utf-8"))]
    chosen: list[tuple[Path, str, str, int]] = []
    kinds = sorted({kind for _, kind, *_ in every})
    for kind in kinds:
        of_kind = [place for place in every if place[1] == kind]
        chosen += generator.sample(of_kind, min(len(of_kind), options.places // len(kinds)))
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    reasons: Counter[str] = Counter()
    for file, kind, text, offset in chosen:
        uri, whole = file.as_uri(), file.read_text("utf-8")
        client.open(uri, whole)
        known = {(d.code, d.message) for d in validate(file)}
        client.write(uri, text)
        found = client.at("completion", uri, **position_of(text, offset))
        items = found["items"] if isinstance(found, dict) else found or []
        counts[kind]["places"] += 1
        counts[kind]["empty"] += not items
        for item in generator.sample(items, min(len(items), options.accepted)):
            made = accepted(text, offset, item)
            counts[kind]["accepted"] += 1
            tree = read_text(made, str(file), problems := [])
            errors = [d.message for d in problems]
            if tree is not None and not errors:
                errors = [str(error.message)[:100] for error in check.iter_errors(json.loads(json.dumps(tree.plain())))]
            counts[kind]["valid by the schema"] += not errors
            new = (
                []
                if errors
                else [d for d in validate(file, texts={file: made}) if d.is_error and (d.code, d.message) not in known]
            )
            counts[kind]["without any error"] += not errors and not new
            if errors:
                print(f"  {kind} {file.name} at {text[max(0, offset - 40) : offset]!r} {item['label']!r}: {errors[0][:160]}")
            for diagnostic in new[:1]:
                reasons[f"{diagnostic.code} {kind}"] += 1
                if diagnostic.code < "NN2" or options.verbose:
                    print(
                        f"  {kind} {file.name} {text[max(0, offset - 40) : offset]!r} {item['label']!r}: {diagnostic.message[:150]}"
                    )
        client.close(uri)
    total: Counter[str] = Counter()
    for kind, count in counts.items():
        print(f"{name}: {kind}: {', '.join(f'{number} {what}' for what, number in count.items())}")
        total += count
    print(f"{name}: total: {', '.join(f'{number} {what}' for what, number in total.items())}")
    print(f"{name}: first errors of the others: {dict(reasons.most_common(12))}")
    return total["accepted"] == total["valid by the schema"]


def accepted(text: str, offset: int, item: dict[str, Any]) -> str:
    """Return the text with a completion accepted, and the values of its snippet left as they are."""
    edit = item.get("textEdit")
    new = edit["newText"] if edit else item.get("insertText") or item["label"]
    if item.get("insertTextFormat") == 2:
        new = re.sub(
            r"\$\{\d+:((?:\\.|[^\\}])*)\}|\$\{\d+\|([^,|}]*)[^}]*\}", lambda m: m[1] if m[1] is not None else m[2], new
        )
        new = re.sub(r"\$\d+", "", new)
        new = re.sub(r"\\([\\$}])", r"\1", new)
    if not edit:
        return text[:offset] + new + text[offset:]
    place = edit.get("range") or edit["replace"]
    # An editor indents the lines of a snippet like the first one.
    line = text.split("\n")[place["start"]["line"]]
    indent = line[: len(line) - len(line.lstrip(" "))]
    return edited(
        text, [{"range": place, "newText": new.replace("\n", f"\n{indent}")}, *(item.get("additionalTextEdits") or [])]
    )


# --- times --------------------------------------------------------------------------------------------------------------------


def large(count: int = 1000) -> str:
    """Return a spec of many layers, each with a name and a source."""
    steps = [f"  - Conv2D: {{filters: $width, kernel_size: 3, padding: same}}\n    name: conv{i}\n" for i in range(count - 1)]
    head = "nnspec: 1\nname: large\nparams: {width: 16}\ninputs: {image: [32, 32, 3]}\nlayers:\n"
    return head + "".join(steps) + "  - Add:\n    from: [conv5, conv7]\n    name: sum\noutputs: [sum]\n"


def measured(client: Client, ask: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a request takes, and those that the server computes."""
    begin, computed = time.perf_counter(), client.processor_seconds()
    ask()
    seconds = time.perf_counter() - begin
    return seconds, client.processor_seconds() - computed or seconds


def times(name: str, client: Client, options: argparse.Namespace) -> bool:
    """Whether the server answers in time on ResNet-50 and a spec of 1,000 layers.

    The time that it computes decides, which other programs on the machine do not change much.
    """
    del options
    texts = {"ResNet-50": (ROOT / "specs" / "resnet50.nnspec.yaml").read_text("utf-8"), "1,000 layers": large()}
    within = True
    for what, text in texts.items():
        uri = (ROOT / "specs" / f"timed_{len(text)}.nnspec.yaml").as_uri()
        client.open(uri, text)
        client.at("hover", uri, 4, 5)  # the schema is read
        taken: dict[str, list[tuple[float, float]]] = {}
        for each in range(15):
            for method, parameters in questions(text, each):
                found = measured(client, partial(client.about, method, uri, **parameters))
                taken.setdefault(method, []).append(found)
        checks = []
        for each in range(7):
            changed = text.replace("filters: ", f"filters:{'  ' if each % 2 else '   '}", 1)
            line = text.count("\n", 0, text.index("filters: "))
            begin = time.perf_counter()
            client.write(uri, changed)
            column = changed.split("\n")[line].index("filters:") + 4
            found = measured(client, partial(client.at, "completion", uri, line, column))
            taken.setdefault("completion after a change", []).append(found)
            client.diagnostics(uri, client.versions[uri])
            checks.append(time.perf_counter() - begin)
        for method, seconds in sorted(taken.items()):
            median, most = statistics.median(wall for wall, _ in seconds), max(wall for wall, _ in seconds)
            computed = statistics.median(processor for _, processor in seconds)
            within &= computed <= MOST
            late = "  above 100 ms" if computed > MOST else ""
            shown = f"computes {1000 * computed:.1f} ms, median {1000 * median:.1f} ms, at most {1000 * most:.1f} ms"
            print(f"{name}: {what}: {method}: {shown}{late}")
        print(f"{name}: {what}: diagnostics after a change: median {1000 * statistics.median(checks):.0f} ms, with its delay")
        client.close(uri)
    return within


def questions(text: str, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield requests about a document, as an editor sends them."""
    lines = text.splitlines()
    steps = [line for line, content in enumerate(lines) if content.lstrip().startswith("- ") and "{" in content]
    line = steps[number * len(steps) // 15]
    brace = {"position": {"line": line, "character": lines[line].index("{") + 1}}
    operation = {"position": {"line": line, "character": lines[line].index("-") + 3}}
    window = {"range": {"start": {"line": max(0, line - 30), "character": 0}, "end": {"line": line + 30, "character": 0}}}
    name = next((at for at, content in enumerate(lines) if at >= line and "name: " in content), None)
    yield "completion", brace
    yield "hover", operation
    yield "hover", brace
    yield "definition", operation
    yield "inlayHint", window
    yield "documentSymbol", {}
    if name is not None:
        place = {"position": {"line": name, "character": lines[name].index("name: ") + 6}}
        yield "references", {**place, "context": {"includeDeclaration": True}}
        yield "prepareRename", place
        yield "rename", {**place, "newName": "another_name"}


PARTS: dict[str, Callable[[str, Client, argparse.Namespace], bool]] = {
    "errors": false_errors,
    "completions": completions,
    "times": times,
}
