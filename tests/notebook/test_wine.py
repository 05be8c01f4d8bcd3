"""The notebook in `examples/notebook` runs, and shows what it describes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")
pytest.importorskip("keras")

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "notebook" / "wine.ipynb"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The notebook after all of its cells ran in an empty folder."""
    found = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "IPYTHONDIR": str(folder / "ipython"), "TF_CPP_MIN_LOG_LEVEL": "2"}
    client = nbclient.NotebookClient(found, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env=env)
    return found


def outputs(book, start: str) -> list[dict]:
    """The outputs of the cell whose source starts so, or has a line that does."""
    [cell] = [cell for cell in book.cells if cell.cell_type == "code" and cell.source.startswith(start)]
    return cell.outputs


def shown(book, start: str) -> dict:
    """What the last line of a cell shows, by MIME type."""
    [output] = [output for output in outputs(book, start) if output.output_type == "execute_result"]
    return output.data


def test_the_notebook_is_stored_without_outputs():
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


def test_a_misspelled_key_is_named_by_its_path(book):
    [stream] = outputs(book, "measurements =")
    assert stream.text.startswith("the spec: layers[0].Dense.unitz; unknown key `unitz` in `Dense`; did you mean `units`?")


def test_specs_runs_and_reports_are_shown_as_tables(book):
    for start, text in (("spec =", "<td>Dense</td>"), ("run =", "learning curves"), ("nnspec.report", "Findings")):
        assert text in shown(book, start)["text/html"]


def test_the_model_of_the_notebook_is_better_than_the_most_frequent_class(book):
    text = "".join(output.get("text", "") for output in outputs(book, "metrics ="))
    assert float(text.split()[text.split().index("accuracy") + 1]) > 0.85


def test_the_predictor_answers_to_a_table_and_to_a_row(book):
    assert "predicted" in shown(book, "shares =")["text/plain"]
    assert shown(book, "row =")["text/plain"].count("array(") == 2
