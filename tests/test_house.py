"""The house holds: layers, homes of libraries, sizes, and one list of dependencies."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "planner").rglob("*.py"))
# Each layer may import itself and what stands before it.
LAYERS = (("errors", "kinds", "keeping"), ("columns",), ("model", "schema", "words"), ("assumptions", "refusals", "engine"),
          ("settings", "regionfile", "scenariofile"), ("sources", "region", "network", "store", "checks", "corrections"), ("travel",),
          ("access", "borders"), ("decide",), ("scenarios",), ("outputs",), ("demo", "ui", "commands", "cli", "__main__"))
ORDER_WITHIN = {("model", "schema"), ("schema", "model"), ("words", "schema"), ("schema", "words"),
                ("settings", "regionfile", "scenariofile"), ("ui", "cli"), ("demo", "cli"), ("demo", "ui"),
                ("commands", "cli"), ("commands", "ui"), ("ui", "commands")}
HOMES = {
    "streamlit": {"ui", "app.py"}, "streamlit_folium": {"ui"}, "folium": {"outputs/maps.py"},
    "branca": {"outputs/maps.py", "outputs/mapground.py"},
    "osmnx": {"sources/osm.py"}, "osmium": {"sources/osm.py"}, "rasterio": {"sources/rasters.py", "access/catchments.py"},
    "numba": {"travel/search.py", "decide/regional/kernel.py"}, "icalendar": {"outputs/calendar.py"},
    "sklearn": {"decide"}, "highspy": {"decide/solver.py"}, "pyvrp": {"decide/routing.py"},
    "joblib": {"engine.py"}, "distributed": {"engine.py"}, "dask": {"engine.py"},
    "matplotlib": {"outputs/charts.py", "outputs/chartmaps.py"}, "filelock": {"outputs/shelf.py"}, "requests": {"sources/download.py"},
    "xlsxwriter": {"outputs/workbookwriter.py", "demo"}, "rich": {"commands/console.py"},
    "tomllib": {"settings.py"},
}


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names}
    return names


def layer_of(module: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if module in layer)


def place(path: Path) -> str:
    return path.relative_to(ROOT / "planner").as_posix()


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_arrows_point_down(path: Path) -> None:
    own = place(path).split("/")[0].removesuffix(".py")
    if own == "__init__":
        assert not {n for n in imports(path) if n.startswith("planner")}
        return
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "planner" and len(parts) > 1 and parts[1] != own:
            assert layer_of(parts[1]) <= layer_of(own), f"{place(path)} imports {name}, which stands above it"
            assert (own, parts[1]) not in ORDER_WITHIN, f"{place(path)} imports {name} of its own layer"


@pytest.mark.parametrize("path", [*MODULES, ROOT / "app.py"], ids=lambda p: p.name)
def test_each_library_has_one_home(path: Path) -> None:
    here = place(path) if path.is_relative_to(ROOT / "planner") else path.name
    for name in {n.split(".")[0] for n in imports(path)} & HOMES.keys():
        assert any(here == home or here.startswith(f"{home}/") for home in HOMES[name]), f"{here} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 350
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 45, f"{place(path)}: {node.name} is too long"
    assert path.stem not in {"utils", "helpers", "common", "misc"}


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_no_global_statement_and_no_broad_except(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Global), place(path)
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            assert caught not in {"everything", "Exception", "BaseException"}, f"{place(path)} catches {caught}"
            if re.search(r"\bPlannerError\b", caught):
                assert place(path).split("/")[0] in {"cli.py", "ui"}, f"{place(path)} catches PlannerError"


def test_environment_lists_the_same_dependencies_as_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {*project["dependencies"], *project["optional-dependencies"]["test"]}
    lines = {line.strip().removeprefix("- ") for line in (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()}
    assert wanted <= lines
    assert {line for line in lines if re.match(r"^[a-z].*>=", line)} == wanted | {f"python{project['requires-python']}"}


def test_the_lock_holds_every_dependency_and_the_readme_says_why_each_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for wanted in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        name = re.split(r"[>=<\[]", wanted)[0]
        assert name in locked, name
        assert f"`{name}`" in readme, f"the README does not say what {name} is for"


def test_nothing_received_or_computed_is_committed() -> None:
    for folder in ("data/raw", "data/processed"):
        ignored = (ROOT / ".gitignore").read_text(encoding="utf-8")
        assert f"{folder}/*" in ignored
        assert (ROOT / folder / "README.md").exists()
