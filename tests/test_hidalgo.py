"""Hidalgo's official files from end to end through the commands, against published figures and a recount from the exports."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from recount import recount

from planner import cli
from planner.model import Region
from planner.store import read_region, write_region

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def home(hidalgo: Region, searches: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where Hidalgo was prepared and its base scenario run."""
    folder = tmp_path_factory.mktemp("home")
    searches.mkdir(exist_ok=True)
    (folder / "data/processed").mkdir(parents=True)
    (folder / "data/processed/.viajes").symlink_to(searches)
    write_region(hidalgo, folder / "data/processed/hidalgo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["planner", "--home", str(folder), "run", "hidalgo"])
        with pytest.raises(SystemExit) as end:
            cli.main()
    assert not end.value.code
    return folder


@pytest.fixture(scope="module")
def places(home: Path) -> pd.DataFrame:
    return recount(home / "runs/hidalgo/base").set_index("cvegeo")


@pytest.fixture(scope="module")
def told(home: Path) -> Any:
    return json.loads((home / "runs/hidalgo/base/indicadores.json").read_text(encoding="utf-8"))


def test_the_region_is_what_its_publishers_say(home: Path) -> None:
    region = read_region(home / "data/processed/hidalgo")
    assert (len(region.localities), len(region.municipalities), int(region.localities["population"].sum())) == (4690, 84, 3_082_841)
    assert region.units["role"].value_counts().to_dict() == {"primer_nivel": 722, "ninguno": 431, "movil": 38, "hospital": 20}
    institution = region.units["institution"].value_counts()
    assert (institution["IMB"], institution["IMO"]) == (549, 242)
    assert region.units.loc[region.units["institution"] == "IMO", "unit_class"].value_counts().to_dict() == {"UMR": 238, "HR": 4}
    assert region.responsibility is not None
    assert region.responsibility["cvegeo"].nunique() == 4690
    assert (region.responsibility["cvegeo"].value_counts() > 1).sum() == 21
    assert region.responsibility["clues"].isna().sum() == 22


def test_every_indicator_is_recounted_and_coverage_sums_to_the_people(places: pd.DataFrame, told: Any) -> None:
    for end in ("", "_plan"):
        states = places[[f"personas_{s}{end}" for s in ("con_servicio", "sin_capacidad", "sin_cobertura")]].sum(axis=1)
        np.testing.assert_allclose(states, places["poblacion"], rtol=1e-9, atol=1e-6)
    assert told["total"]["actual"]["poblacion"] == pytest.approx(2_047_505, abs=1)


def test_every_score_follows_from_its_exported_parts(home: Path, places: pd.DataFrame) -> None:
    known = places[places["puntaje_brecha"].notna()]
    assert len(known) == 4690
    lacking = (1 - known["acceso_primer_nivel"]) * (1 - known["credito_movil"])
    np.testing.assert_allclose(known["brecha_primer_nivel"], lacking, atol=1e-9)
    gap = 0.7 * lacking + 0.3 * (1 - ((180 - known["min_hospital"].fillna(np.inf)) / 120).clip(0, 1))
    np.testing.assert_allclose(known["brecha"], gap, atol=1e-9)
    need = known["grado_rezago"].map({"Muy bajo": 0, "Bajo": 0.25, "Medio": 0.5, "Alto": 0.75, "Muy alto": 1})
    np.testing.assert_allclose(known["puntaje_brecha"], 100 * gap * (1 + need) / 2, atol=1e-6)
    np.testing.assert_allclose(known["brecha_ponderada"], known["poblacion"] * gap * (1 + need), rtol=1e-9, atol=1e-6)
    table = read_region(home / "data/processed/hidalgo").responsibility
    assert table is not None
    rows = table["cvegeo"].value_counts()
    one_unit = known[known.index.isin(rows.index[rows == 1]) & (known["suficiencia"] > 0) & known["min_asignada"].notna()]
    assert len(one_unit) > 1000
    ramp = ((90 - one_unit["min_asignada"]) / 60).clip(0, 1)
    np.testing.assert_allclose(one_unit["acceso_primer_nivel"], one_unit["suficiencia"] * ramp, atol=1e-9)


def test_the_plan_keeps_its_word(places: pd.DataFrame, told: Any) -> None:
    plan = told["plan"]
    assert plan["costo_anual"] <= plan["presupuesto_anual"] == 100e6
    closed = places["brecha_ponderada"].sum() - places["brecha_ponderada_plan"].sum()
    assert closed == pytest.approx(plan["brecha_ponderada_cerrada"], rel=1e-9)
    assert plan["brecha_ponderada_cerrada"] <= plan["cota_superior"] * (1 + 1e-9)
    assert plan["brecha_optimalidad"] <= 0.01
    assert (places["puntaje_brecha_plan"] <= places["puntaje_brecha"] + 1e-9).all()
    assert (places["min_primer_nivel_plan"].fillna(np.inf) <= places["min_primer_nivel"].fillna(np.inf)).all()
