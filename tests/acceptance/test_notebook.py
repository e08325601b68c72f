"""The notebooks run on a finished project, agree with their text forms, and write only what they are asked to."""

import ast
import base64
from pathlib import Path

import pytest

import lowland_gis
from lowland_gis.pipeline.base.project import open_project

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = ("01_district", "02_classification", "03_units", "04_report_figures")
KEPT = "来自笔记本"


def counts(folder):
    """Count the rows that a write would add."""
    with open_project(folder).transaction() as connection:
        return [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - fixed names
            for table in ("result.run", "result.unit", "result.member", "registry.low_efficiency")
        ]


def run(name, folder, **environment):
    """Return a notebook after a run."""
    # Four seconds to load, of which the other worker needs nothing.
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOWLAND_PROJECT", str(folder))
        for key, value in environment.items():
            patch.setenv(key, value)
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}}).execute()
    return notebook


@pytest.fixture(scope="module")
def executed(demo_project):
    """Return every notebook after a run, with the counts before and after."""
    before = counts(demo_project)
    return {name: run(name, demo_project) for name in NAMES}, before, counts(demo_project)


def outputs(notebook, kind):
    found = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    return [data[kind] for data in found if kind in data]


def flow(folder):
    with open_project(folder).transaction() as connection:
        return connection.execute(
            "SELECT n_units, value_m2 FROM result.draft WHERE name = 'flow' ORDER BY run_id DESC LIMIT 1"
        ).fetchone()


def test_the_district_is_shown_with_layers_coverage_and_quality(executed):
    notebook = executed[0]["01_district"]
    tables = outputs(notebook, "text/html")
    assert any("n_loaded" in text and "宗地" in text for text in tables)
    assert any("share" in text and "永久基本农田" in text for text in tables)
    assert any("records" in text for text in tables)
    assert len(outputs(notebook, "image/png")) == 1


def test_verdicts_and_clauses_are_shown(executed):
    tables = outputs(executed[0]["02_classification"], "text/html")
    assert any("低效" in text and "area_mu" in text for text in tables)
    assert any("outcome" in text and "true" in text for text in tables)


def test_units_are_drawn_compared_and_mapped(executed, demo_project):
    notebook = executed[0]["03_units"]
    n_units, value = flow(demo_project)
    table = next(text for text in outputs(notebook, "text/html") if "3 ha at least" in text)
    assert f"<td>{n_units:.1f}</td>" in table
    assert f"<td>{round(value):.1f}</td>" in table
    assert any(
        "FloatSlider" in str(data) or "interactive" in str(data) for data in outputs(notebook, "text/plain")
    )
    figure = base64.b64decode(outputs(notebook, "image/png")[0])
    assert figure.startswith(b"\x89PNG")
    page = next(text for text in outputs(notebook, "text/html") if "iframe" in text)
    assert "tileLayer" not in page


def test_report_figures_are_made(executed, demo_project):
    assert len(outputs(executed[0]["04_report_figures"], "image/png")) == 3
    assert (demo_project / "out" / "report_unit.png").stat().st_size > 20_000


def test_nothing_is_written_unless_asked(executed):
    _, before, after = executed
    assert before == after


def test_a_draft_is_kept_when_it_has_a_name(executed, demo_project):
    run("03_units", demo_project, LOWLAND_KEEP_DRAFT=KEPT)
    with open_project(demo_project).transaction() as connection:
        kept = connection.execute("SELECT n_units, gap FROM result.draft WHERE name = %s", [KEPT]).fetchall()
    assert len(kept) == 1
    assert kept[0][0] > 0


@pytest.mark.parametrize("name", NAMES)
def test_text_form_says_the_same_and_outputs_are_stripped(name):
    import jupytext

    notebook = jupytext.read(FOLDER / f"{name}.ipynb")
    text = jupytext.read(FOLDER / f"{name}.py")
    assert [(c.cell_type, c.source) for c in notebook.cells] == [(c.cell_type, c.source) for c in text.cells]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert len(code) <= 10
    assert len(notebook.cells) <= 14
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    assert not any(isinstance(node, defined) for cell in code for node in ast.walk(ast.parse(cell.source)))


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_use_nothing_of_the_package_but_what_it_offers(name):
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    ours = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "lowland_gis"
    ]
    assert [node.module for node in ours] == ["lowland_gis"]
    assert {alias.name for node in ours for alias in node.names} <= set(lowland_gis.__all__)
    direct = (alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names)
    assert not any(module.startswith("lowland_gis") for module in direct)
