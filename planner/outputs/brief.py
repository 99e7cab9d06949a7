"""informe.html: what a director needs of a run on one printed page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from planner.kinds import GRADES
from planner.outputs import charts
from planner.outputs.chartmaps import draw, score_panel
from planner.outputs.report import Report
from planner.outputs.tables import ROWS, setting_told
from planner.outputs.webpage import amount, drawing, heading, number, one_line, page, picture, shortened, table, text
from planner.words import BY_MODE, KINDS, KINDS_PLURAL

_MODES: dict[str, str] = {str(mode): words for mode, words in BY_MODE.items()}
_ROWS = ("dentro_30", "dentro_60", "hospital_120", "p90_min", "personas_equiv", "brecha_ponderada", "con_servicio",
         "cubierta_sin_capacidad", "sin_cobertura", "localidades_sin_servicio")
_ASSUMED = ("season", "mode_first_level", "reach_first_level_min", "reach_hospital_min", "people", "capacity_people_per_nucleo",
            "utilisation", "rain_unpaved_factor", "cost_umr_annual_mxn", "cost_nucleo_annual_mxn", "cost_umm_annual_mxn",
            "price_year")
_PROPOSALS, _REASON, _NAME, _FILES = 4, 120, 44, 12
_DIRT = "unpaved_max_kmh", "unpaved_cap_kmh"  # of a raster of speeds, of vector roads


def brief_files(report: Report) -> dict[str, bytes]:
    """informe.html: a page of letter size, whole in itself; every figure of indicadores.json names its place there."""
    told, layers = report.indicators, report.layers
    outlines = report.run.region.municipalities.geometry
    drawn = draw([score_panel("Puntaje de brecha con el plan", layers["localidades"], layers["propuestas"], plan=True)],
                 outlines[outlines.notna() & ~outlines.is_empty], size=(4.0, 3.5))
    body = f"""{heading(report, 'Informe para decidir')}
<p><b>{_answer(told)}</b></p>
<div class='lado'><div>{picture(charts.png(drawn, 170), 'Mapa de localidades por puntaje de brecha con el plan y propuestas')}
{drawing(charts.svg(_curve(told)), 'Qué cierra el plan')}</div>
<div><h2>Qué cambia</h2>{_changes(told)}<h2>Qué se compra</h2>{_bought(told)}
<h2>Equidad</h2>{_equity(told)}</div></div>
<h2>Propuestas que más cierran</h2>{_proposals(report)}
<h2>Supuestos que más pesan</h2>{_assumptions(report)}
<h2>De dónde sale</h2>{_sources(report)}"""
    return {"informe.html": page(f"Informe: {report.run.region.name}, {report.run.scenario.name}", body)}


def _answer(told: Mapping[str, Any]) -> str:
    lack = (f"De {number(told, ('total', 'actual', 'poblacion'))} personas objetivo, hoy falta atención equivalente a la de "
            f"{number(told, ('total', 'actual', 'personas_equiv'))}.")
    if not told["plan"]["numero"]:
        return f"{lack} Con este presupuesto y estas intervenciones no se propone nada."
    return (f"{lack} Con {number(told, ('plan', 'numero'))} intervenciones por "
            f"{number(told, ('plan', 'costo_anual'), 1, 1e-6, ' M')} de pesos al año bajaría a "
            f"{number(told, ('total', 'plan', 'personas_equiv'))}.")


def _curve(told: Mapping[str, Any]) -> Any:
    if "curva" in told:
        return charts.budget_curve(told["curva"]["puntos"], (4.0, 1.6))
    kinds = told["plan"]["por_tipo"]
    return charts.closed_by_kind(kinds, (4.0, 1.5)) if kinds else charts.gap_by_grade(told["por_grado"], (4.0, 1.9))


def _changes(told: Mapping[str, Any]) -> str:
    words = {key: (name, unit) for key, name, unit in ROWS}
    rows = []
    for key in _ROWS:
        now, then = (told["total"][when][key] for when in ("actual", "plan"))
        digits = 1 if words[key][1] == "min" else 0
        change = None if now is None or then is None else then - now
        rows.append((text(words[key][0]), *(number(told, ("total", when, key), digits) for when in ("actual", "plan")),
                     amount(change, digits, signed=True)))
    full = told["unidades_saturadas"]
    rows.append(("Unidades saturadas", number(told, ("unidades_saturadas", "actual")), number(told, ("unidades_saturadas", "plan")),
                 amount(full["plan"] - full["actual"], signed=True)))
    return table(("Personas, salvo que se diga otra cosa", "Hoy", "Con el plan", "Cambio"), rows, (1, 2, 3))


def _bought(told: Mapping[str, Any]) -> str:
    plan = told["plan"]
    rows = [(KINDS_PLURAL[kind], *_costs(told, ("plan", "por_tipo", kind))) for kind in KINDS_PLURAL if kind in plan["por_tipo"]]
    rows.append(("<b>Total</b>", *_costs(told, ("plan",))))
    bound = (f"<p class='chico'>Presupuesto {number(told, ('plan', 'presupuesto_anual'), 1, 1e-6, ' M')} al año. Ningún plan con estas "
             f"opciones pasa de {number(told, ('plan', 'cota_superior'), 2 if plan['cota_superior'] < 10 else 0)}; ni con otras rutas, de "
             f"{number(told, ('plan', 'cota_cualquier_ruta'), 2 if plan['cota_cualquier_ruta'] < 10 else 0)}. "
             f"{text(plan['estado'].capitalize())}, {text(plan['metodo'])}.</p>")
    return table(("Intervención", "Cuántas", "M/año", "Inversión, M", "Personas", "Cierra"), rows, (1, 2, 3, 4, 5)) + bound


def _costs(told: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
    return (number(told, (*path, "numero")), number(told, (*path, "costo_anual"), 1, 1e-6),
            number(told, (*path, "costo_inversion"), 1, 1e-6), number(told, (*path, "personas")),
            number(told, (*path, "brecha_ponderada_cerrada")))


def _equity(told: Mapping[str, Any]) -> str:
    rows = [(text(grade), *(number(told, ("por_grado", grade, when, key)) for when, key in (
        ("actual", "poblacion"), ("actual", "personas_equiv"), ("plan", "personas_equiv"))))
        for grade in GRADES if told["por_grado"][grade]["actual"]["poblacion"] > 0]
    index, palma = (" → ".join(number(told, (key, when), 3) for when in ("actual", "plan"))
                    for key in ("indice_concentracion", "razon_palma"))
    return table(("Grado de rezago", "Personas", "Sin acceso*, hoy", "Con el plan"), rows, (1, 2, 3)) + (
        f"<p class='chico'>* Equivalentes: personas por la parte de la atención que les falta. Índice de concentración del acceso {index} "
        f"(arriba de 0: tienen más los menos rezagados); acceso del 10 % menos rezagado entre el del 40 % más rezagado {palma}.</p>")


def _proposals(report: Report) -> str:
    seats = report.layers["propuestas"].sort_values("brecha_ponderada_cerrada", ascending=False, kind="stable").head(_PROPOSALS)
    rows = [(one_line(KINDS[row["tipo"]]), text(shortened(row["nombre"], _NAME)), amount(row["costo_anual"] / 1e6, 1),
             amount(row["personas"]),
             amount(row["brecha_ponderada_cerrada"]), text(shortened(row["motivo"], _REASON))) for row in seats.to_dict("records")]
    if not rows:
        return "<p>Ninguna.</p>"
    return table(("Tipo", "Dónde", "M/año", "Personas", "Cierra", "Por qué"), rows, (2, 3, 4))


def _assumptions(report: Report) -> str:
    known = {row["clave"]: row for row in report.about["supuestos"]}
    rows = []
    for key in (*_ASSUMED, _DIRT[report.run.region.roads is not None]):
        row = known[key]
        value = _MODES.get(row["valor"]) or setting_told(row["valor"], row["unidad"]).replace("_", " ")
        rows.append((text(row["significado"]), one_line(f"{value} {row['unidad']}"), text(row["marca"])))
    half = (len(rows) + 1) // 2
    halves = "".join(f"<div>{table(('Qué', 'Valor', 'Marca'), part)}</div>" for part in (rows[:half], rows[half:]))
    return f"<div class='lado'>{halves}</div>" + (
        "<p class='chico'>Lo que se supone de la velocidad en terracería decide buena parte del resultado: véase junto a lluvias.</p>")


def _sources(report: Report) -> str:
    cuts = {PurePosixPath(f.name).stem if f.role.startswith("boundaries") else PurePosixPath(f.name).name: f.cutoff
            for f in report.run.region.inputs}  # a shapefile is one source
    files = "; ".join(f"{text(shortened(name, _NAME))}{f' ({text(cut)})' if cut else ''}" for name, cut in [*cuts.items()][:_FILES])
    files += f"; y {len(cuts) - _FILES} más" if len(cuts) > _FILES else ""
    return (f"<p class='chico'>Archivos (fecha de corte): {files}. Huella de los datos preparados "
            f"{text(str(report.about['region_sha256'])[:16])}, corrida {text(report.about['corrida'])}, planificador "
            f"{text(report.about['planner'])}; la huella SHA-256 de cada archivo y todo lo demás, en manifest.json, junto a este informe. "
            f"Fuentes y licencias: fuentes.csv. Estar cubierto es tener cerca una unidad con lugar, no haber sido atendido.</p>")
