"""The folder of a comparison: a page to print, a workbook, tables, a layer of differences and every number."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from planner.keeping import replacing
from planner.outputs import charts
from planner.outputs.chartmaps import draw, gain_panel, score_panel
from planner.outputs.compared import comparison_tables, comparison_values
from planner.outputs.comparison import Comparison
from planner.outputs.exporting import csv_bytes
from planner.outputs.finished import Finished
from planner.outputs.geofiles import geojson
from planner.outputs.jsonfiles import canonical_json
from planner.outputs.sheets import Imprint
from planner.outputs.webpage import amount, page, picture, table, text
from planner.outputs.workbook import tables_workbook
from planner.words import DISCLAIMER

VALUES = "comparacion.json"
_DPI = 130


def write_comparison(folder: Path, found: Comparison) -> None:
    """Write comparacion.html, .xlsx and .json, the tables of what differs and diferencia.geojson; nothing unless all could be written.

    StorageError if the folder cannot be written or holds something else. Equal runs give equal bytes.
    """
    with replacing(folder, VALUES, "una comparación") as new:
        for name, content in comparison_files(found).items():
            (new / name).write_bytes(content)


def comparison_files(found: Comparison) -> dict[str, bytes]:
    """Every file of a comparison by name."""
    title = _title(found)
    places = gpd.GeoDataFrame(found.localities.assign(id=_ids(found)).reset_index().set_index("id"), geometry="geometry", crs=4326)
    return {
        "comparacion.html": _page(found, title),
        "comparacion.xlsx": tables_workbook(comparison_tables(found, most=None), _imprint(found, title)),
        VALUES: canonical_json(comparison_values(found)).encode(), "diferencia.geojson": geojson(places).encode(),
        "localidades.csv": csv_bytes(pd.DataFrame(found.localities.drop(columns="geometry"))), "unidades.csv": csv_bytes(found.units),
        "propuestas.csv": csv_bytes(found.proposals)}


def _imprint(found: Comparison, title: str) -> Imprint:
    region = found.baseline.about["region"]
    return Imprint(title, region["nombre"], "; ".join(f"{run.name}: {run.about['corrida']}" for run in found.runs), region["sintetica"])


def _title(found: Comparison) -> str:
    return f"{found.baseline.about['region']['nombre']}: {found.baseline.name} frente a {', '.join(run.name for run in found.others)}"


def _ids(found: Comparison) -> list[str]:
    """A locality may differ in several runs."""
    return [f"{run}-{key}" for run, key in zip(found.localities["corrida"], found.localities.index, strict=True)]


def _page(found: Comparison, title: str) -> bytes:
    made_up = " <span class='aviso'>DATOS SINTÉTICOS</span>" if found.baseline.about["region"]["sintetica"] else ""
    year = found.baseline.about["escenario"]["price_year"]
    maps = "".join(_maps(found, run) for run in found.others)
    tables = "".join(f"<h2>{text(name)}</h2>{_table(frame)}" for name, frame in comparison_tables(found).items())
    origins = "; ".join(f"{text(run.name)}: corrida {text(run.about['corrida'])}" for run in found.runs)
    body = (f"<h1>{text(title)}{made_up}</h1><p>{DISCLAIMER} Cada corrida con su plan; pesos de {text(year)}.</p>{maps}{tables}"
            f"<p class='chico'>{origins}. De dónde sale cada una: su manifest.json. Todos los números: {VALUES}.</p>")
    return page(title, body)


def _maps(found: Comparison, run: Finished) -> str:
    """Both runs in the same classes and on the same ground, and what each locality gains."""
    base = found.baseline
    gained = found.localities.loc[found.localities["corrida"] == run.name, "gana"]
    known = base.localities["personas_equiv_plan"].notna() & run.localities["personas_equiv_plan"].notna()
    change = gained.reindex(run.localities.index).fillna(0.0).where(known)
    beside = draw([score_panel(one.name, one.localities, one.proposals, plan=True) for one in (base, run)], size=(7.4, 4.0))
    apart = draw([gain_panel(f"Qué gana cada localidad: de {base.name} a {run.name}", run.localities, change)], size=(5.2, 4.0),
                 classes="gain")
    return (f"<h2>{text(base.name)} y {text(run.name)}: puntaje de brecha con el plan</h2>"
            + picture(charts.png(beside, _DPI), f"Mapas de {base.name} y {run.name} con las mismas clases")
            + picture(charts.png(apart, _DPI), f"Mapa de personas equivalentes que ganan acceso de {base.name} a {run.name}"))


def _table(frame: pd.DataFrame) -> str:
    numeric = [i for i, c in enumerate(frame.columns) if frame[c].notna().any() and frame[c].dropna().map(_is_number).all()]
    decimals = frame["Unidad"].tolist() if "Unidad" in frame else [""] * len(frame)
    rows = [[_cell(value, i in numeric, str(unit)) for i, value in enumerate(row)]
            for row, unit in zip(frame.itertuples(index=False), decimals, strict=True)]
    return table(list(map(str, frame.columns)), rows, numeric)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(value: object, is_number: bool, unit: str) -> str:
    if value is None or value is pd.NA or value != value:
        return "–"
    if is_number and isinstance(value, (int, float)):
        whole = float(value).is_integer()
        return amount(float(value), 0 if whole else 3 if unit in ("índice", "razón") else 2)
    return text(value)
