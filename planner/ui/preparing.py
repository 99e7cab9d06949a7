"""A region from files that the reader sends: kept as received, checked and prepared in the background."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from planner.errors import DataError, StorageError, reason
from planner.region import prepare_region
from planner.settings import slug
from planner.sources.packed import unpack
from planner.store import write_region
from planner.ui import compute, state
from planner.ui.words import count, plain
from planner.ui.work import Told, ready

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
        _refuse(name, entity, files)
        state.give({_MARK: _store(name, entity, files)})
    folder = state.value_of(_MARK)
    if folder is not None and ready(compute.prepared_here(Path(folder), _prepare)):
        st.success(plain(compute.prepared_here(Path(folder), _prepare).result()))
        st.button("Verla", on_click=state.give, args=({_MARK: None},))


def _refuse(name: str, entity: str, files: Mapping[str, list[Any]]) -> None:
    """DataError for what cannot be a region, before anything is written."""
    everything = [one for given in files.values() for one in given]
    if not slug(name):
        raise DataError("Falta el nombre de la región.")
    if not re.fullmatch(r"\d\d", entity):
        raise DataError("La clave de la entidad son dos cifras, como 13 para Hidalgo.")
    if not files["localities.iter"]:
        raise DataError("Falta el censo (ITER).")
    if not files["roads.osm"] and not files["terrain.dem"]:
        raise DataError("Faltan caminos o relieve: sin ellos no se miden traslados.")
    if len(everything) > _FILES_MAX or sum(one.size for one in everything) > _BYTES_MAX:
        raise DataError(f"Son demasiados archivos o demasiado grandes: a lo más {_FILES_MAX} y {_BYTES_MAX >> 20} MB en total; use "
                        "`planner prepare` para regiones mayores.")
    if (compute.home() / "data/processed" / slug(name)).exists():
        raise DataError(f"Ya hay una región «{slug(name)}»; use otro nombre.")


def _store(name: str, entity: str, files: Mapping[str, list[Any]]) -> str:
    """Write the files as received, and the region file; the folder. A file's own name decides nothing but its last letters."""
    try:
        raw = compute.home() / "data/raw"
        raw.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{slug(name)[:30]}_", dir=raw))
        named: dict[str, list[str]] = {}
        for key, given in files.items():
            for one in given:
                here = folder / _safe(one.name, key)
                here.write_bytes(one.getbuffer())
                named.setdefault(key, []).append(here.name)
        (folder / "region.toml").write_text(_region_file(name, entity, named), encoding="utf-8")
    except OSError as fault:
        raise StorageError(f"No se pueden guardar los archivos ({reason(fault)}); revise permisos y espacio en disco.") from fault
    return str(folder)


def _safe(name: str, key: str) -> str:
    """A name of letters, digits, points and dashes with the ending it came with; the key keeps two files apart.

    >>> _safe("../../etc/pass wd.csv", "units.files"), _safe("C:\\\\x\\\\iter_13.zip", "localities.iter")
    ('units_files_pass_wd.csv', 'localities_iter_iter_13.zip')
    """
    bare = re.split(r"[\\/]", name)[-1]
    return f"{key.replace('.', '_')}_" + re.sub(r"[^A-Za-z0-9.-]+", "_", bare).lstrip(".")[-80:]


def _region_file(name: str, entity: str, named: Mapping[str, list[str]]) -> str:
    plain_name = re.sub(r"[^\w .,-]", "", name)[:_NAME_MAX]
    lines = [f'name = "{plain_name}"', f'entity = "{entity}"']
    for section in dict.fromkeys(key.split(".")[0] for key in named):
        lines.append(f"[{section}]")
        for key, files in named.items():
            if key.startswith(f"{section}."):
                several = _ROLES[key][2]
                listed = ", ".join(f'"{one}"' for one in files)
                lines.append(f"{key.split('.')[1]} = " + (f"[{listed}]" if several else listed))
    return "\n".join(lines) + "\n"


def _prepare(folder: Path, told: Told) -> str:
    """Check, join and store; the files of a region that cannot be prepared are not kept."""
    try:
        told("Abriendo los archivos")
        for packed in folder.glob("boundaries_municipalities_*.zip"):
            shape = unpack(packed, r".*\.shp", "Envíe el shapefile con sus compañeros en un zip.")
            text = (folder / "region.toml").read_text(encoding="utf-8")
            (folder / "region.toml").write_text(text.replace(packed.name, shape.name), encoding="utf-8")
        told("Leyendo y revisando los archivos")
        region = prepare_region(folder / "region.toml")
        told("Guardando la región")
        write_region(region, compute.home() / "data/processed" / region.slug)
    except DataError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return (f"Región {region.name} preparada: {count(len(region.localities))} localidades, {count(len(region.units))} unidades, "
            f"{count(len(region.findings))} avisos.")
