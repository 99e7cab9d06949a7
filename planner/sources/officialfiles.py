"""The official files of one state: brought, kept on record, and named by a region file ready to prepare."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from planner.errors import DataError, StorageError, reason
from planner.keeping import digest
from planner.regionfile import load_region_file
from planner.sources.addresses import Place, Roads, Role, State, find_state, places
from planner.sources.download import Patience, Tell, download
from planner.sources.liveroads import save_cut_roads, save_live_roads
from planner.sources.packed import content_fault, matching, unpack

RECORD = "descargas.json"
BY_HAND = "puesto a mano"
NO_ROADS = ("Sin caminos: nadie viaja en vehículo. Para contar los viajes en vehículo agregue [roads] (osm, rnc o speed_raster) al archivo "
            "de región, o repita con otra opción de caminos.")


def fetch(entity: str, raw: Path, sources: Path, *, mirror: str | None = None, roads: Roads = "geofabrik", month: str | None = None,
          patience: Patience | None = None, progress: Tell) -> Path:
    """Bring the official files of one state under `raw`, and write there the region file that names them, ready to prepare.

    `entity` is the code or name of a state, `sources` the file of addresses, `mirror` a server that stands for all of
    theirs, `month` (AAAAMM) that of the files published monthly. What is there already and whole is not asked for
    again. SettingsError for an unknown state or a fault of the file of addresses, DataError for what a server sends or
    does not, StorageError on writing.
    """
    state = find_state(entity)
    wanted = places(sources, state, raw, roads=roads, mirror=mirror, month=month)
    files = [(place, _brought(place, patience or Patience(), progress)) for place in wanted]
    folder = raw / state.slug
    census = next(path for place, path in files if place.source.role == "localities.iter")
    parts: list[tuple[Role, Path]] = [(place.source.role, _own_part(place, path, folder, state, census, progress)) for place, path in files]
    if roads == "osmnx":
        parts.append(("roads.osm", _live_roads(folder, state, census, progress)))
    if roads == "ninguna":
        progress(NO_ROADS)
    return _written(folder, state, _region_text(folder, state, parts, _credits(files)), progress)


def _brought(place: Place, patience: Patience, progress: Tell) -> Path:
    """The file that the region names; downloaded, and unpacked, only where it is not there already."""
    found = _there(place)
    if found is not None:
        return _accepted(place, found, progress)
    packed = place.wanted.path
    if place.unpack and _is_current(packed, place):
        _accepted(place, packed, progress)
    else:
        progress(f"{packed.name}: se descarga de {urlsplit(place.wanted.address).netloc}.")
        got = download(place.wanted, patience=patience, progress=progress)
        _note(packed, place, {"desde": place.wanted.address, "sha256": got.sha256, "bytes": got.size, "modificado": got.modified})
    if not place.unpack:
        return packed
    main = unpack(packed, place.unpack, place.wanted.remedy)
    _note(main, place, {"desde": packed.name, "sha256": digest(main), "bytes": main.stat().st_size})
    progress(f"{main.name}: desempacado de {packed.name}.")
    return main


def _there(place: Place) -> Path | None:
    """The file that the region names, if it is in its folder."""
    packed = place.wanted.path
    if not place.unpack:
        return packed if _is_current(packed, place) else None
    found = matching(packed.parent, place.unpack)
    if len(found) > 1:
        raise DataError(f"{packed.parent} tiene {len(found)} archivos con nombre como «{place.unpack}» ({found[0].name}, {found[1].name}); "
                        "deje uno.")
    return found[0] if found and _is_current(found[0], place) else None


def _is_current(path: Path, place: Place) -> bool:
    """Whether the file stands, and comes from today's address or from somebody's hand."""
    noted = _record(path.parent).get(path.name)
    return path.is_file() and (noted is None or noted.get("direccion") == place.official)


def _accepted(place: Place, path: Path, progress: Tell) -> Path:
    """A file that stands, if it still is what was noted; one that somebody put there is checked and noted."""
    noted, sha256 = _record(path.parent).get(path.name), digest(path)
    itself = path == place.wanted.path  # not taken out of it
    if noted and noted.get("sha256") != sha256:
        raise DataError(f"{path} cambió desde que se descargó; bórrelo para descargarlo otra vez, o quite su entrada de {RECORD} para "
                        "usarlo como está.")
    if itself and place.wanted.sha256 not in (None, sha256):
        raise DataError(f"{path} tiene SHA-256 {sha256} y se declaró {place.wanted.sha256}; bórrelo o corrija el archivo de direcciones.")
    if noted is None:
        fault = content_fault(path, place.source.kind) if itself else None
        if fault:
            raise DataError(f"{path} {fault}; bórrelo para descargarlo, o ponga el correcto.")
        noted = _note(path, place, {"desde": BY_HAND, "sha256": sha256, "bytes": path.stat().st_size})
    progress(f"{path.name}: ya está ({BY_HAND})." if noted["desde"] == BY_HAND else f"{path.name}: ya está; no se descarga otra vez.")
    return path


def _own_part(place: Place, path: Path, folder: Path, state: State, census: Path, progress: Tell) -> Path:
    """The file itself, or of the country's roads what lies around the state: preparing the whole country's takes too much memory."""
    if place.source.role != "roads.osm" or place.source.scope == "state":
        return path
    own, whole = folder / f"caminos_{state.slug}.osm.pbf", digest(path)
    noted = _record(folder).get(own.name, {})
    if own.is_file() and noted.get("recorte_de") == whole and noted.get("sha256") == digest(own):
        return own
    progress(f"{own.name}: se recorta de {path.name}; en el extracto del país tarda varios minutos.")
    save_cut_roads(own, path, census, state.code)
    _note(own, place, {"desde": path.name, "recorte_de": whole, "sha256": digest(own), "bytes": own.stat().st_size})
    return own


def _live_roads(folder: Path, state: State, census: Path, progress: Tell) -> Path:
    path = folder / f"caminos_{state.slug}.graphml"
    if path.is_file():
        progress(f"{path.name}: ya está; bórrelo para pedirlo otra vez.")
        return path
    place = f"{'Estado de ' if state.name == 'México' else ''}{state.name}, México"
    progress(f"{path.name}: se piden a OpenStreetMap las vías de «{place}»; las de un estado tardan muchos minutos, y no se reanuda.")
    save_live_roads(path, place, census, state.code)
    _keep(path, {"desde": "OpenStreetMap (osmnx)", "direccion": place, "sha256": digest(path), "bytes": path.stat().st_size,
                 "editor": "Colaboradores de OpenStreetMap", "terminos": "ODbL 1.0", "corte": "el día de la descarga"})
    return path


def _region_text(folder: Path, state: State, parts: list[tuple[Role, Path]], credits: list[str]) -> str:
    """The region file; roles in the order in which they are declared, paths relative to its folder."""
    lines = [f"# {state.name}: archivos oficiales que trajo «planner fetch {state.code}»; rutas relativas a esta carpeta.", *credits, "",
             f"name = {_quoted(state.name)}", f"entity = {_quoted(state.code)}"]
    section = ""
    for role in get_args(Role):
        named = [_quoted(Path(os.path.relpath(path, folder)).as_posix()) for other, path in parts if other == role]
        if not named:
            continue
        heading, key = role.split(".")
        lines += [] if heading == section else ["", f"[{heading}]"]
        lines.append(f"{key} = [{', '.join(named)}]" if role == "units.files" else f"{key} = {named[0]}")
        section = heading
    return "\n".join(lines) + "\n"


def _credits(files: list[tuple[Place, Path]]) -> list[str]:
    told = [f"#   {path.name}: {s.publisher}; corte: {s.cutoff}; {s.terms}" for s, path in ((p.source, path) for p, path in files)]
    return ["# Fuentes (direcciones, fechas y SHA-256 en descargas.json de cada carpeta):", *(" ".join(line.split()) for line in told)]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # what JSON escapes, TOML escapes alike


def _written(folder: Path, state: State, text: str, progress: Tell) -> Path:
    """The region file on disk; one that somebody edited stays as it is."""
    path = folder / f"{state.slug}.toml"
    noted = _record(folder).get(path.name, {}).get("sha256")
    if path.is_file() and digest(path) != noted and path.read_bytes() != text.encode():
        load_region_file(path)
        progress(f"{path.name}: alguien lo editó y se deja como está; bórrelo para escribirlo de nuevo.")
        return path
    _save(path, text)
    load_region_file(path)
    _keep(path, {"desde": "planner fetch", "sha256": digest(path), "bytes": path.stat().st_size})
    progress(f"Archivo de región: {path}")
    return path


def _record(folder: Path) -> dict[str, dict[str, Any]]:
    """What is on record of each file of the folder, by name. DataError if the record cannot be read."""
    path = folder / RECORD
    if not path.is_file():
        return {}
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["archivos"]
        return {str(name): dict(entry) for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DataError(f"{path} está dañado; bórrelo: los archivos que ya están se revisan y se anotan de nuevo.") from None


def _note(path: Path, place: Place, facts: dict[str, Any]) -> dict[str, Any]:
    source = place.source
    return _keep(path, {"direccion": place.official, "editor": source.publisher, "terminos": source.terms, "corte": source.cutoff,
                        "papel": source.role, **facts})


def _keep(path: Path, entry: dict[str, Any]) -> dict[str, Any]:
    """Put a file on record, with today's date."""
    dated = {**entry, "fecha": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    files = {**_record(path.parent), path.name: dated}
    _save(path.parent / RECORD, json.dumps({"archivos": files}, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    return dated


def _save(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(text.encode())
        os.replace(part, path)
    except OSError as fault:
        raise StorageError(f"No se puede escribir {path} ({reason(fault)}); revise permisos y espacio en disco.") from None
