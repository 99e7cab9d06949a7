"""Where official files stand: the editable file of addresses, read for one of the 32 states."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from planner.assumptions import Frozen
from planner.errors import SettingsError
from planner.settings import read_toml, slug, validated
from planner.sources.download import Wanted, check_address
from planner.sources.files import fold
from planner.sources.packed import Kind

NATIONAL = "national"  # the folder, beside those of the states, of files that serve all of them
Roads = Literal["geofabrik", "osmnx", "ninguna"]
Role = Literal["localities.iter", "localities.catalogue", "deprivation.municipalities", "deprivation.localities", "units.files",
               "roads.osm", "roads.rnc", "terrain.dem", "population.raster", "boundaries.municipalities"]
MONTH = r"^20\d\d(0[1-9]|1[0-2])$"
NAMES = (  # by INEGI's code, from 01
    "Aguascalientes", "Baja California", "Baja California Sur", "Campeche", "Coahuila", "Colima", "Chiapas", "Chihuahua",
    "Ciudad de México", "Durango", "Guanajuato", "Guerrero", "Hidalgo", "Jalisco", "México", "Michoacán", "Morelos", "Nayarit",
    "Nuevo León", "Oaxaca", "Puebla", "Querétaro", "Quintana Roo", "San Luis Potosí", "Sinaloa", "Sonora", "Tabasco", "Tamaulipas",
    "Tlaxcala", "Veracruz", "Yucatán", "Zacatecas")
LONG = {"05": "Coahuila de Zaragoza", "16": "Michoacán de Ocampo", "30": "Veracruz de Ignacio de la Llave"}
ALSO = {"estado de mexico": "15", "edomex": "15", "cdmx": "09", "distrito federal": "09"}  # folded


class State(NamedTuple):
    """A state of the country."""

    code: str
    name: str

    @property
    def slug(self) -> str:
        return slug(self.name)

    @property
    def long(self) -> str:
        return LONG.get(self.code, self.name)


STATES = tuple(State(f"{i:02d}", name) for i, name in enumerate(NAMES, 1))


class Source(Frozen):
    """One official file: `{entidad}`, `{nombre}` (the long name, letters alone) and `{mes}` stand for the state and the month."""

    role: Role
    scope: Literal["state", "nation"]
    kind: Kind
    address: str
    file: str = Field(pattern=r"^[^/\\]+$")
    page: str
    publisher: str
    terms: str
    cutoff: str
    verified: bool = False
    use: bool = True
    unpack: str | None = None  # the name, as a regular expression, of what the zip is wanted for
    month: str | None = Field(None, pattern=MONTH)
    other: dict[str, str] = {}  # addresses of the states that do not follow the rule, by code
    sha256: dict[str, str] = {}  # by file name
    size: dict[str, int] = {}  # bytes, by file name
    max_mb: int = Field(2048, ge=1)

    @model_validator(mode="after")
    def _fillable(self) -> Source:
        texts = (self.address, self.file, self.unpack or "", *self.other.values())
        unknown = sorted({n for t in texts for n in re.findall(r"\{([^}\d,][^}]*)\}", t)} - {"entidad", "nombre", "mes"})
        if unknown:
            raise ValueError(f"{{{unknown[0]}}} no se conoce: se admiten {{entidad}}, {{nombre}} y {{mes}}")
        if self.month is None and any("{mes}" in t for t in texts):
            raise ValueError('usa {mes} y falta la clave «month», como "202608"')
        try:
            re.compile(self.unpack or "")
        except re.error:
            raise ValueError("unpack no es una expresión regular") from None
        return self


class Sources(Frozen):
    """The file of addresses: sources by name, and a server that has them all under the same paths."""

    mirror: str | None = None
    sources: dict[str, Source] = Field(min_length=1)


@dataclass(frozen=True)
class Place:
    """A source as it applies to one state."""

    source: Source
    wanted: Wanted
    official: str  # the address without mirror
    unpack: str | None


def find_state(entity: str) -> State:
    """The state of a code or a name; accents and case do not matter. SettingsError tells the nearest name.

    >>> find_state("san luis potosi").code, find_state("7").name
    ('24', 'Chiapas')
    """
    said = fold(entity)
    by_name = {**{fold(s.name): s for s in STATES}, **{fold(s.long): s for s in STATES},
               **{also: STATES[int(code) - 1] for also, code in ALSO.items()}}
    by_code = {s.code: s for s in STATES}
    found = by_name.get(said) or by_code.get(said.zfill(2))
    if found is None:
        near = difflib.get_close_matches(said, by_name, n=1)
        hint = f" ¿Quiso decir {by_name[near[0]].name} ({by_name[near[0]].code})?" if near else ""
        raise SettingsError(f"No hay entidad «{entity}»; escriba su clave (01 a 32) o su nombre, como 13 o Hidalgo.{hint}")
    return found


def places(path: Path, state: State, raw: Path, *, roads: Roads, mirror: str | None, month: str | None) -> list[Place]:
    """The sources in use for a state, each with its address and its place under `raw`.

    Those of roads are in use only with `geofabrik`. SettingsError for a fault of the file of addresses, or if they
    would not make a region; DataError for what is no address.
    """
    listed = validated(Sources, read_toml(path, "direcciones"), f"archivo de direcciones {path.name}")
    mirror = mirror or listed.mirror
    if mirror:
        check_address(mirror)
    if month and not re.fullmatch(MONTH, month):
        raise SettingsError(f"El mes «{month}» no se entiende; escríbalo como 202608 (año y mes).")
    used = {key: s for key, s in listed.sources.items() if s.use and (not s.role.startswith("roads.") or roads == "geofabrik")}
    _check_roles([s.role for s in used.values()], roads, path)
    return [_place(key, source, state, raw, (mirror, month or source.month), path) for key, source in used.items()]


def _check_roles(roles: list[Role], roads: Roads, path: Path) -> None:
    twice = sorted({r for r in roles if roles.count(r) > 1 and r != "units.files"})
    if twice:
        raise SettingsError(f"{path.name}: hay dos fuentes en uso con el papel {twice[0]}; deje una con use = true.")
    if "localities.iter" not in roles:
        raise SettingsError(f"{path.name}: ninguna fuente en uso tiene el papel localities.iter; sin el censo no hay región.")
    if roads == "ninguna" and "terrain.dem" not in roles:
        raise SettingsError("Sin caminos ni relieve no hay con qué viajar; elija otra opción de caminos, o ponga use = true en una fuente "
                            f"con el papel terrain.dem de {path.name}.")
    if roads == "geofabrik" and not {"roads.osm", "roads.rnc"} & set(roles):
        raise SettingsError(f"{path.name}: ninguna fuente en uso tiene el papel roads.osm; ponga use = true en una o elija otra "
                            "opción de caminos.")


def _place(key: str, source: Source, state: State, raw: Path, server: tuple[str | None, str | None], path: Path) -> Place:
    mirror, month = server
    letters = slug(state.long).replace("_", "")

    def filled(text: str) -> str:
        return text.replace("{entidad}", state.code).replace("{nombre}", letters).replace("{mes}", month or "")

    official = filled(source.other.get(state.code, source.address))
    check_address(official)
    parts = urlsplit(official)
    address = official if not mirror else mirror.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")
    target = raw / (state.slug if source.scope == "state" else NATIONAL) / filled(source.file)
    doubt = "" if source.verified else ", que no se ha verificado,"
    remedy = f"revise su dirección{doubt} en [sources.{key}] de {path.name}, o descárguelo a mano de {source.page} y déjelo como {target}"
    optional = "" if source.role == "localities.iter" else "; con use = false se sigue sin él"
    wanted = Wanted(address, target, source.kind, source.max_mb * 1_000_000, source.sha256.get(target.name), source.size.get(target.name),
                    remedy + optional)
    return Place(source, wanted, official, filled(source.unpack) if source.unpack else None)
