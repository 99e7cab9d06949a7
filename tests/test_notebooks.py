"""The notebooks run on the demo region from the first cell to the last, define nothing and carry no outputs."""

import ast
import os
from pathlib import Path

import nbformat
import pytest
import valley
from nbclient import NotebookClient

from planner.model import Region
from planner.store import write_region

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
names = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, demo_region: Region, searches: Path) -> Path:
    folder = tmp_path_factory.mktemp("home")
    searches.mkdir(exist_ok=True)
    (folder / "data/processed").mkdir(parents=True)
    (folder / "data/processed/.viajes").symlink_to(searches)
    write_region(demo_region, folder / "data/processed/demo")
    write_region(valley.region(), folder / "data/processed/valle")
    return folder


def test_all_are_there() -> None:
    assert [p.stem for p in NOTEBOOKS] == ["01_datos", "02_acceso_hoy", "03_escenarios", "04_regionalizacion"]


@names
def test_clean_and_without_definitions(path: Path) -> None:
    book = nbformat.read(path, 4)
    nbformat.validate(book)
    code = [c for c in book.cells if c.cell_type == "code"]
    assert all(not c.outputs and c.execution_count is None for c in code)
    tree = ast.parse("\n".join(c.source for c in code))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)]
    assert any(isinstance(n, ast.ImportFrom) and (n.module or "").startswith("planner.") for n in ast.walk(tree))


@pytest.mark.parametrize(("path", "region"), list(zip(NOTEBOOKS, ("demo", "valle", "demo", "valle"), strict=True)),
                         ids=lambda value: value if isinstance(value, str) else value.stem)
def test_runs_on_any_prepared_region(path: Path, region: str, home: Path) -> None:
    book = nbformat.read(path, 4)
    client = NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}})
    client.execute(env={**os.environ, "PLANNER_HOME": str(home), "PLANNER_REGION": region,
                        "MPLBACKEND": "module://matplotlib_inline.backend_inline"})
    shown = [o for c in book.cells if c.cell_type == "code" for o in c.outputs]
    assert not [o for o in shown if o.output_type == "stream" and o.name == "stderr"]
    assert sum("image/png" in o.get("data", {}) for o in shown) == (5 if path.stem == "03_escenarios" else 2)
    assert any("SINT" in str(o) for o in shown)
    if path.stem == "02_acceso_hoy":
        _check_what_it_says(" ".join(str(o.get("data", {}).get("text/html", o.get("text", ""))) for o in shown))


def _check_what_it_says(text: str) -> None:
    assert "<td>0.67</td>" in text  # the scenario's value as it is, not 0.7
    assert "<td>2,300</td>" in text
    assert "p90_min %" not in text  # minutes are no share of people
    assert "P90 al primer nivel" in text
    assert "localidades de la región tienen población objetivo" in text
