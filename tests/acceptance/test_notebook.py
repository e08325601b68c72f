"""The notebook runs on a finished project, agrees with its text form, and changes nothing."""

import ast
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from lowland_gis.pipeline.project import open_project

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOK = FOLDER / "03_units.ipynb"


def counts(folder):
    """Count the rows that a write would add."""
    with open_project(folder).transaction() as connection:
        return [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - fixed names
            for table in ("result.run", "result.unit", "result.member", "registry.low_efficiency")
        ]


def newest_units(folder):
    with open_project(folder).transaction() as connection:
        return connection.execute(
            "SELECT count(*) FROM result.unit WHERE run_id = (SELECT max(run_id) FROM result.unit)"
        ).fetchone()[0]


@pytest.fixture(scope="module")
def executed(demo_project):
    """Return the notebook after a run, with the counts before it."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    before = counts(demo_project)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOWLAND_PROJECT", str(demo_project))
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}}).execute()
    return notebook, before


def outputs(notebook, kind):
    found = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    return [data[kind] for data in found if kind in data]


def test_table_figure_and_map_are_shown(executed, demo_project):
    notebook, _ = executed
    table = next(text for text in outputs(notebook, "text/html") if "project settings" in text)
    assert f"<td>{newest_units(demo_project):.1f}</td>" in table
    assert len(outputs(notebook, "image/png")) == 1
    page = next(text for text in outputs(notebook, "text/html") if "iframe" in text)
    assert "tileLayer" not in page


def test_project_is_as_it_was(executed, demo_project):
    _, before = executed
    assert counts(demo_project) == before


def test_text_form_says_the_same_and_outputs_are_stripped():
    notebook, text = jupytext.read(NOTEBOOK), jupytext.read(NOTEBOOK.with_suffix(".py"))
    assert [(c.cell_type, c.source) for c in notebook.cells] == [(c.cell_type, c.source) for c in text.cells]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert len(notebook.cells) <= 10
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    assert not any(isinstance(node, defined) for cell in code for node in ast.walk(ast.parse(cell.source)))
