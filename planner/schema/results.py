"""What an answer tells of today and of a plan: access, suggestions, proposals, rounds and areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.columns import Column, Table
from planner.schema.facts import CIRCUIT_KINDS, CLUES, COVERAGE, CVEGEO, KINDS, PEOPLE

C = Column
# Results per locality, today; PLANNED holds the same under the plan but `assigned`.
ACCESS = Table("access", CVEGEO, (
    C("people", "float", "poblacion", "Población objetivo", "Población objetivo N del escenario", PEOPLE, "derivado", low=0),
    C("assigned", "text", "clues_asignada", "Unidad asignada", "Unidad con la mayor parte de la localidad", null=True),
    C("assigned_min", "float", "min_asignada", "Minutos a la asignada", "Minutos a la unidad asignada (nulo: más allá de la búsqueda)",
      "min", "derivado", null=True, low=0),
    C("first_level_min", "float", "min_primer_nivel", "Minutos al primer nivel", "Minutos a la unidad fija de primer nivel más cercana",
      "min", "derivado", null=True, low=0),
    C("first_level_clues", "text", "clues_primer_nivel", "Primer nivel más cercano", "Unidad fija de primer nivel más cercana",
      "", "derivado", null=True),
    C("hospital_min", "float", "min_hospital", "Minutos al hospital", "Minutos al hospital público más cercano", "min",
      "derivado", null=True, low=0),
    C("hospital_clues", "text", "clues_hospital", "Hospital", "Hospital público más cercano", "", "derivado", null=True),
    C("sufficiency", "float", "suficiencia", "Suficiencia", "Parte de la población que cabe en sus unidades fijas (sigma)", "",
      "derivado", low=0, high=1),
    C("access", "float", "acceso_primer_nivel", "Acceso efectivo", "e: acceso al primer nivel, distancia y capacidad (nulo: se desconoce)",
      "", "derivado", null=True, low=0, high=1),
    C("hospital_access", "float", "acceso_hospital", "Acceso al hospital", "f2: rampa de minutos al hospital", "", "derivado",
      null=True, low=0, high=1),
    C("visits_month", "float", "visitas_mes", "Visitas al mes", "Visitas al mes de unidades móviles", "visitas/mes", "derivado", low=0),
    C("mobile_credit", "float", "credito_movil", "Crédito móvil", "m: parte de la brecha de primer nivel que cierran las visitas", "",
      "derivado", low=0, high=1),
    C("first_level_gap", "float", "brecha_primer_nivel", "Brecha de primer nivel", "(1 - e)(1 - m)", "",
      "derivado", null=True, low=0, high=1),
    C("gap_share", "float", "brecha", "Brecha", "D: parte de la atención que falta", "", "derivado", null=True, low=0, high=1),
    C("need_weight", "float", "peso_necesidad", "Peso de la necesidad", "w = 1 + lambda x necesidad", "", "derivado", null=True, low=0),
    C("score", "float", "puntaje_brecha", "Puntaje de brecha", "100 D w / (1 + lambda)", "0-100", "derivado", null=True, low=0, high=100),
    C("equivalent_people", "float", "personas_equiv", "Personas sin acceso efectivo (equivalentes)", "N x D", PEOPLE, "derivado",
      null=True, low=0),
    C("weighted_gap", "float", "brecha_ponderada", "Brecha ponderada", "N x D x w", "personas ponderadas", "derivado", null=True, low=0),
    C("served", "float", "personas_con_servicio", "Con servicio", "Personas con servicio", PEOPLE, "derivado", low=0),
    C("covered_unserved", "float", "personas_sin_capacidad", "Cubierta sin capacidad", "Personas cubiertas sin capacidad",
      PEOPLE, "derivado", low=0),
    C("uncovered", "float", "personas_sin_cobertura", "Sin cobertura", "Personas sin cobertura", PEOPLE, "derivado", low=0),
    C("coverage", "text", "cobertura", "Cobertura", "Estado de la mayoría de las personas", "", "derivado", null=True, values=COVERAGE),
))


def _under_plan(name: str, table: Table, columns: Sequence[str]) -> Table:
    return Table(name, table.key, tuple(
        replace(c, name=f"{c.name}_plan", export=f"{c.export}_plan", label=f"{c.label} (plan)",
                meaning=f"{c.meaning}, con el plan: media de sus personas" if c.name in _MEANS else f"{c.meaning}, con el plan")
        for c in table.columns if c.name in columns))


# Under a plan the people of one locality differ, and a mean of products is not the product of means.
_MEANS = ("access", "sufficiency", "hospital_access", "visits_month", "mobile_credit", "first_level_gap", "gap_share")
PLANNED = _under_plan("access_plan", ACCESS, [n for n in ACCESS.names() if n != "assigned"])

# Minutes to the nearest unit today under every mode, whatever mode the scenario plans with.
BY_MODE = Table("access_by_mode", CVEGEO, tuple(
    C(f"{level}_{mode}_min", "float", f"min_{level}_{mode}", f"Minutos a {level.replace('_', ' ')} ({mode.replace('_', ' ')})",
      f"Minutos a la unidad de {level.replace('_', ' ')} más cercana hoy, modo {mode}", "min", "derivado", null=True, low=0)
    for level in ("primer_nivel", "hospital") for mode in ("a_pie", "vehiculo", "transporte_publico")))

SUGGESTION = Table("suggestion", CVEGEO, (
    C("intervention", "text", "intervencion", "Intervención", "Intervención del plan que atiende a la localidad",
      "", "derivado", null=True),
    C("reason", "text", "motivo", "Motivo", "Por qué se propone o por qué no", "", "derivado", null=True),
))

UNIT_RESULTS = Table("unit_results", CLUES, (
    C("load", "float", "carga", "Carga", "Personas usuarias que le corresponden al año", "personas usuarias", "derivado", low=0),
    C("capacity", "float", "capacidad", "Capacidad", "Personas usuarias que puede atender al año (nulo: sin límite)",
      "personas usuarias", "derivado", null=True, low=0),
    C("rho", "float", "suficiencia", "Suficiencia", "min(1, capacidad / carga); nulo: no es unidad fija",
      "", "derivado", null=True, low=0, high=1),
    C("localities", "int", "localidades", "Localidades", "Localidades de su universo de trabajo", "localidades", "derivado", low=0),
    C("population", "float", "poblacion", "Población objetivo", "Población objetivo de su universo de trabajo",
      PEOPLE, "derivado", low=0),
))

REFERRAL_UNIT = Table("referral_unit", CLUES, (
    C("hospital", "text", "clues_hospital", "Hospital de referencia", "Hospital público más cercano en el modo al hospital; nulo si no hay "
      "camino conocido o la unidad no es de primer nivel fijo", mark="derivado", null=True),
    C("hospital_min", "float", "min_hospital", "Minutos al hospital", "Minutos de la unidad a su hospital de referencia", "min", "derivado",
      null=True, low=0),
))
ABROAD = Table("abroad", CVEGEO, (
    C("abroad", "text", "otra_entidad", "En otra entidad", "Cuáles de sus unidades están en otra entidad; nulo si ninguna, o si se corrió "
      "sin regiones vecinas", mark="derivado", null=True),
))
UNIT_ABROAD = Table("unit_abroad", CLUES, (
    C("abroad", "text", "otra_entidad", "En otra entidad", "Si su hospital de referencia está en otra entidad; nulo si no, o si se corrió "
      "sin regiones vecinas", mark="derivado", null=True),
))
REFERRALS = Table("referrals", CLUES, (
    C("name", "text", "nombre", "Unidad", "Nombre de la unidad que refiere"),
    C("hospital", "text", "clues_hospital", "Hospital de referencia", "Hospital público más cercano en el modo al hospital",
      mark="derivado"),
    C("hospital_name", "text", "nombre_hospital", "Hospital", "Nombre del hospital"),
    C("minutes", "float", "minutos", "Minutos", "Minutos de la unidad al hospital, con la espera del transporte público si la hay", "min",
      "derivado", low=0),
    C("walk_min", "float", "min_a_pie", "A pie", "De ellos, caminando", "min", "derivado", low=0),
    C("drive_min", "float", "min_vehiculo", "En vehículo", "De ellos, en vehículo o transbordador", "min", "derivado", low=0),
    C("km", "float", "km", "Distancia", "Longitud del trazo", "km", "derivado", low=0),
    C("mode", "text", "modo", "Modo", "Modo de traslado al hospital", "", "supuesto", values=("a_pie", "vehiculo", "transporte_publico")),
))
UNIT_PLANNED = _under_plan("unit_results_plan", UNIT_RESULTS, ["load", "capacity", "rho"])

PROPOSALS = Table("proposals", C("id", "text", "id", "Propuesta", "Identificador", "", "derivado"), (
    C("kind", "text", "tipo", "Tipo", ", ".join(KINDS), "", "derivado", values=KINDS),
    C("cvegeo", "text", "cvegeo", "Localidad sede", "Sede de una UMR nueva", "", "derivado", null=True),
    C("clues", "text", "clues", "Unidad", "Unidad que se amplía o recibe CARO o ambulancia, o base de la ruta", "", "derivado", null=True),
    C("name", "text", "nombre", "Nombre", "Nombre de la sede, unidad o base", "", "derivado"),
    C("capital_mxn", "float", "costo_inversion", "Inversión", "Inversión inicial", "MXN", "supuesto", low=0),
    C("annual_mxn", "float", "costo_anual", "Costo anual", "Operación más inversión anualizada", "MXN/año", "supuesto", low=0),
    C("people", "float", "personas", "Personas", "Personas objetivo que atiende en el plan", PEOPLE, "derivado", low=0),
    C("weighted", "float", "brecha_ponderada_cerrada", "Brecha ponderada cerrada", "Brecha ponderada que cierra en el plan",
      "personas ponderadas", "derivado", low=0),
    C("own_people", "float", "personas_propias", "Personas por sí sola", "Personas que atendería si estuviera sola", PEOPLE,
      "derivado", low=0),
    C("incremental_people", "float", "personas_incrementales", "Personas que agrega", "Personas que el plan dejaría de atender sin ella",
      PEOPLE, "derivado", null=True, low=0),
    C("incremental_weighted", "float", "brecha_incremental", "Brecha que agrega", "Lo que el plan dejaría de cerrar sin ella",
      "personas ponderadas", "derivado", null=True, low=0),
    C("year", "float", "anio_despliegue", "Año", "Año de despliegue del plan; no es el mejor plan de cada año", "año",
      "derivado", null=True, low=1),
    C("robustness", "float", "robustez", "Robustez", "Frecuencia con que se elige bajo perturbaciones (nulo: no evaluada)", "",
      "derivado", null=True, low=0, high=1),
    C("robust", "text", "robusta", "Robusta", "Se elige en casi todos los sorteos: sí o no (nulo: no evaluada)", "", "derivado", null=True),
    C("reason", "text", "motivo", "Motivo", "Por qué es factible y qué resuelve", "", "derivado"),
))

_ROUTE = C("route", "text", "ruta", "Ruta", "Propuesta a la que pertenece", "", "derivado")
_TEAM = (
    C("kind", "text", "tipo", "Tipo", ", ".join(CIRCUIT_KINDS), "", "derivado", values=CIRCUIT_KINDS),
    C("clues", "text", "clues", "Base", "Unidad de la que sale el equipo", "", "derivado"),
    C("base", "text", "base", "Nombre de la base", "Nombre de la unidad de la que sale el equipo"),
)
_ENDS = (
    C("from_id", "text", "de", "Sale de", "CLUES o CVEGEO de donde sale", "", "derivado"),
    C("to_id", "text", "a", "Llega a", "CLUES o CVEGEO adonde llega", "", "derivado"),
    C("cvegeo", "text", "cvegeo", "Clave", "Clave geoestadística de la parada (nulo: regreso a la base)", null=True),
    C("locality", "text", "nom_loc", "Localidad", "Localidad de la parada (nulo: regreso a la base)", null=True),
)
_TRIP = C("trip", "int", "salida", "Salida", "Salida de la ronda: de la base hasta que el equipo vuelve a ella", "", "derivado", low=1)
_NIGHT = C("night_out", "bool", "pernocta", "Pernocta", "El equipo duerme adonde llega", "", "derivado")

ROUTES = Table("routes", C("id", "text", "id", "Elemento", "Identificador del tramo o de la parada", "", "derivado"), (
    C("element", "text", "elemento", "Elemento", "tramo (línea: el camino que se recorre, en su sentido) o parada (punto)",
      "", "derivado", values=("tramo", "parada")),
    _ROUTE, *_TEAM, *_ENDS,
    C("name", "text", "nombre", "Nombre", "Base, día y destino, en palabras", "", "derivado"),
    C("order", "int", "orden", "Orden", "Lugar en la ronda: de las paradas entre las paradas, de los tramos entre los tramos",
      "", "derivado", low=1),
    C("day_order", "int", "orden_dia", "Orden en el día", "Lugar del tramo en su día", "", "derivado", low=1),
    _TRIP,
    C("day", "int", "dia", "Día", "Primer día de trabajo del mes en que se recorre o visita", "día", "derivado", low=1),
    C("days", "text", "dias", "Días", "Días de trabajo del mes en que se recorre o visita, separados por coma", "día", "derivado"),
    C("minutes", "float", "minutos", "Minutos", "Minutos del tramo; de una parada, del tramo que llega a ella", "min", "derivado", low=0),
    C("walk_min", "float", "min_a_pie", "A pie", "De ellos, caminando", "min", "derivado", low=0),
    C("drive_min", "float", "min_vehiculo", "En vehículo", "De ellos, en vehículo o transbordador", "min", "derivado", low=0),
    C("km", "float", "km", "Distancia", "Longitud del camino", "km", "derivado", low=0),
    C("stop_min", "float", "min_parada", "Minutos de atención", "Minutos de atención de cada visita (0: regreso a la base)",
      "min", "supuesto", low=0),
    _NIGHT,
    C("visits_month", "float", "visitas_mes", "Visitas al mes", "Visitas al mes a la parada", "visitas/mes", "supuesto", low=0),
    C("people", "float", "personas", "Personas", "Personas objetivo que atiende en la parada (nulo: regreso a la base)", PEOPLE,
      "derivado", null=True, low=0),
))

CALENDAR = Table("calendar", _ROUTE, (
    *_TEAM,
    C("date", "text", "fecha", "Fecha", "Fecha del primer ciclo (AAAA-MM-DD); se repite cada cuatro semanas", "", "supuesto"),
    C("day", "int", "dia_habil", "Día hábil", "Día de trabajo del mes de cuatro semanas", "día", "derivado", low=1),
    C("week", "int", "semana", "Semana", "Semana del mes de cuatro semanas", "semana", "derivado", low=1, high=4),
    C("visit", "int", "visita", "Visita", "Cuál de las visitas del mes", "", "derivado", low=1),
    _TRIP,
    C("order", "int", "orden", "Orden", "Lugar del tramo en su día", "", "derivado", low=1),
    *_ENDS,
    C("leaves", "text", "hora_salida", "Hora de salida", "Hora a la que sale (HH:MM); la jornada empieza a las 08:00", "", "supuesto"),
    C("arrives", "text", "hora_llegada", "Hora de llegada", "Hora a la que llega (HH:MM)", "", "derivado"),
    C("minutes", "float", "minutos", "Minutos", "Minutos del tramo", "min", "derivado", low=0),
    C("stop_min", "float", "minutos_parada", "Minutos de atención", "Minutos de atención en la parada (0: regreso a la base)", "min",
      "supuesto", low=0),
    _NIGHT,
))

CATCHMENTS = Table("catchments", C("id", "text", "id", "Área", "Identificador del área", "", "derivado"), (
    C("origin", "text", "origen", "Origen", "actual: unidad fija de hoy; propuesta: UMR nueva, con el plan",
      "", "derivado", values=("actual", "propuesta")),
    C("clues", "text", "clues", "CLUES", "Unidad de la que es el área", null=True),
    C("proposal", "text", "propuesta", "Propuesta", "Propuesta de la que es el área", "", "derivado", null=True),
    C("name", "text", "nombre", "Nombre", "Nombre de la unidad o de la sede"),
    C("from_min", "float", "min_desde", "Desde", "Minutos desde los que empieza la banda (sin incluirlos; 0 se incluye)",
      "min", "derivado", low=0),
    C("to_min", "float", "min_hasta", "Hasta", "Minutos hasta los que llega la banda (incluidos)", "min", "derivado", low=0),
    C("mode", "text", "modo", "Modo", "Modo de traslado al primer nivel", "", "supuesto",
      values=("a_pie", "vehiculo", "transporte_publico")),
    C("area_km2", "float", "superficie_km2", "Superficie", "Superficie del área", "km2", "derivado", low=0),
))

CREDITS = Table("credits", C("role", "text", "papel", "Papel", "Clave del archivo de región"), (
    C("file", "text", "archivo", "Archivo", "Nombre del archivo de entrada"),
    C("what", "text", "que_dice", "Qué dice", "Qué se toma de él"),
    C("publisher", "text", "fuente", "Fuente", "Quién lo publica"),
    C("terms", "text", "terminos", "Términos", "Licencia o términos de uso"),
    C("attribution", "text", "atribucion", "Atribución", "Cómo se cita"),
    C("cutoff", "text", "fecha_corte", "Fecha de corte", "Fecha a la que corresponde, si el archivo la dice"),
    C("sha256", "text", "sha256", "SHA-256", "Huella del archivo"),
))
