"""A region from files that the reader sends: kept as received, checked and prepared in the background."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from planner.errors import DataError, PlannerError, StorageError, reason
from planner.region import prepare_region
from planner.regionfile import load_region_file
from planner.settings import slug
from planner.sources.packed import content_fault, is_named_so, refuse_unsound, unpack
from planner.store import write_region
from planner.ui import compute, state
from planner.ui.words import count, plain
from planner.ui.work import Cancelled, Told, ready

# key of the region file: label, endings, several, whether it is needed
_ROLES: dict[str, tuple[str, tuple[str, ...], bool, bool]] = {
    "localities.iter": ("Censo: ITER de INEGI (zip o csv)", ("zip", "csv"), False, True),
    "roads.osm": ("Caminos: OpenStreetMap", ("pbf", "osm", "geojson"), False, False),
    "terrain.dem": ("Relieve: modelo de elevación (GeoTIFF, en metros)", ("tif", "tiff"), True, False),
    "units.files": ("Unidades: catálogo CLUES (xlsx o csv)", ("xlsx", "csv"), True, False),
    "deprivation.municipalities": ("Rezago social por municipio: CONEVAL (xlsx)", ("xlsx",), False, False),
    "units.responsibility": ("Unidad responsable de cada localidad (csv)", ("csv",), False, False),
    "boundaries.municipalities": ("Límites municipales (gpkg, geojson o shapefile en zip)", ("gpkg", "geojson", "zip"), False, False),
    "boundaries.districts": ("Distrito de cada municipio (csv)", ("csv",), False, False)}
_CHECKED: dict[str, Literal["zip", "xlsx", "pbf"]] = {"zip": "zip", "xlsx": "xlsx", "pbf": "pbf"}
_REGION = "region.toml"
_MARK = "region-propia"
_NAME_MAX, _FILES_MAX = 60, 12
_BYTES_MAX = 600 << 20  # of all files together


def show_preparing() -> None:
    """The form, and what came of it."""
    with st.form("preparar"):
        first, second = st.columns([2, 1])
        name = first.text_input("Nombre de la región", max_chars=_NAME_MAX, placeholder="Hidalgo")
        entity = second.text_input("Clave de la entidad (INEGI)", max_chars=2, placeholder="13")
        sent = {key: st.file_uploader(label + ("" if needed else " · opcional"), list(endings), accept_multiple_files=several,
                                      key=f"sube-{key}") for key, (label, endings, several, needed) in _ROLES.items()}
        asked = st.form_submit_button("Preparar la región", type="primary")
    st.caption("Hacen falta el censo y, para medir traslados, caminos o relieve. Los archivos se quedan en este equipo.")
    if asked:
        files = {key: [one for one in (given if isinstance(given, list) else [given]) if one is not None] for key, given in sent.items()}
        called = " ".join(name.split())
        _refuse(called, entity, files)
        state.give({_MARK: _store(called, entity, files)})
    folder = state.value_of(_MARK)
    if folder is not None and _prepared(Path(folder)):
        st.success(plain(compute.prepared_here(Path(folder), _prepare).result()))
        st.button("Verla", on_click=state.give, args=({_MARK: None, state.REGION: load_region_file(Path(folder) / _REGION).name},))


def _prepared(folder: Path) -> bool:
    """Whether it is; a region that was refused is told once, since its files are gone."""
    try:
        return ready(compute.prepared_here(folder, _prepare))
    except PlannerError:
        state.give({_MARK: None})
        raise


def _refuse(name: str, entity: str, files: Mapping[str, list[Any]]) -> None:
    """DataError for what cannot be a region, before anything is written."""
    everything = [one for given in files.values() for one in given]
    if not slug(name):
        raise DataError("Falta el nombre de la región: al menos una letra o cifra del alfabeto latino.")
    if len(name) > _NAME_MAX or not name.isprintable():
        raise DataError(f"El nombre de la región va en una línea de a lo más {_NAME_MAX} letras, sin caracteres que no se ven.")
    if not re.fullmatch(r"[0-9]{2}", entity):
        raise DataError("La clave de la entidad son dos cifras, como 13 para Hidalgo.")
    if not files["localities.iter"]:
        raise DataError("Falta el censo (ITER).")
    if not files["roads.osm"] and not files["terrain.dem"]:
        raise DataError("Faltan caminos o relieve: sin ellos no se miden traslados.")
    if len(everything) > _FILES_MAX or sum(one.size for one in everything) > _BYTES_MAX:
        raise DataError(f"Son demasiados archivos o demasiado grandes: a lo más {_FILES_MAX} y {_BYTES_MAX >> 20} MB en total; use "
                        "`planner prepare` para regiones mayores.")
    for key, given in files.items():
        label, endings, several, _ = _ROLES[key]
        if len(given) > 1 and not several:
            raise DataError(f"{label}: envíe un solo archivo.")
        if wrong := [one.name for one in given if _ending(one.name) not in endings]:
            raise DataError(f"{label}: «{_seen(wrong[0])}» no termina en .{' ni en .'.join(endings)}.")
    _refuse_taken(slug(name))


def _refuse_taken(name: str) -> None:
    if (compute.home() / "data/processed" / name).exists():
        raise DataError(f"Ya hay una región «{name}»; use otro nombre.")


def _store(name: str, entity: str, files: Mapping[str, list[Any]]) -> str:
    """Write the files as received, and the region file; the folder. A file's own name decides nothing but its last letters."""
    try:
        raw = compute.home() / "data/raw"
        raw.mkdir(parents=True, exist_ok=True)
        with ExitStack() as half_written:
            folder = Path(tempfile.mkdtemp(prefix=f"{slug(name)[:30]}_", dir=raw))
            half_written.callback(shutil.rmtree, folder, ignore_errors=True)
            named: dict[str, list[str]] = {}
            for key, given in files.items():
                for at, one in enumerate(given, 1):
                    here = folder / _safe(one.name, key, at)
                    here.write_bytes(one.getbuffer())
                    named.setdefault(key, []).append(here.name)
            (folder / _REGION).write_text(_region_file(name, entity, named), encoding="utf-8")
            half_written.pop_all()
    except OSError as fault:
        raise StorageError(f"No se pueden guardar los archivos ({reason(fault)}); revise permisos y espacio en disco.") from fault
    return str(folder)


def _safe(name: str, key: str, at: int = 1) -> str:
    """A name of letters, digits, points and dashes with the ending it came with; key and place in it keep two files apart.

    >>> _safe("../../etc/pass wd.csv", "units.files", 2), _safe("C:\\\\x\\\\iter_13.ZIP", "localities.iter")
    ('units_files_2_pass_wd.csv', 'localities_iter_1_iter_13.zip')
    """
    bare = re.sub(r"[^A-Za-z0-9.-]+", "_", re.split(r"[\\/]", name)[-1].rpartition(".")[0]).lstrip(".")
    return f"{key.replace('.', '_')}_{at}_{bare[-80:]}.{re.sub('[^a-z0-9]', '', _ending(name))[:10]}"


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _seen(name: str) -> str:
    """A file's name as a sentence can hold it."""
    return "".join(letter if letter.isprintable() else "·" for letter in name[-60:])


def _region_file(name: str, entity: str, named: Mapping[str, list[str]]) -> str:
    lines = [f"name = {_quoted(name)}", f"entity = {_quoted(entity)}"]
    for section in dict.fromkeys(key.split(".")[0] for key in named):
        lines.append(f"[{section}]")
        for key, files in named.items():
            if key.startswith(f"{section}."):
                listed = ", ".join(map(_quoted, files))
                lines.append(f"{key.split('.')[1]} = " + (f"[{listed}]" if _ROLES[key][2] else listed))
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Text as TOML writes it: as JSON does, which lets one more character stand.

    >>> _quoted('a"b\\nc')
    '"a\\\\"b\\\\nc"'
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _prepare(folder: Path, told: Told) -> str:
    """Check, join and store; the files of a region that cannot be prepared are not kept, those of one called off are."""
    with ExitStack() as refused:
        refused.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            told("Abriendo los archivos")
            for path in sorted(path for path in folder.iterdir() if path.is_file()):
                _refuse_false(path)
            for packed in list(folder.glob("boundaries_municipalities_*.zip")):
                _unpack(packed)
            told("Leyendo y revisando los archivos")
            region = prepare_region(folder / _REGION)
            told("Guardando la región")
            _refuse_taken(region.slug)
            write_region(region, compute.home() / "data/processed" / region.slug)
        except Cancelled:
            refused.pop_all()
            raise
        except StorageError:
            raise
        except OSError as fault:
            raise StorageError(f"No se pueden leer los archivos ({reason(fault)}); revise permisos y espacio en disco.") from fault
        refused.pop_all()
    return (f"Región {region.name} preparada: {count(len(region.localities))} localidades, {count(len(region.units))} unidades, "
            f"{count(len(region.findings))} avisos.")


def _unpack(packed: Path) -> None:
    """Take the shapefile out of its zip into a folder of its own, under our name: those inside a zip name nothing."""
    inside = packed.with_suffix("")
    inside.mkdir()
    shape = unpack(packed.rename(inside / packed.name), r".*\.shp", "envíe el shapefile con sus compañeros en un zip")
    for part in [part for part in inside.iterdir() if part.stem == shape.stem and part.suffix.lower() != ".zip"]:
        part.rename(inside / f"limites{part.suffix.lower()}")
    _refuse_false(inside / "limites.shp")
    region_file = inside.parent / _REGION
    region_file.write_text(region_file.read_text(encoding="utf-8").replace(packed.name, f"{inside.name}/limites.shp"), encoding="utf-8")


def _refuse_false(path: Path) -> None:
    """DataError for a file that is not what its name says, or that would unpack to more than it could honestly hold."""
    ending = path.suffix[1:]
    with path.open("rb") as source:
        empty = not source.read(1 << 16).strip()
    if empty:
        raise DataError(f"{path.name}: el archivo está vacío; descárguelo otra vez.")
    if ending in _CHECKED and (fault := content_fault(path, _CHECKED[ending])):
        raise DataError(f"{path.name}: {fault}; descárguelo otra vez.")
    if not is_named_so(path):
        raise DataError(f"{path.name}: no es lo que dice su terminación .{ending}; expórtelo o descárguelo otra vez.")
    if ending in ("zip", "xlsx"):
        refuse_unsound(path)
