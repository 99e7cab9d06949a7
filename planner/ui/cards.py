"""What is known of one place, in words: every part of a locality's score, a unit's load, a proposal's reason."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd

from planner.outputs.report import Report
from planner.scenarios import Run
from planner.schema import COMMUNITY
from planner.ui.state import Chosen
from planner.ui.words import count, decimal, facts, flags, known, minutes, money, sentence
from planner.words import CLASSES, KINDS, MODES, ROLES

LAYERS = {"localidad": "localidades", "unidad": "unidades", "propuesta": "propuestas"}
_EMPTY = ("Elija un lugar en el mapa o búsquelo por nombre o clave: aquí verá de qué se compone su puntaje, "
          "qué unidad le toca y qué propone el plan.")


def card(found: Report, chosen: Chosen | None) -> str:
    """HTML of the card of what is chosen; every text of the data is escaped."""
    if chosen is None:
        return facts("Ficha", {}, (_EMPTY,))
    make = {"localidad": _locality, "unidad": _unit, "propuesta": _proposal}[chosen.kind]
    return make(found, chosen.id)


def _locality(found: Report, cvegeo: str) -> str:
    run = found.run
    row = run.outcome.localities.loc[cvegeo]
    who = {"Clave": cvegeo, "Municipio": str(row["municipality"]),
           "Distrito": str(row["district"]) if known(row["district"]) else "sin dato", "Población total": count(row["population"]),
           "Población objetivo (N)": count(row["people"]) + (" (proporción municipal)" if row["uninsured_imputed"] else ""),
           "En hogares indígenas": count(row["indigenous"]) + (" (proporción municipal)" if row["groups_imputed"] else ""),
           "Grado de rezago": _grade(row)}
    states = {"Con servicio": count(row["served"], "personas"), "Cubierta sin capacidad": count(row["covered_unserved"], "personas"),
              "Sin cobertura": count(row["uncovered"], "personas")}
    plan = {"Puntaje con el plan": decimal(row["score_plan"], 1), "Personas equivalentes con el plan": count(row["equivalent_people_plan"]),
            "Intervención": str(row["intervention"]) if known(row["intervention"]) else "ninguna"}
    return "".join((
        facts(str(row["name"]), who, (flags(row["flags"]),)),
        facts(f"Puntaje de brecha: {decimal(row['score'], 1)} de 100", {}, (_why(run, cvegeo),)),
        facts("De qué se compone", _score(run, row)),
        facts("Quién le toca hoy", _shares(run, cvegeo)), _community(run, cvegeo), facts("Cobertura por personas", states),
        facts("Con el plan", plan, (sentence(row["reason"]),))))


def _community(run: Run, cvegeo: str) -> str:
    """What the community organises there; empty where the region has no such table."""
    table = run.region.community
    if table is None:
        return ""
    if cvegeo not in table.index:
        return facts("Organización comunitaria", {}, ("No está en la tabla: no se sabe qué tiene.",))
    row = table.loc[cvegeo]
    told = {c.label: count(row[c.name]) if c.kind == "int" else str(row[c.name]) if known(row[c.name]) else "no hay, o no se sabe"
            for c in COMMUNITY.columns}
    return facts("Organización comunitaria", told, ("Orienta a las brigadas; no sustituye a una unidad.",))


def _why(run: Run, cvegeo: str) -> str:
    """What keeps a locality from care, in one sentence."""
    s, row, shares = run.scenario, run.outcome.localities.loc[cvegeo], run.access.shares
    if not known(row["score"]):
        return "Sin puntaje: falta su traslado o su grado de rezago; no se toma como cero."
    if not ((shares["cvegeo"] == cvegeo) & (shares["kind"] == "fija")).any():
        causes = ["no le toca ninguna unidad fija"]
    else:
        causes = _far("su unidad", row["assigned_min"], s.ramp_first_level_good_min, s.reach_first_level_min)
        causes += [f"en su unidad cabe el {row['sufficiency']:.0%} de la gente"] * bool(row["sufficiency"] < 1)
    causes += _far("el hospital", row["hospital_min"], s.ramp_hospital_good_min, s.reach_hospital_min)
    return f"Por qué: {', '.join(causes)}." if causes else "Su unidad y su hospital están cerca, y hay lugar."


def _far(what: str, travel: float, good: float, limit: float) -> list[str]:
    if not travel > good:
        return []
    if travel == float("inf"):
        return [f"{what} queda fuera de alcance"]
    return [f"{what} está a {minutes(travel)} (acceso pleno hasta {good:g}, umbral {limit:g})"]


def _score(run: Run, row: pd.Series) -> dict[str, str]:
    """The score from its parts to its end, in the order of the formula."""
    s = run.scenario
    far = 1.0 - row["hospital_access"]
    first, hospital = (f"({MODES[mode].lower()})" for mode in (s.mode_first_level, s.mode_hospital))
    part, rest = s.weight_first_level, 1 - s.weight_first_level
    return {
        "Primer nivel más cercano": f"{minutes(row['first_level_min'])} {first}, {_unit_name(run, row['first_level_clues'])}",
        "Unidad asignada": f"{minutes(row['assigned_min'])}, {_unit_name(run, row['assigned'])}",
        "Suficiencia (sigma)": f"{decimal(row['sufficiency'])} de la población cabe en sus unidades fijas",
        "Acceso efectivo (e)": f"{decimal(row['access'])} = rampa de {s.ramp_first_level_good_min:g} a {s.ramp_first_level_none_min:g} min "
                               "por suficiencia",
        "Visitas móviles (v)": f"{decimal(row['visits_month'], 1)} al mes, que cierran m = {decimal(row['mobile_credit'])}",
        "Brecha de primer nivel": f"{decimal(row['first_level_gap'], 3)} = (1 - e) x (1 - m)",
        "Hospital": f"{minutes(row['hospital_min'])} {hospital}, {_unit_name(run, row['hospital_clues'])}",
        "Acceso al hospital (f2)": f"{decimal(row['hospital_access'])} = rampa de {s.ramp_hospital_good_min:g} a "
                                   f"{s.ramp_hospital_none_min:g} min",
        "Brecha de hospital": f"{decimal(far, 3)} = 1 - f2",
        "Brecha (D)": f"{decimal(row['gap_share'], 3)} = {part:g} de primer nivel + {rest:g} de hospital",
        "Peso de la necesidad (w)": f"{decimal(row['need_weight'])} = 1 + {s.need_lambda:g} x necesidad por rezago",
        "Puntaje": f"{decimal(row['score'], 1)} = 100 x D x w / {1 + s.need_lambda:g}",
        "Personas equivalentes": f"{decimal(row['equivalent_people'], 1)} = N x D",
        "Brecha ponderada": f"{decimal(row['weighted_gap'], 1)} = N x D x w"}


def _shares(run: Run, cvegeo: str) -> dict[str, str]:
    rows = run.access.shares[run.access.shares["cvegeo"] == cvegeo].sort_values(["share", "clues"], ascending=[False, True])
    if rows.empty:
        return {"Nadie": f"ninguna unidad fija a {run.scenario.ramp_first_level_none_min:g} min o menos"}
    return {f"{_unit_name(run, r['clues'])} ({r['clues']})": _share(r) for _, r in rows.iterrows()}


def _share(row: pd.Series) -> str:
    origin = "tabla oficial" if row["origin"] == "oficial" else "por cercanía"
    if row["kind"] == "movil":
        return f"{row['share']:.0%} de la gente, servicio móvil, {origin}: da visitas, no acceso permanente"
    return (f"{row['share']:.0%} de la gente, {origin}; {minutes(row['minutes'])}, rampa {decimal(row['ramp'])}, "
            f"suficiencia de la unidad {decimal(row['rho'])}")


def _unit(found: Report, clues: str) -> str:
    row = found.run.outcome.units.loc[clues]
    what = {"CLUES": clues, "Institución": str(row["institution"]), "Tipo de unidad": CLASSES.get(row["unit_class"], row["unit_class"]),
            "Tipología publicada": str(row["typology"]) if known(row["typology"]) else "sin dato", "Función": ROLES[row["role"]],
            "Estatus": str(row["status"]) if known(row["status"]) else "sin dato", "Núcleos básicos": count(row["nuclei"])}
    load = {"Localidades que le tocan": count(row["localities"]), "Población objetivo": count(row["population"]),
            "Carga": count(row["load"], "personas usuarias al año"), "Capacidad": count(row["capacity"], "personas usuarias al año"),
            "Suficiencia": decimal(row["rho"]) if known(row["rho"]) else "no aplica",
            "Con el plan": f"carga {count(row['load_plan'])}, capacidad {count(row['capacity_plan'])}"}
    return "".join((facts(str(row["name"]), what, (flags(row["flags"]),)), facts("Carga y capacidad", load), _referral(found, clues),
                    _area(found, clues)))


def _referral(found: Report, clues: str) -> str:
    """Where a fixed first-level unit sends its patients; empty for other units."""
    if found.run.region.units.at[clues, "role"] != "primer_nivel":
        return ""
    layer = found.layers["referencias"]
    if clues not in layer.index:
        return facts("Referencia", {}, ("Sin camino conocido a un hospital público.",))
    way = layer.loc[clues]
    told = f"{way['nombre_hospital']}, {minutes(way['minutos'])}, {decimal(way['km'], 1)} km"
    return facts("Referencia", {"Hospital de referencia": told}, (f"El hospital público más cercano ({MODES[way['modo']].lower()}).",))


def _proposal(found: Report, option: str) -> str:
    row = found.layers["propuestas"].loc[option]
    what = {"Propuesta": option, "Tipo": KINDS[row["tipo"]], "Costo anual": money(row["costo_anual"]),
            "Inversión": money(row["costo_inversion"]), "Personas": count(row["personas"]),
            "Brecha ponderada que cierra": count(row["brecha_ponderada_cerrada"])}
    route = route_of(found, Chosen("propuesta", option))
    stops = route[route["elemento"] == "parada"].sort_values("orden")
    calendar = {f"{r['orden']}. {r['nom_loc']}": f"días {r['dias']}; {minutes(r['minutos'])} de camino; {count(r['personas'], 'personas')}"
                + ("; pernocta" if r["pernocta"] else "") for _, r in stops.iterrows()}
    drawn = ("Días de trabajo del mes; el camino es el de la temporada del escenario, desde la base o la parada anterior.",)
    return facts(str(row["nombre"]), what, (sentence(row["motivo"]),)) + (
        facts("Paradas", calendar, drawn) if calendar else _area(found, area_of(found, Chosen("propuesta", option))))


def _area(found: Report, place: str) -> str:
    mine = catchment_of(found, place).sort_values("min_hasta")
    if mine.empty:
        return facts("Área de influencia", {}, ("Se dibuja para las unidades fijas de primer nivel y las UMR propuestas.",))
    bands = {f"De {r['min_desde']:g} a {r['min_hasta']:g} min": f"{decimal(r['superficie_km2'], 1)} km²" for _, r in mine.iterrows()}
    note = f"Terreno para el que es la unidad fija más cercana ({MODES[mine['modo'].iloc[0]].lower()})."
    return facts("Área de influencia", bands, (note,))


def area_of(found: Report, chosen: Chosen) -> str:
    """Whose catchment goes with a choice: the unit's own, the strengthened unit's, the new unit's; none for a locality."""
    if chosen.kind != "propuesta":
        return chosen.id if chosen.kind == "unidad" else ""
    row = found.layers["propuestas"].loc[chosen.id]
    return str(row["clues"]) if row["tipo"] == "nucleo" else chosen.id


def catchment_of(found: Report, place: str) -> gpd.GeoDataFrame:
    """Bands of the catchment of one unit (clues) or proposal (id); empty where it has none."""
    areas = found.layers["areas_influencia"]
    return areas[(areas["clues"] == place) | (areas["propuesta"] == place)]


def route_of(found: Report, chosen: Chosen) -> gpd.GeoDataFrame:
    """Stops and lines of the chosen circuit; empty for anything else."""
    routes = found.layers["rutas"]
    return routes[routes["ruta"] == (chosen.id if chosen.kind == "propuesta" else "")]


def _grade(row: pd.Series) -> str:
    if not known(row["irs_grade"]):
        return "sin dato"
    notes = [f"índice {decimal(row['irs'])}", str(row["irs_origin"]), *(["imputado en parte"] if row["irs_imputed"] else [])]
    return f"{row['irs_grade']} ({', '.join(note for note in notes if note != 'nan')})"


def _unit_name(run: Run, clues: Any) -> str:
    if not known(clues):
        return "ninguna"
    return str(run.region.units["name"].get(clues, clues))
