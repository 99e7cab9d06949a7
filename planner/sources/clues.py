"""CLUES, the catalogue of health units: every published layout to one table where each unit stands once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from planner.checks import flag_findings, join_flags
from planner.errors import DataError
from planner.kinds import Severity
from planner.model import Finding
from planner.schema import UNITS
from planner.sources.files import digits, fold, municipality_code, read_text_table
from planner.sources.inegi import MEXICO

# Our column: the headers (folded, `_` as a space) under which the layouts publish it, best first.
HEADERS: dict[str, tuple[str, ...]] = {
    "clues": ("clues", "clues imb"),
    "institution": ("clave de la institucion", "clave institucion", "institucion"),
    "entity": ("clave de la entidad", "clave entidad", "cve ent"),
    "municipality": ("clave del municipio", "clave municipio", "cve mun"),
    "locality": ("clave de la localidad", "clave localidad", "cve loc"),
    "name": ("nombre de la unidad", "nombre unidad", "nombre"),
    "typology": ("nombre de tipologia", "tipologia"),
    "typology_code": ("clave de tipologia", "cve tipologia"),
    "level": ("nivel atencion", "nivel de atencion", "nivel"),
    "status": ("estatus de operacion", "estatus"),
    "lat": ("latitud", "lat"),
    "lon": ("longitud", "lon"),
    "previous": ("clues ssa", "clues ssa y sme", "clues anterior"),
    "leaving": ("motivo baja",),
    "remarks": ("comentarios de la validacion",),
}
PREFIXES = ("AS BC BS CC CL CM CS CH DF DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS").split()
LEVELS = {"1": 1, "2": 2, "3": 3, "primer nivel": 1, "segundo nivel": 2, "tercer nivel": 3}
NO_LEVEL = ("no aplica", "no especificado", "n/a")
NO_TYPOLOGY = ("", "no especificado", "no aplica")
INSTITUTIONS = ("IMB", "IMO", "SSA")  # of IMS only the programme's own classes count (domain: two bodies share the name)
CATALOGUE = (  # every key of institution that the catalogue is known to use
    "CIJ", "CRO", "DIF", "FGE", "HUN", "IMB", "IMO", "IMS", "IST", "PGR", "PMX", "SCT", "SDN", "SEP", "SMA", "SME", "SMM", "SMP", "SSA")
PROGRAMME = ("UMR", "HR", "CARO", "UMM", "brigada")
SUCCESSORS = {"SSA": "IMB", "IMO": "IMS"}  # who takes over whose units
CODES = {"UMR": "UMR", "HR": "HR", "CARO": "CARO", "UMM": "UMM", "BS_": "brigada", "BS": "brigada"}
TYPOLOGIES = (  # folded typology -> class, the first that matches
    (r"umr\b|unidad medica rural", "UMR"), (r"hr\b|hospital rural", "HR"),
    (r"caro\b|centro de atencion rural obstetrica", "CARO"),
    (r"umm\b|unidad(es)? (medicas? )?movil|caravana|hospital movil", "UMM"), (r"bs_?\b|brigada", "brigada"),
    (r"hospital general", "hospital_general"), (r"hospital (integral|basico comunitario|comunitario)", "hospital_integral"),
    (r"hospital|instituto nacional", "hospital_especializado"), (r".*(especialidades|uneme)", "especialidad"),
    (r".*nucleos? basico|centros? de salud|centros avanzados|unidad medica urbana", "centro_salud"),
    (r"almacen|oficina|laboratorio|casa de salud|otros establecimientos de apoyo", "apoyo"),
)
ROLES = {"UMR": "primer_nivel", "centro_salud": "primer_nivel", "CARO": "primer_nivel", "HR": "hospital", "hospital_general": "hospital",
         "hospital_integral": "hospital", "UMM": "movil", "brigada": "movil"}
MOBILE_NAME = r"(bs|umm)\b|unidad medica movil|brigada|caravana"
FLAGS: dict[str, tuple[Severity, str, str]] = {
    "estatus_en_blanco": ("aviso", "Unidades públicas sin estatus: se toman como en operación", "Confirme cuáles operan."),
    "tipologia_en_blanco": ("aviso", "Unidades públicas sin tipología: IMO de nivel 1 se toma como UMR de un núcleo y de nivel 2 como "
                            "hospital rural (supuesto)", "Agregue un catálogo con NOMBRE DE TIPOLOGIA."),
    "sin_clasificar": ("aviso", "Unidades públicas sin tipología reconocible: no cuentan en la red", "Complete su tipología."),
    "movil_por_nombre": ("aviso", "Unidades que por su nombre parecen móviles o brigadas y cuentan como UMR (supuesto)",
                         "Complete su tipología (UMM o BS_) si no son unidades fijas."),
    "nucleos_supuestos": ("nota", "Unidades de primer nivel cuya tipología no dice sus núcleos: se supone uno (supuesto)", ""),
}
CLOSED, RENAMED, UNPLACED = "no está en operación", "clave anterior de otra unidad", "sin coordenadas"
SWAPPED_MAX, UNUSABLE_MAX = 0.05, 0.5  # beyond these shares the file, not the unit, is wrong


@dataclass(frozen=True, eq=False)
class UnitTables:
    """Units that stand today, and those set aside with the unit that took their place."""

    units: gpd.GeoDataFrame  # schema.UNITS, index clues, points in EPSG:4326
    set_aside: pd.DataFrame  # index clues: name, institution, status, successor (null: none known), reason
    findings: tuple[Finding, ...]


def read_units(paths: Sequence[Path], entity: str, institutions: Sequence[str] | None = None) -> UnitTables:
    """Read the CLUES files of one state; later files fill the gaps of earlier ones, and each unit stands once.

    Closed units, the old code of a unit that changed hands, and units without usable coordinates are set aside.
    `institutions` are those whose units count; by default IMB, IMO, SSA and of IMS the programme's. DataError for a
    file without CLUES or coordinates, a CLUES twice in one file, or exchanged coordinates.
    """
    where = ", ".join(p.name for p in paths)
    raw = _combined([_read(path) for path in paths])
    mine = raw[_entity(raw).fillna(entity) == entity]
    if mine.empty:
        raise DataError(f"{where}: ninguna unidad es de la entidad {entity}; ¿son archivos de otro estado?")
    rows = _classified(mine, entity, institutions)
    reason, successor = _reasons(rows)
    kept = rows[reason.isna()]
    aside = rows.loc[reason.notna(), ["name", "institution", "status"]].assign(successor=successor, reason=reason)
    previous = pd.Series(aside.index, index=aside["successor"]).groupby(level=0).first()
    kept = kept.assign(previous_clues=kept["previous"].fillna(previous.reindex(kept.index)))
    points = gpd.points_from_xy(kept["lon"], kept["lat"], crs=4326)
    units = gpd.GeoDataFrame(kept[UNITS.names()], geometry=points)
    findings = (*_dropped(raw, mine, where), *_aside_findings(aside, where), *flag_findings(kept["flags"], FLAGS, where))
    return UnitTables(units, aside, findings)


def _read(path: Path) -> pd.DataFrame:
    """One file under our column names, indexed by CLUES; coordinates are numbers, both missing where unusable."""
    table = read_text_table(path)
    folded: dict[str, str] = {}
    for header in table.columns:
        folded.setdefault(fold(str(header).replace("_", " ")), header)
    found = {ours: next(folded[h] for h in theirs if h in folded) for ours, theirs in HEADERS.items() if any(h in folded for h in theirs)}
    missing = [HEADERS[n][0].upper() for n in ("clues", "lat", "lon") if n not in found]
    if missing:
        raise DataError(f"{path.name}: faltan columnas del catálogo CLUES ({', '.join(missing)}); trae {', '.join(table.columns[:8])}, …; "
                        "revise que sea la hoja y el archivo correctos.")
    rows = pd.DataFrame({ours: table[header] for ours, header in found.items()})
    rows = rows.assign(clues=rows["clues"].str.upper().fillna("vacía"))
    wrong = rows.loc[~rows["clues"].str.fullmatch(r"[A-Z]{5}\d{6}"), "clues"]
    if len(wrong):
        raise DataError(f"{path.name}: {len(wrong)} claves CLUES mal escritas ({', '.join(wrong[:3])}); son cinco letras y seis dígitos.")
    twice = sorted(rows.loc[rows["clues"].duplicated(), "clues"].unique())
    if twice:
        raise DataError(f"{path.name}: {len(twice)} CLUES repetidas ({', '.join(twice[:3])}); deje una fila por unidad.")
    return _with_coordinates(rows.set_index("clues").sort_index(), path)


def _with_coordinates(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    lat, lon = (pd.to_numeric(rows[c], errors="coerce") for c in ("lat", "lon"))
    given = rows["lat"].notna() & rows["lon"].notna() & ~((lat == 0) & (lon == 0))
    usable = lat.between(*MEXICO["lat"]) & lon.between(*MEXICO["lon"])
    swapped = lon.between(*MEXICO["lat"]) & lat.between(*MEXICO["lon"])
    if swapped.sum() > SWAPPED_MAX * len(rows):
        ids = ", ".join(rows.index[swapped][:3])
        raise DataError(f"{path.name}: latitud y longitud están intercambiadas en {swapped.sum()} de {len(rows)} unidades ({ids}); "
                        "corrija los encabezados.")
    if given.any() and (given & ~usable).sum() > UNUSABLE_MAX * given.sum():
        ids = ", ".join(rows.index[given & ~usable][:3])
        raise DataError(f"{path.name}: {(given & ~usable).sum()} de {len(rows)} coordenadas no son grados dentro de México ({ids}); "
                        "se esperan latitud y longitud en grados.")
    return rows.assign(lat=lat.where(usable), lon=lon.where(usable))


def _combined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All units of all files; a value that an earlier file lacks comes from a later one, coordinates as a pair."""
    rows = tables[0]
    for later in tables[1:]:
        rows = rows.combine_first(later)
    absent = {c: pd.Series(None, rows.index, dtype="str") for c in HEADERS if c not in rows and c != "clues"}
    return rows.assign(**absent).sort_index()


def _entity(rows: pd.DataFrame) -> pd.Series:
    """Entity of each unit: published, else by the two letters of its CLUES; null for letters of no state."""
    letters = {prefix: f"{i:02d}" for i, prefix in enumerate(PREFIXES, 1)}
    return digits(rows["entity"]).str.zfill(2).fillna(rows.index.to_series().str[:2].map(letters))


def _classified(rows: pd.DataFrame, entity: str, institutions: Sequence[str] | None) -> pd.DataFrame:
    """Our columns of schema.UNITS (but `previous_clues`) beside the published ones."""
    ids = rows.index.to_series()
    institution = rows["institution"].str.upper()
    institution = institution.where(_matches(institution, "[A-Z]{3}$"), ids.str[2:5])
    level = _level(rows["level"]).map(LEVELS).astype("Int64")
    typology = _folded(rows["typology"]).fillna("")
    blank = typology.isin(NO_TYPOLOGY)
    published = zip(typology, rows["typology_code"].fillna("").str.upper(), institution, level.fillna(0).astype(int), strict=True)
    classes = [_class(*unit) for unit in published]
    unit_class = pd.Series(classes, rows.index, dtype="str")
    counts = counts_of(institution, unit_class) if institutions is None else institution.isin(institutions)
    role = roles_of(unit_class, counts)
    stated = rows["typology"].str.extract(r"(\d+)\s+N[ÚU]CLEO", flags=re.IGNORECASE)[0].astype(float)
    cores = unit_class.isin(("UMR", "centro_salud", "CARO"))
    municipality = municipality_code(rows["municipality"], entity)
    place = digits(rows["locality"])
    folded = _folded(rows["name"])
    public = institution.isin((*INSTITUTIONS, "IMS") if institutions is None else institutions)
    flags = {
        "estatus_en_blanco": public & rows["status"].isna(), "tipologia_en_blanco": public & blank,
        "sin_clasificar": counts & unit_class.eq("sin_clasificar"),
        "movil_por_nombre": blank & role.eq("primer_nivel") & _matches(folded, MOBILE_NAME),
        "nucleos_supuestos": role.eq("primer_nivel") & stated.isna(),
    }
    return rows.assign(
        name=rows["name"].fillna("Unidad " + ids), institution=institution, level=level, unit_class=unit_class, role=role,
        nuclei=stated.fillna(1).where(cores, 0).astype("int64"), cve_mun=municipality,
        locality=(municipality + place.str.zfill(4)).where(place.str.len() <= 4, place.where(place.str.len() == 9)),
        flags=join_flags(flags, pd.Series(None, rows.index, dtype="str")), folded=folded)


def counts_of(institution: pd.Series, unit_class: pd.Series, institutions: Sequence[str] = (*INSTITUTIONS, "IMS")) -> pd.Series:
    """Whether each unit is of one of the institutions, of IMS only where its class is one of the programme's."""
    return institution.isin(institutions) & (institution.ne("IMS") | unit_class.isin(PROGRAMME))


def roles_of(unit_class: pd.Series, counts: pd.Series) -> pd.Series:
    """What each unit does in the network, by its class; `ninguno` for those that do not count."""
    return pd.Series(unit_class.map(ROLES).where(counts).fillna("ninguno").astype("str"))


def _class(typology: str, code: str, institution: str, level: int) -> str:
    """Class of a unit from its folded typology, or from the programme's own code; blank ones of IMO by their level (assumed)."""
    known = CODES.get(code) or next((kind for rule, kind in TYPOLOGIES if re.match(rule, typology)), "sin_clasificar")
    if institution != "IMO":
        return known
    if typology in NO_TYPOLOGY and known == "sin_clasificar":
        return {1: "UMR", 2: "HR"}.get(level, known)
    return "UMR" if typology.startswith("rural") else known


def _folded(column: pd.Series) -> pd.Series:
    return column.map(fold, na_action="ignore").astype("str")  # all blank, it would be floats


def _reasons(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Why each unit is set aside (null: it stays) and which unit follows it (null: none known)."""
    closed = rows["status"].notna() & _folded(rows["status"]).ne("en operacion")
    stands = rows[~closed]
    published = pd.Series(stands.index, index=stands["previous"].str.upper()).groupby(level=0).first()
    published = published[published.index != published.to_numpy()]
    said = (rows["leaving"].fillna("") + " " + rows["remarks"].fillna("")).map(fold).str.contains("cambio de institucion|transfiere")
    programme = rows["institution"].ne("IMS") | rows["unit_class"].isin(PROGRAMME)
    by_place = _same_place(rows[said | ~closed], rows[~closed & programme])
    links = pd.concat([published, by_place])
    successor = links[~links.index.duplicated()].reindex(rows.index).astype("str")
    reason = pd.Series(None, rows.index, dtype="str")
    reason[rows["lat"].isna()] = UNPLACED
    reason[successor.notna()] = RENAMED
    reason[closed] = CLOSED
    return reason, successor


def _same_place(old: pd.DataFrame, new: pd.DataFrame) -> pd.Series:
    """Old code -> new code where the successor institution has exactly one unit of that name at that point (11 m)."""
    def keys(rows: pd.DataFrame, institution: pd.Series) -> pd.DataFrame:
        return pd.DataFrame({"clues": rows.index, "institution": institution.to_numpy(), "name": rows["folded"].to_numpy(),
                             "lat": rows["lat"].round(4).to_numpy(), "lon": rows["lon"].round(4).to_numpy()}).dropna()
    on = ["institution", "name", "lat", "lon"]
    before = keys(old, old["institution"].map(SUCCESSORS)).drop_duplicates(on, keep=False)
    after = keys(new, new["institution"]).drop_duplicates(on, keep=False)
    pairs = before.merge(after, on=on, suffixes=("_old", "_new"))
    return pairs.set_index("clues_old")["clues_new"]


def _level(column: pd.Series) -> pd.Series:
    return _folded(column).str.replace(r"\.0+$", "", regex=True)


def _matches(text: pd.Series, rule: str) -> pd.Series:
    return text.str.match(rule).fillna(False).astype(bool)


def _dropped(raw: pd.DataFrame, mine: pd.DataFrame, where: str) -> tuple[Finding, ...]:
    levels = _level(mine["level"])
    odd = mine.index[levels.notna() & ~levels.isin([*LEVELS, *NO_LEVEL])]
    return (*Finding.of("otra_entidad", "nota", "Unidades de otra entidad, descartadas", where, raw.index.difference(mine.index)),
            *Finding.of("nivel_desconocido", "aviso", "Unidades con un nivel de atención que no se reconoce", where, odd,
                        "Corrija NIVEL ATENCION en el catálogo."))


def _aside_findings(aside: pd.DataFrame, where: str) -> tuple[Finding, ...]:
    closed, linked = aside["reason"].eq(CLOSED), aside["successor"].notna()
    kinds = ", ".join(f"{n} {k}" for k, n in aside.loc[closed, "institution"].value_counts().sort_index().items())
    ids = aside.index
    return (
        *Finding.of("unidad_cerrada", "nota", f"Unidades que no están en operación ({kinds}), apartadas; "
                    f"{(closed & linked).sum()} tienen sucesora", where, ids[closed]),
        *Finding.of("cerrada_sin_sucesora", "nota", "Unidades cerradas de las que no se sabe qué unidad las sustituyó", where,
                    ids[closed & ~linked], "Si otra unidad tomó su lugar, agregue un archivo con la columna CLUES_SSA."),
        *Finding.of("unidad_gemela", "aviso", "Claves anteriores que siguen abiertas junto a la vigente, apartadas para no contar doble",
                    where, ids[aside["reason"].eq(RENAMED)]),
        *Finding.of("sin_coordenadas", "aviso", "Unidades sin coordenadas utilizables, apartadas", where, ids[aside["reason"].eq(UNPLACED)],
                    "Complete LATITUD y LONGITUD, o agregue un archivo que las traiga."))
