"""One file over a bad connection: what is resumed, what is refused, and that nothing half stands under the final name."""

import hashlib
import io
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import official_server
import osmium
import pytest

from planner.errors import DataError, StorageError
from planner.sources.download import Patience, Wanted, download
from planner.sources.packed import unpack

HASTY = Patience(connect_s=2, read_s=0.3, window_s=0.3, window_bytes=1000, attempts=1, backoff_s=0.01, tell_s=0)
STUBBORN = Patience(connect_s=2, read_s=0.3, window_s=0.3, window_bytes=1000, attempts=3, backoff_s=0.01, tell_s=0)
PATH = "/contenidos/programas/ccpv/2020/datosabiertos/iter/iter_13_cpv2020_csv.zip"
PAGE = b"<!DOCTYPE html><html><head><title>\n Esta liga ya\x1b[31m no existe </title></head><body>Buscar</body></html>"


def packed(seed: int = 0, size: int = 100_000, **members: bytes) -> bytes:
    """A zip that does not shrink, so that it can be cut anywhere."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("datos.csv", np.random.default_rng(seed).bytes(size))
        for name, body in members.items():
            archive.writestr(name, body)
    return sink.getvalue()


BODY = packed()


@pytest.fixture(scope="module")
def office():
    with official_server.opened() as running:
        yield running


@pytest.fixture
def wanted(office, tmp_path):
    office.files.clear()
    office.log.clear()
    return Wanted(office.base + PATH, tmp_path / "iter_13_cpv2020_csv.zip", "zip", 10_000_000, remedy="baje el archivo a mano")


def fails(wanted, patience=HASTY, kind=DataError):
    """The sentence of the fault; nothing stands under the final name."""
    with pytest.raises(kind) as fault:
        download(wanted, patience=patience, progress=lambda _: None)
    assert not wanted.path.exists()
    sentence = str(fault.value)
    assert wanted.path.name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def left(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_a_whole_file_comes_at_once_and_leaves_nothing_beside_it(office, wanted):
    office.put(PATH, BODY)
    told = []
    got = download(wanted, patience=HASTY, progress=told.append)
    assert wanted.path.read_bytes() == BODY
    assert (got.sha256, got.size, got.modified) == (hashlib.sha256(BODY).hexdigest(), len(BODY), "Mon, 02 Mar 2026 10:00:00 GMT")
    assert left(wanted.path.parent) == {wanted.path.name}
    assert office.log == [(PATH, "", "")]
    assert "completo (0.1 MB)" in told[-1]
    assert any("% (" in line for line in told)


@pytest.mark.parametrize("at", [1, 60_000, len(BODY) - 1])
def test_what_was_cut_is_resumed_by_the_next_call(office, wanted, at):
    office.put(PATH, BODY, cuts=[at])
    sentence = fails(wanted)
    assert f"llegaron {at:,} de {len(BODY):,} bytes" in sentence
    assert "repetir la orden lo reanuda" in sentence
    assert left(wanted.path.parent) == {wanted.part.name, wanted.notes.name}
    assert wanted.part.stat().st_size == at
    download(wanted, patience=HASTY, progress=lambda _: None)
    assert wanted.path.read_bytes() == BODY
    assert office.log[1:] == [(PATH, f"bytes={at}-", '"uno"')]
    assert left(wanted.path.parent) == {wanted.path.name}


def test_the_same_call_resumes_as_often_as_its_patience_allows(office, wanted):
    office.put(PATH, BODY, cuts=[40_000, 20_000])
    told = []
    download(wanted, patience=STUBBORN, progress=told.append)
    assert wanted.path.read_bytes() == BODY
    assert [asked for _, asked, _ in office.log] == ["", "bytes=40000-", "bytes=60000-"]
    assert any("se cortó la conexión; nuevo intento" in line for line in told)
    wanted.path.unlink()
    office.put(PATH, BODY, cuts=[100, 100, 100])
    assert "llegaron 300 de" in fails(wanted, STUBBORN)


def test_attempts_that_bring_a_megabyte_do_not_exhaust_the_patience(office, wanted):
    body = packed(size=7_000_000)
    office.put(PATH, body, cuts=[1_200_000] * 5)
    download(wanted, patience=STUBBORN, progress=lambda _: None)
    assert wanted.path.read_bytes() == body


def test_a_process_killed_in_the_middle_leaves_a_part_that_is_resumed(office, wanted):
    office.put(PATH, BODY, drip_s=0.00001)
    script = ("import sys; from pathlib import Path; from planner.sources.download import *\n"
              "download(Wanted(sys.argv[1], Path(sys.argv[2]), 'zip', 10**7), patience=Patience(), progress=lambda _: None)")
    child = subprocess.Popen([sys.executable, "-c", script, wanted.address, str(wanted.path)])
    end = time.monotonic() + 20
    while not (wanted.part.exists() and wanted.part.stat().st_size > 100) and time.monotonic() < end:
        time.sleep(0.005)
    child.kill()
    child.wait()
    have = wanted.part.stat().st_size
    assert 100 < have < len(BODY)
    assert not wanted.path.exists()
    office.put(PATH, BODY)
    download(wanted, patience=HASTY, progress=lambda _: None)
    assert wanted.path.read_bytes() == BODY
    assert office.log[-1][1] == f"bytes={have}-"


def test_the_folder_is_made_and_a_file_in_its_place_is_told(office, wanted, tmp_path):
    office.put(PATH, BODY, tells_length=False)
    deep = Wanted(wanted.address, tmp_path / "estado/nuevo/x.zip", "zip", 10_000_000)
    download(deep, patience=HASTY, progress=lambda _: None)
    assert deep.path.read_bytes() == BODY
    (tmp_path / "archivo").write_bytes(b"")
    with pytest.raises(StorageError, match="No se puede escribir .*archivo"):
        download(Wanted(wanted.address, tmp_path / "archivo/x.zip", "zip", 10_000_000), patience=HASTY, progress=lambda _: None)


def test_a_part_that_is_whole_is_not_asked_for_again(office, wanted):
    office.put(PATH, BODY, cuts=[60_000])
    fails(wanted)
    wanted.part.write_bytes(BODY)
    download(wanted, patience=HASTY, progress=lambda _: None)
    assert wanted.path.read_bytes() == BODY
    assert len(office.log) == 1


@pytest.mark.parametrize("server", [
    {"ranges": False},  # gives the whole whatever is asked
    {"etag": '"dos"', "modified": "Tue, 03 Mar 2026 10:00:00 GMT"},  # the file changed
    {"etag": '"dos"', "heeds_if_range": False},  # it changed, and the server does not know If-Range
    {"skew": 10},  # it sends another part than was asked for
])
def test_a_server_that_cannot_resume_or_has_another_file_gives_it_anew(office, wanted, server):
    other = packed(seed=1)
    office.put(PATH, BODY, cuts=[60_000])
    fails(wanted)
    office.put(PATH, other, **server)
    told = []
    download(wanted, patience=HASTY, progress=told.append)
    assert wanted.path.read_bytes() == other
    assert any("se empieza de nuevo" in line for line in told)


def test_a_shorter_file_and_one_without_marks_start_from_nothing(office, wanted):
    office.put(PATH, BODY, cuts=[60_000])
    fails(wanted)
    short = packed(seed=2, size=20_000)
    office.put(PATH, short, heeds_if_range=False)  # answers 416
    download(wanted, patience=HASTY, progress=lambda _: None)
    assert wanted.path.read_bytes() == short
    wanted.path.unlink()
    office.put(PATH, BODY, etag="", modified="", cuts=[60_000])
    assert "lo empieza de nuevo" in fails(wanted)
    office.log.clear()
    download(wanted, patience=HASTY, progress=lambda _: None)
    assert office.log == [(PATH, "", "")]
    assert wanted.path.read_bytes() == BODY


def test_a_part_of_another_address_or_without_readable_notes_is_no_use(office, wanted):
    office.put(PATH, BODY)
    wanted.part.write_bytes(b"algo de otro lado")
    for notes in ('{"address": "http://otro/x.zip", "etag": "\\"uno\\"", "modified": "", "size": null}', "{", "[]", '{"x": 1}'):
        wanted.part.write_bytes(b"algo de otro lado")
        wanted.notes.write_text(notes)
        download(wanted, patience=HASTY, progress=lambda _: None)
        assert wanted.path.read_bytes() == BODY
    assert {asked for _, asked, _ in office.log} == {""}


def test_a_weak_etag_does_not_vouch_for_bytes_but_the_date_does(office, wanted):
    office.put(PATH, BODY, etag='W/"uno"', cuts=[60_000])
    fails(wanted)
    download(wanted, patience=HASTY, progress=lambda _: None)
    assert office.log[-1] == (PATH, "bytes=60000-", "Mon, 02 Mar 2026 10:00:00 GMT")
    assert wanted.path.read_bytes() == BODY


def test_a_trickle_and_a_stall_are_told_within_their_limits(office, wanted):
    office.put(PATH, BODY, drip_s=0.02)
    began = time.monotonic()
    assert "llegan menos de 1,000 bytes en 0.3 s" in fails(wanted)
    office.put(PATH, BODY, drip_s=1.0)
    assert "dejó de contestar" in fails(wanted)
    assert time.monotonic() - began < 4
    assert wanted.part.stat().st_size > 0


def test_a_busy_server_is_asked_again_and_one_that_refuses_is_not(office, wanted):
    office.put(PATH, BODY, statuses=[503, 429])
    download(wanted, patience=STUBBORN, progress=lambda _: None)
    assert len(office.log) == 3
    wanted.path.unlink()
    office.put(PATH, BODY, statuses=[503])
    assert "está ocupado (respuesta 503)" in fails(wanted)
    office.log.clear()
    for status, why in ((403, "lo niega"), (404, "dice que no existe"), (410, "ya no existe"), (418, "no lo da")):
        office.put(PATH, BODY, statuses=[status])
        assert f"{why} (respuesta {status})" in fails(wanted, STUBBORN)
    assert len(office.log) == 4
    assert left(wanted.path.parent) == set()


def test_a_refusal_does_not_cost_what_had_arrived(office, wanted):
    office.put(PATH, BODY, cuts=[60_000])
    fails(wanted)
    office.files[PATH].statuses = [403]
    fails(wanted)
    assert wanted.part.stat().st_size == 60_000


def test_nobody_at_the_address(tmp_path):
    nobody = Wanted("http://127.0.0.1:9/x.zip", tmp_path / "x.zip", "zip", 100, remedy="baje el archivo a mano")
    assert "no hay conexión con 127.0.0.1:9" in fails(nobody)
    assert left(tmp_path) == set()


@pytest.mark.parametrize(("body", "kind", "words"), [
    (PAGE, "zip", "es una página web («Esta liga ya[31m no existe») y no un zip"),
    (b"  <p>Servicio <b>no</b> disponible</p>", "pbf", "(«Servicio no disponible»)"),
    (b"CLUES,NOMBRE\n", "xlsx", "no es un libro de Excel completo"),
    (BODY, "xlsx", "no es un libro de Excel completo"),  # a zip, but no workbook
    (BODY[:-200], "zip", "no es un zip completo"),
    (b"PK", "zip", "no es un zip completo"),
    (b"", "zip", "no es un zip completo"),
    (BODY, "pbf", "no es un extracto de OpenStreetMap"),
])
def test_something_else_than_was_wanted_is_told_and_not_kept(office, wanted, body, kind, words):
    office.put(PATH, body)
    sentence = fails(Wanted(wanted.address, wanted.path, kind, 10_000_000, remedy="baje el archivo a mano"))
    assert words in sentence
    assert "baje el archivo a mano" in sentence
    assert "\x1b" not in sentence
    assert left(wanted.path.parent) == set()


def test_a_true_extract_and_a_true_workbook_are_taken(office, wanted, tmp_path, shared):
    with osmium.SimpleWriter(str(tmp_path / "made.osm.pbf")) as writer:
        writer.add_node(osmium.osm.mutable.Node(id=1, location=(-98.4, 20.1)))
    made = (tmp_path / "made.osm.pbf").read_bytes()
    true = {"pbf": (made, (shared / "data/comoros/raw/osm/comores-latest.osm.pbf").read_bytes()),
            "xlsx": ((shared / "data/national/IRS_entidades_mpios_2020.xlsx").read_bytes(),),
            "zip": ((shared / "data/hidalgo/iter_13_cpv2020_csv.zip").read_bytes(),)}
    for kind, bodies in true.items():
        for body in bodies:
            office.put(PATH, body)
            download(Wanted(wanted.address, wanted.path, kind, 10_000_000), patience=HASTY, progress=lambda _: None)
            assert wanted.path.read_bytes() == body


def test_size_and_digest_that_were_declared_must_hold(office, wanted):
    office.put(PATH, BODY)
    right = hashlib.sha256(BODY).hexdigest()

    def declared(**known):
        return Wanted(wanted.address, wanted.path, "zip", 10_000_000, **known)

    assert f"se declaró {'0' * 64}" in fails(declared(sha256="0" * 64))
    assert f"ofrece {len(BODY):,} bytes y se declararon 5" in fails(declared(size=5))
    office.files[PATH].tells_length = False
    assert f"mide {len(BODY):,} bytes y se declararon 5" in fails(declared(size=5))
    assert left(wanted.path.parent) == set()
    download(declared(size=len(BODY), sha256=right), patience=HASTY, progress=lambda _: None)
    assert wanted.path.read_bytes() == BODY


def test_fewer_bytes_than_the_server_announced_are_no_file(office, wanted):
    office.put(PATH, BODY, length=len(BODY) + 10)
    assert f"llegaron {len(BODY):,} de {len(BODY) + 10:,} bytes" in fails(wanted)


def test_a_file_beyond_its_limit_or_the_disk_is_refused(office, wanted):
    def limited(limit):
        return Wanted(wanted.address, wanted.path, "zip", limit)

    office.put(PATH, BODY)
    assert "más de lo esperado" in fails(limited(50_000))
    office.files[PATH].tells_length = False
    assert "más de lo esperado" in fails(limited(50_000))
    assert left(wanted.path.parent) == set()
    office.put(PATH, BODY, length=10**18)
    assert "de espacio en disco" in fails(limited(10**19), kind=StorageError)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_is_one_sentence(office, wanted):
    office.put(PATH, BODY)
    wanted.part.symlink_to("/dev/full")
    assert "disco lleno" in fails(wanted, kind=StorageError)


def test_only_the_web_is_followed(office, wanted):
    for place, words in (("file:///etc/passwd", "no se acepta"), ("ftp://127.0.0.1/x.zip", "no se acepta")):
        office.put(PATH, b"", location=place)
        with pytest.raises(DataError, match=words):
            download(wanted, patience=HASTY, progress=lambda _: None)
    office.put(PATH, b"", location=PATH)
    assert "no lleva a ningún archivo" in fails(wanted)
    office.put("/nueva.zip", BODY)
    office.put(PATH, b"", location="/nueva.zip")
    download(wanted, patience=HASTY, progress=lambda _: None)
    assert wanted.path.read_bytes() == BODY
    for address in ("file:///etc/passwd", "ftp://x/y.zip", "iter.zip", "http://"):
        with pytest.raises(DataError, match="no es http ni https"):
            download(Wanted(address, wanted.path, "zip", 100), patience=HASTY, progress=lambda _: None)


# -- zips ------------------------------------------------------------------------------------------------------------

def zipped(folder: Path, *entries: tuple[str, bytes], compression=zipfile.ZIP_DEFLATED, mode: int = 0) -> Path:
    path = folder / "IRS_loc_2000_2020.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, body in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr = compression, mode << 16
            archive.writestr(info, body)
    return path


def refused(path: Path, pattern: str = r"IRS_loc.*2020\.xlsx") -> str:
    with pytest.raises(DataError) as fault:
        unpack(path, pattern, "sáquelo a mano")
    assert left(path.parent) == {path.name}
    return str(fault.value)


def test_the_wanted_workbook_is_found_by_its_name_in_any_folder(tmp_path):
    path = zipped(tmp_path, ("IRS 2000-2020/IRS_localidades_2015.xlsx", b"viejo"), ("IRS 2000-2020/irs_LOCALIDADES_2020.xlsx", b"nuevo"),
                  ("__MACOSX/IRS_loc_2020.xlsx", b"basura"))
    assert unpack(path, r"IRS_loc.*2020\.xlsx", "").read_bytes() == b"nuevo"
    assert left(tmp_path) == {path.name, "irs_LOCALIDADES_2020.xlsx"}


def test_a_shapefile_comes_with_its_companions_alone(tmp_path):
    path = zipped(tmp_path, *((f"13_hidalgo/conjunto_de_datos/13{what}", what.encode()) for what in (
        "mun.shp", "mun.dbf", "mun.shx", "mun.prj", "mun.cpg", "ent.shp", "ent.dbf")), ("otra/13mun.dbf", b"ajeno"))
    assert unpack(path, r"13mun\.shp", "").name == "13mun.shp"
    assert left(tmp_path) == {path.name, *(f"13mun.{s}" for s in ("shp", "dbf", "shx", "prj", "cpg"))}
    assert (tmp_path / "13mun.dbf").read_bytes() == b"mun.dbf"


@pytest.mark.parametrize("trick", ["../IRS_loc_2020.xlsx", "/etc/IRS_loc_2020.xlsx", "a/../../IRS_loc_2020.xlsx", "C:\\IRS_loc_2020.xlsx",
                                   "..\\IRS_loc_2020.xlsx", "../ajeno.txt"])
def test_a_zip_that_points_outside_its_folder_is_refused_whole(tmp_path, trick):
    inner = tmp_path / "dentro"
    inner.mkdir()
    assert "sale de su carpeta" in refused(zipped(inner, (trick, b"x"), ("IRS_loc_b_2020.xlsx", b"x")))
    assert left(tmp_path) == {"dentro"}


def test_a_link_in_a_zip_is_refused(tmp_path):
    assert "sale de su carpeta" in refused(zipped(tmp_path, ("IRS_loc_2020.xlsx", b"/etc/passwd"), mode=0o120777))


def test_a_zip_bomb_is_refused_before_it_opens(tmp_path):
    path = zipped(tmp_path, ("IRS_loc_2020.xlsx", bytes(30_000_000)))
    assert path.stat().st_size < 40_000
    assert "ocuparía 30 MB" in refused(path)


def test_a_zip_without_the_file_or_with_two_tells_what_it_has(tmp_path):
    assert "no trae ningún archivo con nombre como" in refused(zipped(tmp_path, ("leeme.txt", b"x"), ("a/Base_2020.xlsx", b"x")))
    assert "(trae Base_2020.xlsx, leeme.txt)" in refused(zipped(tmp_path, ("leeme.txt", b"x"), ("a/Base_2020.xlsx", b"x")))
    assert "trae 2 archivos" in refused(zipped(tmp_path, ("a/IRS_loc_2020.xlsx", b"x"), ("b/IRS_loc_2020.xlsx", b"x")))


def test_a_broken_or_locked_zip_leaves_nothing(tmp_path):
    path = zipped(tmp_path, ("IRS_loc_2020.xlsx", b"contenido" * 100), compression=zipfile.ZIP_STORED)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"contenido", b"cambiado.", 1))
    assert "está dañado" in refused(path)
    path.write_bytes(whole[:-30])
    assert "está dañado" in refused(path)
    locked = bytearray(whole)
    locked[6] |= 1
    locked[whole.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(locked)
    assert "tiene contraseña" in refused(path)
