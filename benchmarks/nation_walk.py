"""The whole country on foot: `python benchmarks/nation_walk.py --data ../shared/data/national [--picture FILE.png] [--write FILE.csv]`.

189,432 localities walk to the nearest fixed first level and the nearest hospital of the IMB catalogue over a 1 km relief, without
roads; then the gap score of every locality and municipality. The planner's own readers, search and score are called in this one
process; `compute_travel` is not, since without roads its vehicle mode would repeat the walk, and its pairs would serve no plan:
`--compare` calls it afterwards and demands the same score of every locality.
Who lives in the cell of a unit is at 0 minutes: 1 km says nothing finer. The census table has no PSINDER, so everybody counts as
target (supuesto), and the score is told twice: as in the base scenario, and without the cap of capacity, which was meant for people
without social security. The catalogue has no units of other institutions: entities without a first level in it are left grey.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from comoros import Steps, timed
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from planner.access.gap import compute_access
from planner.access.indicators import weighted_percentile
from planner.checks import FAR_KM
from planner.kinds import LEVELS, Level, Mode
from planner.model import Access, Region, Travel, TravelTimes
from planner.network import with_units_out
from planner.outputs.charts import png, styled
from planner.outputs.maps import NO_DATA, SCORE_COLORS, SCORE_EDGES, score_class
from planner.settings import Scenario
from planner.sources.boundaries import read_municipalities
from planner.sources.clues import read_units
from planner.sources.coneval import read_municipal_index
from planner.sources.terrain import TerrainFiles, read_terrain
from planner.travel.ground import ground_of, labels, read_labels
from planner.travel.times import compute_travel

CRS = "EPSG:6372"
ON_FOOT = Scenario(name="pais_a_pie", mode_first_level="a_pie", mode_hospital="a_pie", mode_teams="a_pie", people="pobtot")
VARIANTS = {"score": ON_FOOT, "score_uncapped": ON_FOOT.model_copy(update={"unlimited_capacity": True})}
ASSUMED = "supuesto: a pie sobre relieve de 1 km, sin caminos"
COUNTED = "toda la población, sin tope de capacidad, solo unidades del catálogo IMB; promedia sobre quienes se pudo calcular"
SLIVER_M = 1000.0  # gaps up to twice this between simplified municipalities are no border of an entity
LIMIT_S, LIMIT_GIB = 300.0, 8.0
PARTS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


def read_country(data: Path, cell_m: float, steps: Steps) -> Region:
    """The country as a Region: localities with what the score asks of them, IMB units, municipalities with their grade, relief."""
    with timed("localities, municipalities, grades", steps):
        table = pd.read_parquet(data / "localities_iter2020_national.parquet")
        grades = read_municipal_index(data / "IRS_entidades_mpios_2020.xlsx", "")
        towns = read_municipalities(data / "municipios_2020_mexico_2469.geojson", "", CRS)
        towns = towns.assign(irs=grades["irs"].reindex(towns.index), irs_grade=grades["irs_grade"].reindex(towns.index))
        localities = _localities(table, towns)
    with timed("units, state by state", steps):
        units = _units(data / "imb_clues_national_2026-08.parquet", localities["cve_mun"].str[:2].unique())
    with timed("relief", steps):
        files = TerrainFiles(dem=(data / "dem_mexico_1km.tif",), cell_m=cell_m)
        grid, findings = read_terrain(files, localities.geometry, units.geometry, CRS)
    return Region("México", "mexico", "00", CRS, False, localities, units, towns, None, None, grid, findings, ())


def _localities(table: pd.DataFrame, towns: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Localities by cve_mun and place in the table (most have no published key), with their municipality's grade."""
    ids = pd.Index(table["cve_mun"] + "-" + table["seq_in_mun"].astype(str).str.zfill(4), name="cvegeo")
    own = towns.reindex(table["cve_mun"])
    columns = {"cve_mun": table["cve_mun"], "municipality": table["nom_mun"], "name": table["nom_loc"],
               "population": table["pobtot"].astype("int64"), "irs": own["irs"], "irs_grade": own["irs_grade"]}
    points = gpd.points_from_xy(table["lon"], table["lat"], crs=4326)
    frame = gpd.GeoDataFrame({name: column.to_numpy() for name, column in columns.items()}, index=ids, geometry=points)
    return frame.to_crs(CRS).sort_index()


def _units(path: Path, entities: np.ndarray) -> gpd.GeoDataFrame:
    """Units that stand today; the reader takes one entity at a time, and those that the catalogue does not know have none."""
    there = pd.read_parquet(path, columns=["clave_de_la_entidad"])["clave_de_la_entidad"].astype(str).str.zfill(2).unique()
    read = [read_units([path], entity).units for entity in sorted(set(there) & set(entities))]
    return gpd.GeoDataFrame(pd.concat(read)).sort_index().to_crs(CRS)


def without_misplaced(region: Region) -> tuple[Region, pd.Series, int]:
    """The region where units far from their own municipality attend nobody; their metres, and how many cannot be told (newer ones)."""
    fixed = region.units[region.units["role"].isin(LEVELS)]
    own = region.municipalities.geometry.reindex(fixed["cve_mun"].to_numpy())
    metres = fixed.geometry.distance(gpd.GeoSeries(own.to_numpy(), index=fixed.index, crs=CRS))
    far = metres[metres > FAR_KM * 1000].sort_values(ascending=False)
    return with_units_out(region, far.index), far, int(metres.isna().sum())


def walked(region: Region, steps: Steps) -> tuple[Travel, pd.DataFrame]:
    """Minutes on foot of every locality to both levels, as the Travel that the score asks for; and the points moved or refused."""
    with timed("graph and speeds", steps):
        ground = ground_of(region, ON_FOOT, "a_pie")
        people = ground.set(region.localities)
        units = ground.set(region.units[region.units["role"].isin(LEVELS)])
    with timed("board of the search", steps):
        ground.board(towards=True)
    role = region.units["role"].reindex(units.ids).to_numpy()
    nearest: dict[tuple[Level, Mode], pd.DataFrame] = {}
    for level in LEVELS:
        with timed(f"search, {level}", steps):
            sites = units.only(role == level)
            nearest[level, "a_pie"] = read_labels(ground, labels(ground, sites), sites, people)
    # pairs are asked only for the official table of responsibility, and there is none
    none = TravelTimes(people.ids, units.only(role == "primer_nivel").ids, 0.0, np.zeros(len(people.ids) + 1, np.int64),
                       np.empty(0, np.int32), np.empty(0))
    moved = pd.concat([people.moved.assign(kind="localidad"), units.moved.assign(kind="unidad")], ignore_index=True)
    roads = pd.Series(False, index=people.ids)
    return Travel(nearest, {}, none, none, none, moved, roads, roads), moved


def by_municipality(region: Region, found: dict[str, Access]) -> pd.DataFrame:
    """Per municipality: people, those whose score is unknown, equivalent people, weighted gap (base), and scores averaged by person."""
    places, town = found["score"].localities, region.localities["cve_mun"]
    people, known = places["people"], places["score"].notna()
    sums = pd.DataFrame({
        "localities": 1, "people": people, "people_unknown": people.where(~known, 0.0),
        "unreached": np.isinf(places["first_level_min"]).astype(int), "equivalent_people": places["equivalent_people"],
        "weighted_gap": places["weighted_gap"], **{name: people * a.localities["score"] for name, a in found.items()}}).groupby(town).sum()
    counted = (sums["people"] - sums["people_unknown"]).where(lambda n: n > 0)
    served = region.units.loc[region.units["role"] == "primer_nivel", "cve_mun"].str[:2].unique()
    towns = region.municipalities
    out = sums.assign(**{name: sums[name] / counted for name in found}, catalogued=sums.index.str[:2].isin(served))
    return out.assign(municipality=towns["name"], irs_grade=towns["irs_grade"])


def picture(towns: gpd.GeoDataFrame, table: pd.DataFrame, column: str, note: str) -> Figure:
    """The country by municipal score in the map's fixed classes; grey where the catalogue has no units or the score is missing."""
    shown = table[column].where(table["catalogued"]).reindex(towns.index)
    colors = np.array([*SCORE_COLORS, NO_DATA], dtype=object)[score_class(shown)]
    entities = towns.geometry.groupby(towns.index.str[:2].to_numpy()).agg(lambda g: g.union_all())
    outlines = gpd.GeoSeries(entities, crs=CRS).buffer(SLIVER_M).buffer(-SLIVER_M)
    names = [f"{low:g} a {high:g}" for low, high in zip((0.0, *SCORE_EDGES), SCORE_EDGES, strict=False)]
    names.append("sin dato: entidad sin primer nivel en\nel catálogo IMB, o isla que no trae el relieve")
    with styled():
        figure = Figure(figsize=(10.0, 6.4))
        axes = figure.add_axes((0.01, 0.01, 0.98, 0.90))
        towns.plot(ax=axes, color=colors, edgecolor="white", linewidth=0.08)
        outlines.boundary.plot(ax=axes, color="#33404d", linewidth=0.5)
        axes.set_axis_off()
        figure.text(0.02, 0.985, "Puntaje de brecha por municipio, promedio por persona", fontsize=13, fontweight="bold", va="top")
        figure.text(0.02, 0.945, note, fontsize=9, va="top", linespacing=1.4)
        handles = [Patch(facecolor=color, edgecolor="#3b4350", linewidth=0.4, label=name)
                   for color, name in zip((*SCORE_COLORS, NO_DATA), names, strict=True)]
        axes.legend(handles=handles, title="Puntaje de brecha (0 a 100)", loc="upper right", frameon=False, fontsize=8.5,
                    alignment="left", bbox_to_anchor=(1.0, 0.97))
    return figure


def tell_units(region: Region, far: pd.Series, unmatched: int, moved: pd.DataFrame) -> None:
    """Print the units that count, why others do not, and the points that do not stand where they were published."""
    role = region.units["role"].value_counts()
    print(f"units: {role['primer_nivel']:,} fixed first level, {role['hospital']:,} hospitals; left out: {role['movil']:,} mobile, "
          f"{len(far)} farther than {FAR_KM:g} km from their municipality, {role['ninguno'] - len(far):,} without a role in the network")
    print(f"  farthest: {', '.join(f'{clues} {m / 1000:,.0f} km' for clues, m in far.head(3).items())}; "
          f"{unmatched} kept whose municipality is newer than the limits")
    counts = (moved["kind"] + " " + moved["result"]).value_counts().sort_index()
    refused = moved.loc[(moved["kind"] == "localidad") & (moved["result"] == "rechazada"), "id"]
    largest = region.localities.loc[refused].nlargest(4, "population")
    print(f"points off walkable ground: {', '.join(f'{words} {n:,}' for words, n in counts.items())}; islands that the relief lacks: "
          f"{', '.join(f'{name} {people:,}' for name, people in zip(largest['name'], largest['population'], strict=True))}, ...")


def tell_minutes(region: Region, travel: Travel) -> None:
    """Print how many localities each level is reached by, and in how many minutes."""
    people, rows = region.localities["population"].astype(float), {}
    for level in LEVELS:
        minutes = travel.nearest[level, "a_pie"]["minutes"].reindex(region.localities.index)
        masks = {"reached": np.isfinite(minutes), "unreached": np.isinf(minutes), "refused": minutes.isna()}
        assert sum(mask.sum() for mask in masks.values()) == len(minutes)
        told = {words: f"{mask.sum():,} ({people[mask].sum():,.0f} people)" for words, mask in masks.items()}
        for part in PARTS:
            of_all = weighted_percentile(minutes.to_numpy(), people.to_numpy(), part)
            told[f"p{100 * part:g}"] = f"{minutes[masks['reached']].quantile(part):,.0f} / {np.inf if of_all is None else of_all:,.0f}"
        within = (people[minutes <= limit].sum() / people.sum() for limit in (60, 120))
        rows[level] = told | {"people within 60 / 120 min": " / ".join(f"{share:.1%}" for share in within)}
    print(f"\nminutes on foot ({ASSUMED}); quantiles: of reached localities / of all people\n{pd.DataFrame(rows).to_string()}\n")


def tell_gap(region: Region, found: dict[str, Access], table: pd.DataFrame) -> None:
    """Print the national figures and the ten worst municipalities of each score."""
    known = region.localities["cve_mun"].map(table["catalogued"])
    rows = {}
    for name, access in found.items():
        for words, part in (("country", access.localities), ("with a catalogue", access.localities[known])):
            people = part["people"].where(part["score"].notna())
            sums = part[["people", "equivalent_people", "weighted_gap", "served", "covered_unserved", "uncovered"]].sum()
            rows[f"{name}, {words}"] = {**sums, "mean score": (people * part["score"]).sum() / people.sum()}
    print(pd.DataFrame(rows).T.to_string(float_format="{:,.1f}".format))
    shown = ["municipality", "irs_grade", "people", "people_unknown", "unreached", "equivalent_people", "weighted_gap", *found]
    for name in found:
        worst = table[table["catalogued"]].sort_values([name, "weighted_gap"], ascending=False).head(10)[shown]
        print(f"\nten worst municipalities by {name} ({ASSUMED})\n{worst.to_string(float_format='{:,.1f}'.format)}")
    grey = table[~table["catalogued"]]
    print(f"\nwithout a first level in the catalogue: entities {', '.join(sorted(set(grey.index.str[:2])))}: {len(grey)} municipalities, "
          f"{grey['people'].sum():,.0f} people, not ranked")


def check(region: Region, access: Access, table: pd.DataFrame) -> None:
    """Nobody is lost or counted twice, between states of coverage or between municipalities; scores keep to their range."""
    places, total = access.localities, float(region.localities["population"].sum())
    assert abs(places[["served", "covered_unserved", "uncovered"]].sum().sum() - total) < 1.0
    assert abs(table["people"].sum() - total) < 1.0
    assert abs(table["weighted_gap"].sum() - places["weighted_gap"].sum()) < 1.0
    assert places["score"].dropna().between(0, 100).all()
    assert not places.loc[~np.isfinite(places["first_level_min"]), "access"].gt(0).any()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the national files")
    parser.add_argument("--cell-m", type=float, default=1000.0)
    parser.add_argument("--compare", action="store_true", help="also the whole of compute_travel, which must give the same score")
    parser.add_argument("--picture", type=Path, help="where to draw the municipal map")
    parser.add_argument("--write", type=Path, help="where to write the municipal table")
    asked = parser.parse_args()
    pd.set_option("display.width", 220, "display.max_columns", 20)
    steps: Steps = []
    began = time.perf_counter()
    region, far, unmatched = without_misplaced(read_country(asked.data, asked.cell_m, steps))
    travel, moved = walked(region, steps)
    found = {}
    for name, scenario in VARIANTS.items():
        with timed(f"gap score: {name}", steps):
            found[name] = compute_access(region, travel, scenario)
    with timed("by municipality", steps):
        table = by_municipality(region, found)
    if asked.picture:
        with timed("picture", steps):
            asked.picture.write_bytes(png(picture(region.municipalities, table, "score_uncapped", f"{ASSUMED}\n{COUNTED}")))
    seconds = time.perf_counter() - began
    own, others = (resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    if asked.compare:
        with timed("compute_travel (not in the total)", steps):
            whole = compute_travel(region, ON_FOOT)
        pd.testing.assert_frame_equal(compute_access(region, whole, ON_FOOT).localities, found["score"].localities)
    if asked.write:
        table.to_csv(asked.write)
    print(f"{len(region.localities):,} localities, {region.grid.shape[0]:,} x {region.grid.shape[1]:,} cells of {asked.cell_m:g} m, "
          f"{np.isfinite(region.grid.slope_deg).sum():,} of them land")
    check(region, found["score"], table)
    tell_units(region, far, unmatched, moved)
    tell_minutes(region, travel)
    tell_gap(region, found, table)
    print(f"\n{pd.DataFrame(steps, columns=['step', 's', 'peak GiB']).to_string(index=False, float_format='{:.2f}'.format)}")
    met = seconds <= LIMIT_S and own + others <= LIMIT_GIB
    print(f"\ntotal {seconds:.1f} s (bar {LIMIT_S:g}), peak {own:.2f} GiB, children {others:.2f} (bar {LIMIT_GIB:g}): "
          f"{'met' if met else 'NOT MET'}")


if __name__ == "__main__":
    main()
