"""Every table, declared once: column, type, unit, meaning, mark, Spanish export name and screen label.

The exports take their Spanish names from these lines and the data dictionary is printed from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.columns import Column, Table

C = Column
PEOPLE = "personas"
INDICATORS: tuple[tuple[str, str], ...] = (
    ("illiterate", "15 años o más analfabeta"),
    ("not_in_school", "6 a 14 años que no asiste a la escuela"),
    ("basic_incomplete", "15 años o más con educación básica incompleta"),
    ("no_entitlement", "Sin derechohabiencia a servicios de salud"),
    ("dirt_floor", "Viviendas con piso de tierra"),
    ("no_toilet", "Viviendas sin excusado"),
    ("no_piped_water", "Viviendas sin agua entubada de la red"),
    ("no_drainage", "Viviendas sin drenaje"),
    ("no_electricity", "Viviendas sin electricidad"),
    ("no_washer", "Viviendas sin lavadora"),
    ("no_fridge", "Viviendas sin refrigerador"),
)
# Groups that budget annexes report on; each may take the municipal share where the census hides it.
GROUPS: tuple[tuple[str, str, str], ...] = (
    ("indigenous", "pob_indigena", "Población en hogares indígenas"),
    ("indigenous_speakers", "pob_habla_indigena", "Hablantes de lengua indígena (3 años o más)"),
    ("afro", "pob_afromexicana", "Población afromexicana"),
    ("disability", "pob_discapacidad", "Población con discapacidad"),
    ("age_65", "pob_65_mas", "Población de 65 años o más"),
    ("age_0_14", "pob_0_14", "Población de 0 a 14 años"),
    ("age_15_17", "pob_15_17", "Población de 15 a 17 años"),
    ("women_15_49", "mujeres_15_49", "Mujeres de 15 a 49 años"),
)
GRADES = ("Muy bajo", "Bajo", "Medio", "Alto", "Muy alto")
COVERAGE = ("con servicio", "cubierta sin capacidad", "sin cobertura")
KINDS = ("umr", "nucleo", "plaza", "umm", "brigada", "ruta", "caro", "ambulancia")  # of interventions, as model.Kind
CIRCUIT_KINDS = ("umm", "brigada", "ruta")  # those whose teams travel
ROLES = ("primer_nivel", "hospital", "movil", "ninguno")
# What a unit is, from its typology.
CLASSES = ("UMR", "centro_salud", "HR", "hospital_general", "hospital_integral", "hospital_especializado",
           "CARO", "UMM", "brigada", "especialidad", "apoyo", "sin_clasificar")

CVEGEO = C("cvegeo", "text", "cvegeo", "Clave", "Clave geoestadística de la localidad, nueve dígitos (EEMMMLLLL)")
CLUES = C("clues", "text", "clues", "CLUES", "Clave única del establecimiento de salud")
CVE_MUN = C("cve_mun", "text", "cve_mun", "Clave de municipio", "Clave del municipio, cinco dígitos (EEMMM)")

LOCALITIES = Table("localities", CVEGEO, (
    C("entity_name", "text", "nom_ent", "Entidad", "Nombre de la entidad"),
    CVE_MUN,
    C("municipality", "text", "nom_mun", "Municipio", "Nombre del municipio"),
    C("name", "text", "nom_loc", "Localidad", "Nombre de la localidad"),
    C("district", "text", "distrito", "Distrito", "Agrupación vigente de municipios", null=True),
    C("lon", "float", "lon", "Longitud", "Longitud", "grados", low=-180, high=180),
    C("lat", "float", "lat", "Latitud", "Latitud", "grados", low=-90, high=90),
    C("altitude_m", "float", "altitud", "Altitud", "Altitud", "m", null=True),
    C("population", "int", "pobtot", "Población total", "Población total", PEOPLE, low=0),
    C("uninsured", "float", "pob_sin_seguridad_social", "Población sin seguridad social",
      "min(POBTOT, PSINDER + PDER_SEGP + PDER_IMSSB)", PEOPLE, "derivado", low=0),
    C("unentitled", "float", "pob_sin_derechohabiencia", "Población sin derechohabiencia", "PSINDER", PEOPLE, low=0),
    C("uninsured_imputed", "bool", "pob_imputada", "Población imputada",
      "La población objetivo tomó la proporción municipal porque el censo la oculta", mark="derivado"),
    *(C(n, "float", e, lab, lab, PEOPLE, low=0) for n, e, lab in GROUPS),
    C("groups_imputed", "bool", "grupos_imputados", "Grupos imputados",
      "Algún grupo tomó la proporción municipal porque el censo lo oculta", mark="derivado"),
    *(C(n, "float", f"ind_{i:02d}", lab, lab, "%", "derivado", null=True, low=0, high=100)
      for i, (n, lab) in enumerate(INDICATORS, 1)),
    C("irs", "float", "irs", "Índice de rezago social", "Índice de rezago social (escala municipal si es derivado)",
      "", "derivado", null=True),
    C("irs_grade", "text", "grado_rezago", "Grado de rezago", "Grado de rezago social", "", "derivado", null=True, values=GRADES),
    C("irs_imputed", "bool", "irs_imputado", "Índice imputado",
      "Al menos un indicador tomó el valor de su municipio", mark="derivado"),
    C("irs_origin", "text", "irs_origen", "Origen del índice", "dato: CONEVAL; derivado: réplica del planificador",
      "", "derivado", null=True, values=("dato", "derivado")),
    C("flags", "text", "avisos", "Avisos", "Códigos de los avisos de calidad, separados por coma", mark="derivado", null=True),
))

UNITS = Table("units", CLUES, (
    C("name", "text", "nombre", "Unidad", "Nombre de la unidad"),
    C("institution", "text", "institucion", "Institución", "Clave de la institución"),
    C("typology", "text", "tipologia", "Tipología", "Tipología publicada", null=True),
    C("unit_class", "text", "clase", "Tipo de unidad", "Clase derivada de la tipología", mark="derivado", values=CLASSES),
    C("level", "int", "nivel", "Nivel", "Nivel de atención", null=True, low=1, high=3),
    C("status", "text", "estatus", "Estatus", "Estatus de operación publicado", null=True),
    C("role", "text", "funcion", "Función", "Qué hace en la red pública que se planea", mark="derivado", values=ROLES),
    C("nuclei", "int", "nucleos", "Núcleos básicos", "Núcleos básicos", "núcleos", low=0),
    C("lon", "float", "lon", "Longitud", "Longitud", "grados", low=-180, high=180),
    C("lat", "float", "lat", "Latitud", "Latitud", "grados", low=-90, high=90),
    C("cve_mun", "text", "cve_mun", "Clave de municipio", "Municipio, por clave o por punto en polígono", null=True),
    C("locality", "text", "cvegeo", "Localidad", "Localidad donde está, si se publica", null=True),
    C("previous_clues", "text", "clues_anterior", "CLUES anterior", "Clave anterior de la misma unidad", null=True),
    C("flags", "text", "avisos", "Avisos", "Códigos de los avisos de calidad, separados por coma", mark="derivado", null=True),
))

ROAD_NODES = Table("road_nodes", C("node", "int", "nodo", "Nodo", "Número del nodo"), (
    C("origin", "text", "id_origen", "Id de origen", "Id del vértice según quien publica; nulo si no lo da", null=True),
    C("component", "int", "componente", "Componente", "Parte conexa de la red, 0 la mayor (sin contar sentidos)", "", "derivado", low=0),
))
# What a road is for travel: OSM's highway classes (links take their road's class) and those of the RNC.
ROAD_CLASSES = (
    "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "road", "service", "track", "path", "ferry",
    "carretera", "camino", "calle", "vereda")
SURFACES = ("asphalt", "paved", "compacted", "unpaved")
SMOOTHNESS = ("good", "bad", "very_bad", "horrible", "very_horrible", "impassable")
ROADS = Table("roads", C("edge", "int", "tramo", "Tramo", "Número del tramo"), (
    C("way", "text", "id_via", "Vía", "Id de la vía según quien publica"),
    C("u", "int", "nodo_ini", "Nodo inicial", "Nodo donde empieza el trazo"),
    C("v", "int", "nodo_fin", "Nodo final", "Nodo donde termina el trazo"),
    C("name", "text", "nombre", "Nombre", "Nombre o clave de la vía", null=True),
    C("road_class", "text", "clase", "Clase", "Clase de la vía", values=ROAD_CLASSES),
    C("surface", "text", "superficie", "Superficie", "Superficie; nula si no se publica", null=True, values=SURFACES),
    C("tracktype", "float", "tipo_brecha", "Tipo de brecha", "tracktype de OSM, 1 firme a 5 blanda", null=True, low=1, high=5),
    C("smoothness", "text", "estado", "Estado", "smoothness de OSM; nulo si no se publica", null=True, values=SMOOTHNESS),
    C("posted_kmh", "float", "velocidad", "Velocidad publicada", "Velocidad señalada o publicada", "km/h", null=True, low=0),
    C("crossing_min", "float", "min_cruce", "Minutos de cruce", "Duración publicada de un transbordador, toda la vía", "min", null=True,
      low=0),
    C("length_m", "float", "longitud", "Longitud", "Longitud del tramo", "m", "derivado", low=0),
    C("forward", "bool", "ida", "Ida", "Se circula de inicio a fin"),
    C("backward", "bool", "vuelta", "Vuelta", "Se circula de fin a inicio"),
    C("drive", "bool", "vehiculo", "Vehículo", "Pasa un vehículo"),
    C("walk", "bool", "a_pie", "A pie", "Se puede caminar por ella"),
    C("board", "bool", "abordable", "Abordable", "Se entra y se sale a pie en cualquier punto: no autopistas, cuota cerrada, puentes, "
      "túneles ni transbordadores", mark="derivado"),
    C("bridge", "bool", "puente", "Puente", "Puente"),
    C("ford", "bool", "vado", "Vado", "Vado"),
    C("ferry", "bool", "transbordador", "Transbordador", "Transbordador"),
    C("toll", "bool", "cuota", "Cuota", "De cuota"),
))

MUNICIPALITIES = Table("municipalities", CVE_MUN, (
    C("name", "text", "nom_mun", "Municipio", "Nombre del municipio"),
    C("irs", "float", "irs", "Índice de rezago social", "Índice municipal de CONEVAL", null=True),
    C("irs_grade", "text", "grado_rezago", "Grado de rezago", "Grado municipal", null=True, values=GRADES),
    C("district", "text", "distrito", "Distrito", "Agrupación vigente", null=True),
))

RESPONSIBILITY = Table("responsibility", CVEGEO, (
    C("clues", "text", "clues", "CLUES", "Unidad responsable (clave vigente)", null=True),
    C("published_clues", "text", "clues_publicada", "CLUES publicada", "Clave como viene en la tabla oficial"),
    C("people", "float", "personas", "Personas", "Personas de la tabla oficial: solo sirven como proporción", PEOPLE, low=0),
    C("share", "float", "proporcion", "Proporción", "Parte de la localidad que responde a la unidad", "", "derivado", low=0, high=1),
))

RESOURCES = Table("resources", CLUES, (
    C("rooms", "int", "consultorios", "Consultorios", "Consultorios de medicina general o familiar", "consultorios", null=True, low=0),
    C("physicians", "int", "medicos", "Médicos", "Médicos generales, familiares y pasantes en contacto con el paciente", PEOPLE,
      null=True, low=0),
    C("nurses", "int", "enfermeras", "Enfermeras", "Enfermeras en contacto con el paciente", PEOPLE, null=True, low=0),
))

CIRCUITS = Table("circuits", CLUES, (
    CVEGEO,
    C("visits_month", "float", "visitas_mes", "Visitas al mes", "Visitas al mes", "visitas/mes", low=0),
))

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

TABLES = (LOCALITIES, UNITS, MUNICIPALITIES, RESPONSIBILITY, RESOURCES, CIRCUITS, ACCESS, PLANNED, BY_MODE, SUGGESTION, UNIT_RESULTS,
          UNIT_PLANNED, REFERRAL_UNIT, REFERRALS, PROPOSALS, ROUTES, CALENDAR, CATCHMENTS)
