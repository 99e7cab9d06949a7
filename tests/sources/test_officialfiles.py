"""All official files of one state from a server of this computer, to a region file that prepares."""

import io
import json
import threading
import tomllib
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import geopandas as gpd
import numpy as np
import official_server
import osmium
import pandas as pd
import pytest
import small_iter
from shapely.geometry import box

from planner.errors import DataError, SettingsError
from planner.keeping import digest
from planner.region import prepare_region
from planner.regionfile import load_region_file
from planner.settings import read_toml
from planner.sources import liveroads
from planner.sources.addresses import STATES, find_state, places
from planner.sources.download import Patience
from planner.sources.officialfiles import fetch
from planner.sources.osm import read_osm
from planner.sources.rasters import write_raster

SHIPPED = Path(__file__).parents[2] / "regions/fuentes.toml"
HASTY = Patience(connect_s=2, read_s=0.5, attempts=1, backoff_s=0.01, tell_s=0)
LON, LAT = -98.4562, 20.1459  # where the small census stands
CLUES = pd.DataFrame([
    ["HGIMB000011", "IMB", 13, 1, 1, "Uno", "RURAL DE 01 NÚCLEO BÁSICO", "EN OPERACION", "PRIMER NIVEL", LAT, LON],
    ["PLIMB000011", "IMB", 21, 1, 1, "De otro estado", "RURAL DE 01 NÚCLEO BÁSICO", "EN OPERACION", "PRIMER NIVEL", 19.0, -98.2],
], columns=["CLUES", "CLAVE DE LA INSTITUCION", "CLAVE DE LA ENTIDAD", "CLAVE DEL MUNICIPIO", "CLAVE DE LA LOCALIDAD",
            "NOMBRE DE LA UNIDAD", "NOMBRE DE TIPOLOGIA", "ESTATUS DE OPERACION", "NIVEL ATENCION", "LATITUD", "LONGITUD"])
HEADERS = ["analfabeta", "no asiste", "educación básica incompleta", "sin derechohabiencia", "piso de tierra", "excusado", "agua entubada",
           "drenaje", "energía eléctrica", "lavadora", "refrigerador", "Índice de rezago social", "Grado de rezago social"]


def zipped(**members: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return sink.getvalue()


def workbook(sheet: str, table: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    with pd.ExcelWriter(sink, engine="xlsxwriter") as writer:
        table.to_excel(writer, sheet_name=sheet, index=False)
    return sink.getvalue()


def roads(path: Path) -> bytes:
    """Two streets that meet at the small census's place, as an extract."""
    with osmium.SimpleWriter(str(path)) as writer:
        for i, (dx, dy) in enumerate([(-0.01, 0), (0, 0), (0.01, 0), (0, 0.01)], 1):
            writer.add_node(osmium.osm.mutable.Node(id=i, location=(LON + dx, LAT + dy), version=1))
        for i, nodes in enumerate(([1, 2, 3], [2, 4]), 1):
            writer.add_way(osmium.osm.mutable.Way(id=i, nodes=nodes, tags={"highway": "tertiary", "surface": "asphalt"}, version=1))
    return path.read_bytes()


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    """Every official file, small, by its official path."""
    folder = tmp_path_factory.mktemp("oficiales")
    table = small_iter.table().to_csv(index=False).encode()
    percents = [5.0] * 11
    towns = pd.DataFrame([["13", m, *percents, 0.2, "Medio", 900] for m in ("13001", "13002")],
                         columns=["Clave entidad", "Clave municipio", *HEADERS, "Lugar que ocupa en el contexto nacional"])
    places_ = pd.DataFrame([["130010001", 0.4, "Alto"], ["210010001", 0.4, "Alto"]],
                           columns=["Clave localidad", "Índice de rezago social", "Grado de rezago social"])
    write_raster(folder / "dem.tif", np.full((300, 300), 2100, np.float32), (0.002, 0, LON - 0.3, 0, -0.002, LAT + 0.3), "EPSG:4326", -9999)
    here = gpd.GeoSeries([box(LON - 0.1, LAT - 0.1, LON + 0.1, LAT + 0.1)] * 2, crs=4326).to_crs(6372)
    limits = gpd.GeoDataFrame({"CVEGEO": ["13001", "13002"], "NOMGEO": ["Uno", "Dos"]}, geometry=here)
    limits.to_file(folder / "13mun.shp", encoding="latin1")
    parts = {f"conjunto_de_datos/{p.name}": p.read_bytes() for p in sorted(folder.glob("13mun.*"))}
    return {
        "iter_13_cpv2020_csv.zip": zipped(**{"iter_13/conjunto_de_datos_iter_13CSV20.csv": table, "iter_13/diccionario.csv": b"a,b\n"}),
        "IRS_ent_mun_2000_2020.zip": zipped(**{"IRS_entidades_mpios_2015.xlsx": b"",
                                               "IRS_entidades_mpios_2020.xlsx": workbook("Municipios", towns)}),
        "IRS_loc_2000_2020.zip": zipped(**{"IRS_localidades_2020.xlsx": workbook("Localidades", places_)}),
        "ESTABLECIMIENTO_SALUD_202608.xlsx": workbook("CLUES_202608", CLUES),
        "e13_cem_r15_v4_tif.zip": zipped(**{"e13_cem_r15_v4.tif": (folder / "dem.tif").read_bytes()}),
        "13_hidalgo.zip": zipped(**parts),
        "mexico-latest.osm.pbf": roads(folder / "vias.osm.pbf"),
    }


@pytest.fixture(scope="module")
def server():
    with official_server.opened() as running:
        yield running


@pytest.fixture
def office(server, bodies):
    """The server with every file at its official path."""
    server.files.clear()
    server.log.clear()
    for source in read_toml(SHIPPED, "x")["sources"].values():
        address = source["address"].replace("{entidad}", "13").replace("{nombre}", "hidalgo").replace("{mes}", "202608")
        parts, name = urlsplit(address), next(n for n in bodies if n in address)
        server.put(parts.path + (f"?{parts.query}" if parts.query else ""), bodies[name])
    return server


def at(office, name: str) -> official_server.Served:
    return next(served for path, served in office.files.items() if name in path)


def bring(office, raw, entity="13", sources=SHIPPED, **how):
    told = []
    region = fetch(entity, raw, sources, mirror=how.pop("mirror", office.base), patience=HASTY, progress=told.append, **how)
    return region, told


def edited(tmp_path, *changes):
    """A copy of the shipped file of addresses with these changes."""
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "fuentes.toml"
    path.write_text(text, encoding="utf-8")
    return path


def without(tmp_path, *keys):
    return edited(tmp_path, *((f"[sources.{key}]\n", f"[sources.{key}]\nuse = false\n") for key in keys))


def test_every_file_comes_and_the_region_prepares(office, bodies, tmp_path):
    region_file, told = bring(office, tmp_path, "hidalgo")
    assert region_file == tmp_path / "hidalgo/hidalgo.toml"
    spec = load_region_file(region_file)
    assert (spec.name, spec.entity) == ("Hidalgo", "13")
    assert spec.model_dump(exclude_none=True, exclude_defaults=True) == {
        "name": "Hidalgo", "entity": "13", "localities": {"iter": "iter_13_cpv2020_csv.zip"},
        "deprivation": {"municipalities": "../national/IRS_entidades_mpios_2020.xlsx",
                        "localities": "../national/IRS_localidades_2020.xlsx"},
        "units": {"files": ("../national/ESTABLECIMIENTO_SALUD_202608.xlsx",)}, "roads": {"osm": "caminos_hidalgo.osm.pbf"},
        "terrain": {"dem": "e13_cem_r15_v4_tif.zip"}, "boundaries": {"municipalities": "13mun.shp"}}
    region = prepare_region(region_file)
    assert (len(region.localities), list(region.units.index), len(region.municipalities)) == (4, ["HGIMB000011"], 2)
    assert region.localities.loc["130010001", "irs_grade"] == "Alto"
    assert region.roads is not None
    assert float(np.nanmax(region.grid.elevation_m)) == 2100
    assert not list(tmp_path.rglob("*.part*"))
    assert told[-1] == f"Archivo de región: {region_file}"
    credits = region_file.read_text(encoding="utf-8")
    assert "INEGI" in credits
    assert "ODbL" in credits
    assert (tmp_path / "hidalgo/iter_13_cpv2020_csv.zip").read_bytes() == bodies["iter_13_cpv2020_csv.zip"]


def test_the_record_tells_each_file_and_a_second_call_asks_for_nothing(office, tmp_path):
    region_file, _ = bring(office, tmp_path)
    for folder in ("hidalgo", "national"):
        text = (tmp_path / folder / "descargas.json").read_text(encoding="utf-8")
        record = json.loads(text)
        assert text == json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        for name, entry in record["archivos"].items():
            assert entry["sha256"] == digest(tmp_path / folder / name)
            assert entry["bytes"] == (tmp_path / folder / name).stat().st_size
            assert entry["fecha"].endswith("Z")
    census = json.loads((tmp_path / "hidalgo/descargas.json").read_text(encoding="utf-8"))["archivos"]["iter_13_cpv2020_csv.zip"]
    assert census["direccion"].startswith("https://www.inegi.org.mx/")
    assert census["desde"].startswith(office.base)
    assert census["modificado"] == "Mon, 02 Mar 2026 10:00:00 GMT"
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    asked = len(office.log)
    assert asked == 7
    again, told = bring(office, tmp_path)
    assert again == region_file
    assert len(office.log) == asked
    assert sum("ya está" in line for line in told) == 7
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != "descargas.json"} == {
        p: body for p, body in before.items() if p.name != "descargas.json"}


def test_another_state_shares_the_national_files(office, tmp_path):
    bring(office, tmp_path)
    office.log.clear()
    census = small_iter.table().assign(ENTIDAD="30").to_csv(index=False).encode()
    office.put("/contenidos/programas/ccpv/2020/datosabiertos/iter/iter_30_cpv2020_csv.zip", zipped(**{"iter_30CSV20.csv": census}))
    veracruz, _ = bring(office, tmp_path, "Veracruz", without(tmp_path, "relieve", "limites"))
    assert veracruz == tmp_path / "veracruz/veracruz.toml"
    assert [path for path, *_ in office.log] == ["/contenidos/programas/ccpv/2020/datosabiertos/iter/iter_30_cpv2020_csv.zip"]


def test_a_cut_in_the_middle_keeps_what_came_and_the_next_call_completes_the_region(office, bodies, tmp_path):
    whole = bodies["IRS_loc_2000_2020.zip"]
    at(office, "IRS_loc").cuts = [len(whole) * 6 // 10]
    with pytest.raises(DataError, match=rf"llegaron {len(whole) * 6 // 10:,} de {len(whole):,} bytes.*repetir la orden lo reanuda"):
        bring(office, tmp_path)
    assert not (tmp_path / "hidalgo/hidalgo.toml").exists()
    assert not (tmp_path / "national/IRS_loc_2000_2020.zip").exists()
    bring(office, tmp_path)
    assert (tmp_path / "national/IRS_loc_2000_2020.zip").read_bytes() == whole
    assert [asked for path, asked, _ in office.log if "IRS_loc" in path] == ["", f"bytes={len(whole) * 6 // 10}-"]
    assert sum("iter_13" in path for path, *_ in office.log) == 1


def test_a_missing_file_is_told_with_what_to_do_and_may_be_left_out(office, tmp_path):
    del office.files[next(p for p in office.files if "ESTABLECIMIENTO" in p)]
    with pytest.raises(DataError) as fault:
        bring(office, tmp_path)
    for words in ("dice que no existe (respuesta 404)", "que no se ha verificado, en [sources.unidades] de fuentes.toml",
                  "clues_gobmx.html", str(tmp_path / "national/ESTABLECIMIENTO_SALUD_202608.xlsx"), "use = false"):
        assert words in str(fault.value)
    assert not (tmp_path / "hidalgo/hidalgo.toml").exists()
    region_file, _ = bring(office, tmp_path, sources=without(tmp_path, "unidades"))
    assert load_region_file(region_file).units is None


def test_files_put_by_hand_need_no_server(office, bodies, tmp_path):
    for folder, names in {"hidalgo": ["iter_13_cpv2020_csv.zip", "e13_cem_r15_v4_tif.zip"],
                          "national": ["ESTABLECIMIENTO_SALUD_202608.xlsx", "mexico-latest.osm.pbf", "IRS_ent_mun_2000_2020.zip"]}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_bytes(bodies[name])
    (tmp_path / "hidalgo/marco_13_2020.zip").write_bytes(bodies["13_hidalgo.zip"])
    with zipfile.ZipFile(io.BytesIO(bodies["IRS_loc_2000_2020.zip"])) as archive:
        archive.extractall(tmp_path / "national")  # the workbook alone, without its zip
    region_file, told = bring(office, tmp_path)
    assert office.log == []
    assert sum("puesto a mano" in line for line in told) == 7
    load_region_file(region_file)
    assert bring(office, tmp_path)[0] == region_file
    entry = json.loads((tmp_path / "national/descargas.json").read_text(encoding="utf-8"))["archivos"]["IRS_localidades_2020.xlsx"]
    assert entry["desde"] == "puesto a mano"


def test_a_wrong_file_put_by_hand_or_changed_later_is_refused(office, tmp_path):
    (tmp_path / "hidalgo").mkdir()
    census = tmp_path / "hidalgo/iter_13_cpv2020_csv.zip"
    census.write_bytes(b"<html><title>Mantenimiento</title>")
    with pytest.raises(DataError, match="es una página web .«Mantenimiento».*bórrelo"):
        bring(office, tmp_path)
    census.unlink()
    bring(office, tmp_path)
    census.write_bytes(census.read_bytes() + b" ")
    with pytest.raises(DataError, match="cambió desde que se descargó"):
        bring(office, tmp_path)
    census.unlink()
    bring(office, tmp_path)
    (tmp_path / "hidalgo/descargas.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="está dañado; bórrelo"):
        bring(office, tmp_path)


def test_a_declared_digest_holds_for_what_is_there_too(office, tmp_path):
    bring(office, tmp_path)
    name = "iter_13_cpv2020_csv.zip"
    wrong = edited(tmp_path, ("[sources.censo]\n", f'[sources.censo]\nsha256 = {{ "{name}" = "{"0" * 64}" }}\n'))
    with pytest.raises(DataError, match="se declaró 0000"):
        bring(office, tmp_path, sources=wrong)


def test_another_address_or_month_brings_the_file_anew(office, bodies, tmp_path):
    bring(office, tmp_path)
    office.log.clear()
    office.put("/nuevo/iter_13.zip", bodies["iter_13_cpv2020_csv.zip"])
    moved = edited(tmp_path, ("https://www.inegi.org.mx/contenidos/programas/ccpv/2020/datosabiertos/iter/iter_{entidad}_cpv2020_csv.zip",
                              "https://www.inegi.org.mx/nuevo/iter_{entidad}.zip"))
    bring(office, tmp_path, sources=moved)
    assert [path for path, *_ in office.log] == ["/nuevo/iter_13.zip"]
    office.put("/gobi/catalogos/catalogosmaestros/ESTABLECIMIENTO_SALUD_202609.xlsx", bodies["ESTABLECIMIENTO_SALUD_202608.xlsx"])
    region_file, _ = bring(office, tmp_path, sources=moved, month="202609")
    assert load_region_file(region_file).units.files == ("../national/ESTABLECIMIENTO_SALUD_202609.xlsx",)
    with pytest.raises(SettingsError, match="202613"):
        bring(office, tmp_path, month="202613")


def test_a_region_file_that_somebody_edited_stays(office, tmp_path):
    region_file, _ = bring(office, tmp_path)
    mine = region_file.read_text(encoding="utf-8").replace("[terrain]", "[terrain]\ncell_m = 200")
    region_file.write_text(mine, encoding="utf-8")
    _, told = bring(office, tmp_path, roads="ninguna")
    assert region_file.read_text(encoding="utf-8") == mine
    assert "alguien lo editó y se deja como está" in told[-1]
    region_file.unlink()
    bring(office, tmp_path, roads="ninguna")
    assert load_region_file(region_file).roads is None
    bring(office, tmp_path)  # nobody edited this one
    assert load_region_file(region_file).roads is not None


def test_without_roads_the_relief_alone_is_travelled_and_that_is_told(office, tmp_path):
    region_file, told = bring(office, tmp_path, roads="ninguna")
    assert any("nadie viaja en vehículo" in line for line in told)
    assert not any("mexico-latest" in path for path, *_ in office.log)
    region = prepare_region(region_file)
    assert region.roads is None
    with pytest.raises(SettingsError, match="Sin caminos ni relieve no hay con qué viajar"):
        bring(office, tmp_path, sources=without(tmp_path, "relieve"), roads="ninguna")


def test_live_roads_become_a_graph_that_the_region_reads(office, bodies, tmp_path, monkeypatch):
    (tmp_path / "vias.osm.pbf").write_bytes(bodies["mexico-latest.osm.pbf"])
    asked = []

    def answer(place, crs):
        asked.append((place, crs))
        return read_osm(tmp_path / "vias.osm.pbf", crs)

    monkeypatch.setattr(liveroads, "download_osm", answer)  # OpenStreetMap's servers
    region_file, told = bring(office, tmp_path, roads="osmnx")
    assert asked == [("Hidalgo, México", "EPSG:32614")]
    assert any("tardan muchos minutos" in line for line in told)
    written, _ = read_osm(region_file.with_name("caminos_hidalgo.graphml"), "EPSG:32614")
    direct, _ = read_osm(tmp_path / "vias.osm.pbf", "EPSG:32614")
    pd.testing.assert_frame_equal(pd.DataFrame(written.edges.drop(columns="geometry")), pd.DataFrame(direct.edges.drop(columns="geometry")))
    assert prepare_region(region_file).roads is not None
    bring(office, tmp_path, roads="osmnx")
    assert len(asked) == 1


def test_a_mirror_that_is_pythons_own_server(office, tmp_path):
    """It knows no ranges and no etags, and serves a folder laid out as the official paths."""
    kept = tmp_path / "espejo"
    for path in (p for p in office.files if "?" not in p):
        (kept / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (kept / path[1:]).write_bytes(office.files[path].body)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(kept)))
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        base = f"http://127.0.0.1:{served.server_address[1]}"
        inside = edited(tmp_path, ("# mirror = \"http://servidor.interno:8080\"", f'mirror = "{base}/"'),
                        ("[sources.relieve]\n", "[sources.relieve]\nuse = false\n"))
        region_file, _ = bring(office, tmp_path / "raw", sources=inside, mirror=None)
    finally:
        served.shutdown()
        served.server_close()
        thread.join()
    assert office.log == []
    load_region_file(region_file)
    with pytest.raises(DataError, match="no es http ni https"):
        bring(office, tmp_path / "raw", mirror="ftp://servidor")


@pytest.mark.parametrize(("old", "new", "words"), [
    ('kind = "zip"', 'kind = "rar"', "debe ser uno de"),
    ('scope = "state"', 'scop = "state"', "¿quiso decir «scope»?"),
    ("iter_{entidad}_cpv", "iter_{estado}_cpv", "{estado} no se conoce"),
    ('month = "202608"', "", "falta la clave «month»"),
    ('month = "202608"', 'month = "202613"', "solo admite la forma"),
    ('unpack = "IRS_ent.*2020', 'unpack = "IRS_(ent.*2020', "no es una expresión regular"),
    ("[sources.censo]\n", "[sources.censo]\nuse = false\n", "sin el censo no hay región"),
    ("[sources.caminos]\n", "[sources.caminos]\nuse = false\n", "el papel roads.osm"),
    ('role = "deprivation.localities"', 'role = "deprivation.municipalities"', "dos fuentes en uso con el papel"),
    ('file = "iter_{entidad}', 'file = "../iter_{entidad}', "solo admite la forma"),
    ("[sources.caminos]", "[sources.caminos", "no es TOML válido"),
])
def test_faults_of_the_file_of_addresses_are_told(tmp_path, old, new, words):
    with pytest.raises(SettingsError) as fault:
        fetch("13", tmp_path, edited(tmp_path, (old, new)), progress=lambda _: None)
    assert words in str(fault.value)
    assert "fuentes.toml" in str(fault.value)


def test_states_are_known_by_code_and_name():
    assert len(STATES) == 32
    said = ("13", "Hidalgo", "HIDALGO", "9", "cdmx", "Querétaro", "queretaro", "México", "Estado de México", "coahuila de zaragoza",
            "Veracruz", " nuevo  leon ")
    assert [find_state(s).code for s in said] == ["13", "13", "13", "09", "09", "22", "22", "15", "15", "05", "30", "19"]
    assert len({s.slug for s in STATES}) == 32
    for wrong, words in (("Hidlgo", "¿Quiso decir Hidalgo (13)?"), ("San Luis", "San Luis Potosí (24)"), ("33", "01 a 32"), ("", "01 a 32"),
                        ("00", "01 a 32")):
        with pytest.raises(SettingsError) as fault:
            find_state(wrong)
        assert words in str(fault.value)


def test_names_and_codes_are_those_of_the_census(shared):
    """The long names against CONEVAL's own workbook."""
    book = shared / "data/national/IRS_entidades_mpios_2020.xlsx"
    table = pd.read_excel(book, sheet_name="Estados", header=None, dtype=str, engine="calamine")
    rows = table[table[0].fillna("").str.fullmatch(r"\d\d")].iloc[:, :2]
    published = {code: name for code, name in rows.itertuples(index=False) if code != "00"}
    assert {s.code: s.long for s in STATES} == published


def test_the_shipped_addresses_are_of_every_state_and_say_that_nobody_tried_them(tmp_path):
    listed = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))["sources"]
    assert {s["verified"] for s in listed.values()} == {False}
    assert all(s["publisher"] and s["terms"] and s["cutoff"] and s["page"].startswith("http") for s in listed.values())
    for state in STATES:
        found = places(SHIPPED, state, tmp_path, roads="geofabrik", mirror=None, month=None)
        assert len({p.wanted.path for p in found}) == len(listed)
        assert all(p.official == p.wanted.address and p.official.startswith("http") and "{" not in p.official for p in found)
    assert find_state("30").long == "Veracruz de Ignacio de la Llave"
