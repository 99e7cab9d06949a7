"""What a regionalization tells: universes of work, what moves against today, referral networks, supervision zones and districts."""

from __future__ import annotations

from dataclasses import replace

from planner.columns import Column, Table
from planner.schema.facts import CLUES, CVE_MUN, CVEGEO, KINDS, PEOPLE

C = Column
PLACES = ("unidad", "movil", "propuesta")  # what gives care: a fixed unit, a mobile one, or what the plan proposes

_PEOPLE = C("people", "float", "poblacion", "Población objetivo", "Población objetivo N del escenario", PEOPLE, "derivado", low=0)
_PLACE = C("place", "text", "lugar", "Lugar de atención", "CLUES de la unidad o identificador de la propuesta", "", "derivado")
_NAME = C("name", "text", "nombre", "Nombre", "Nombre de la unidad o de la sede de la propuesta")
_UNPLACED = C("unplaced", "float", "sin_lugar", "Sin lugar", "Personas que no caben en la capacidad de su lugar", PEOPLE, "derivado", low=0)
_UNIT = replace(CLUES, meaning="CLUES de la unidad o identificador de la propuesta")
_KIND = C("kind", "text", "tipo", "Tipo", ", ".join(PLACES), "", "derivado", values=PLACES)

UNIVERSE = Table("universe", CVEGEO, (
    C("place", "text", "lugar", _PLACE.label, f"{_PLACE.meaning} que le toca (nulo: ninguna)", "", "derivado", null=True),
    C("place_kind", "text", "tipo_lugar", "Tipo de lugar", f"{_KIND.meaning} (nulo: ninguna)", "", "derivado", null=True, values=PLACES),
    C("minutes", "float", "minutos", "Minutos", "Minutos de la localidad a ese lugar (nulo: no hay, o más allá de la búsqueda)", "min",
      "derivado", null=True, low=0),
    _PEOPLE, _UNPLACED,
))

# A locality that capacity or Huff's rule divides has a row for each of its places.
UNIVERSE_SHARES = Table("universe_shares", CVEGEO, (
    C("place", "text", "lugar", _PLACE.label, f"{_PLACE.meaning} (nulo: ninguna)", "", "derivado", null=True),
    C("kind", "text", "tipo_lugar", "Tipo de lugar", f"{_KIND.meaning} (nulo: ninguna)", "", "derivado", null=True, values=PLACES),
    C("share", "float", "parte", "Parte", "Parte de las personas de la localidad", "", "derivado", low=0, high=1),
    _PEOPLE,
    C("minutes", "float", "minutos", "Minutos", "Minutos de la localidad a ese lugar (nulo: no hay, o es móvil)", "min", "derivado",
      null=True, low=0),
))

UNIVERSE_UNITS = Table("universe_units", _PLACE, (
    _NAME,
    _KIND,
    C("localities", "int", "localidades", "Localidades", "Localidades de su universo de trabajo", "localidades", "derivado", low=0),
    _PEOPLE,
    C("load", "float", "carga", "Carga", "Personas usuarias que le corresponden al año", "personas usuarias", "derivado", low=0),
    C("capacity", "float", "capacidad", "Capacidad", "Personas usuarias que puede atender al año (nulo: sin límite)", "personas usuarias",
      "derivado", null=True, low=0),
    C("rho", "float", "suficiencia", "Suficiencia", "min(1, capacidad / carga); nulo: sin límite de capacidad", "", "derivado", null=True,
      low=0, high=1),
    C("minutes_mean", "float", "min_medio", "Minutos, media", "Media de los minutos de sus personas (nulo: nadie con minutos)", "min",
      "derivado", null=True, low=0),
    C("minutes_p90", "float", "min_p90", "Minutos, percentil 90", "Minutos dentro de los que está el 90 % de sus personas", "min",
      "derivado", null=True, low=0),
    *(C(name, "int", export, label, f"{label} en las localidades de su universo (nulo: no se sabe); no sustituyen a una unidad", unit,
        "derivado", null=True, low=0)
      for name, export, label, unit in (
          ("health_houses", "casas_de_salud", "Casas de salud", "casas de salud"),
          ("auxiliaries", "auxiliares", "Auxiliares de salud", PEOPLE), ("midwives", "parteras", "Parteras", PEOPLE),
          ("volunteers", "voluntarios", "Voluntarios", PEOPLE),
          ("committees", "comites", "Comités de salud", "comités"))),
    _UNPLACED,
))

REASSIGNMENTS = Table("reassignments", CVEGEO, (
    C("name", "text", "nom_loc", "Localidad", "Nombre de la localidad"),
    C("from_id", "text", "de", "Lugar de hoy", "CLUES a la que responde hoy la mayor parte de la localidad (nulo: ninguna)", null=True),
    C("to_id", "text", "a", "Lugar propuesto", f"{_PLACE.meaning} que le tocaría (nulo: ninguna)", "", "derivado", null=True),
    _PEOPLE,
    C("minutes_before", "float", "min_hoy", "Minutos hoy", "Minutos al lugar de hoy (nulo: no hay, o más allá de la búsqueda)", "min",
      "derivado", null=True, low=0),
    C("minutes_after", "float", "min_propuesta", "Minutos con la propuesta", "Minutos al lugar propuesto (nulo: no hay)", "min", "derivado",
      null=True, low=0),
    C("change", "float", "cambio_min", "Cambio", "Minutos con la propuesta menos los de hoy: negativo gana, positivo pierde "
      "(nulo: falta uno)", "min", "derivado", null=True),
    C("reason", "text", "motivo", "Motivo", "Por qué se mueve", "", "derivado"),
))

NETWORK = Table("network", _UNIT, (
    _NAME,
    _KIND,
    C("hospital", "text", "clues_hospital", "Hospital de referencia", "Hospital de su red (nulo: ninguno dentro de la búsqueda)", "",
      "derivado", null=True),
    C("hospital_name", "text", "nombre_hospital", "Nombre del hospital", "Nombre del hospital de su red", null=True),
    C("minutes", "float", "minutos", "Minutos", "Minutos al hospital de su red", "min", "derivado", null=True, low=0),
    C("nearest", "text", "clues_hospital_cercano", "Hospital más cercano", "Hospital más cercano, haya o no lugar", "", "derivado",
      null=True),
    C("nearest_min", "float", "min_hospital_cercano", "Minutos al más cercano", "Minutos al hospital más cercano", "min", "derivado",
      null=True, low=0),
    C("fits", "bool", "cabe", "Cabe", "El hospital de su red tiene lugar para toda su gente", "", "derivado"),
    C("rains_hospital", "text", "clues_hospital_lluvias", "Hospital en lluvias", "Hospital más cercano en lluvias (nulo: ninguno)", "",
      "derivado", null=True),
    C("rains_min", "float", "min_lluvias", "Minutos en lluvias", "Minutos a ese hospital en lluvias", "min", "derivado", null=True, low=0),
    C("zone", "text", "zona", "Zona de supervisión", "Zona de supervisión (nulo: ninguna)", "", "derivado", null=True),
    _PEOPLE,
))

NETWORK_LINE = Table("network_line", _UNIT, (
    C("straight", "bool", "recta", "Línea recta", "Se traza recta: no es la ruta al hospital más cercano, que es la que se conoce"),
))

NETWORK_HOSPITALS = Table("network_hospitals", CLUES, (
    C("name", "text", "nombre", "Nombre", "Nombre del hospital"),
    C("institution", "text", "institucion", "Institución", "Clave de la institución"),
    *(C(f"units_{kind}", "int", f"unidades_{export}", f"Unidades {words}", f"Unidades {words} de su red", "unidades", "derivado", low=0)
      for kind, export, words in (("fija", "fijas", "fijas"), ("propuesta", "propuestas", "propuestas"), ("movil", "moviles", "móviles"))),
    C("localities", "int", "localidades", "Localidades", "Localidades de las unidades de su red", "localidades", "derivado", low=0),
    _PEOPLE,
    C("own_people", "float", "poblacion_propia", "Población propia", "Personas por las que el hospital mismo responde", PEOPLE, "derivado",
      low=0),
    C("over_people", "float", "personas_sobre_capacidad", "Sobre su capacidad", "Personas de unidades que no caben en ningún hospital: van "
      "a este, el más cercano", PEOPLE, "derivado", low=0),
    C("capacity", "float", "capacidad", "Capacidad", "Personas que puede tener su red (nulo: sin límite)", PEOPLE, "supuesto", null=True,
      low=0),
    C("nearest_people", "float", "poblacion_cercana", "Población más cercana", "Personas de las unidades de las que es el más cercano",
      PEOPLE, "derivado", low=0),
    C("mean_min", "float", "min_medio", "Minutos, media", "Media de los minutos de las personas de su red (nulo: sin unidades)", "min",
      "derivado", null=True, low=0),
    C("max_min", "float", "min_max", "Minutos, máximo", "Minutos de la unidad más lejana de su red (nulo: sin unidades)", "min", "derivado",
      null=True, low=0),
))

NETWORK_SUPPORT = Table("network_support", C("id", "text", "id", "Id", "Identificador de la propuesta", "", "derivado"), (
    C("kind", "text", "tipo", "Tipo", "Tipo de intervención", "", "derivado", values=KINDS),
    C("base", "text", "clues_base", "Base", "Unidad en que tiene su base", "", "derivado"),
    C("hospital", "text", "clues_hospital", "Hospital de referencia", "Hospital de la red de su base (nulo: ninguno)", "", "derivado",
      null=True),
))

FAR = Table("far", CVEGEO, (
    C("name", "text", "nom_loc", "Localidad", "Nombre de la localidad"),
    _PEOPLE,
    C("hospital_min", "float", "min_hospital", "Minutos al hospital", "Minutos al hospital público más cercano (nulo: no hay camino "
      "conocido)", "min", "derivado", null=True, low=0),
    C("hospital_clues", "text", "clues_hospital", "Hospital", "Hospital público más cercano (nulo: ninguno)", "", "derivado", null=True),
))

ZONES = Table("zones", C("zone", "text", "zona", "Zona", "Identificador de la zona de supervisión", "", "derivado"), (
    C("units", "int", "unidades", "Unidades", "Unidades que visita un equipo de supervisión", "unidades", "derivado", low=1),
    _PEOPLE,
    C("round_min", "float", "min_ronda", "Minutos de la ronda", "Minutos de traslado de visitar todas sus unidades y volver", "min",
      "derivado", null=True, low=0),
    C("head", "text", "clues_sede", "Unidad sede", "Unidad de la que sale el equipo de supervisión", "", "derivado"),
    C("hospital", "text", "clues_hospital", "Hospital de referencia", "Hospital de la mayoría de sus personas (nulo: ninguno)", "",
      "derivado", null=True),
    C("strays", "int", "unidades_otra_red", "Unidades de otra red", "Unidades cuyo hospital es otro que el de la zona", "unidades",
      "derivado", low=0),
))

ZONE_UNITS = Table("zone_units", _UNIT, (
    _NAME,
    C("zone", "text", "zona", "Zona", "Zona de supervisión", "", "derivado"),
    C("order", "int", "orden", "Orden", "Lugar en la ronda; 1 es la sede", "", "derivado", low=1),
    C("next_min", "float", "min_siguiente", "Minutos a la siguiente", "Minutos a la siguiente unidad de la ronda; de la última, a la sede",
      "min", "derivado", low=0),
    _PEOPLE,
))

JORNADAS = Table("jornadas", CLUES, (
    C("name", "text", "nombre", "Nombre", "Nombre del hospital"),
    C("institution", "text", "institucion", "Institución", "Clave de la institución"),
    C("localities", "int", "localidades", "Localidades", "Localidades habitadas dentro del umbral del hospital", "localidades", "derivado",
      low=0),
    _PEOPLE,
    *(C(name, "float", export, label, meaning, PEOPLE, "derivado", low=0) for name, export, label, meaning in (
        ("away", "personas_de_otro", "De otro hospital", "De ellas, las que tienen más cerca otro hospital"),
        ("indigenous", "personas_indigenas", "Indígenas", "De ellas, en hogares indígenas, en la proporción de su localidad"),
        ("very_high", "personas_muy_alto", "Muy alto rezago", "De ellas, en localidades de grado Muy alto"))),
    C("number", "int", "orden", "Orden", "Lugar en el orden voraz de sedes (nulo: no suma a nadie)", "", "derivado", null=True, low=1),
    C("added", "float", "personas_suma", "Personas que suma", "Personas que suma a las sedes anteriores", PEOPLE, "derivado", null=True,
      low=0),
))

JORNADAS_BEST = Table("jornadas_best", C("number", "int", "sedes", "Sedes", "Número de hospitales sede", "", "derivado"), (
    C("people", "float", "personas_orden", "Personas, por orden", "Personas dentro del umbral de las primeras sedes del orden", PEOPLE,
      "derivado", low=0),
    C("best", "float", "personas_mejor", "Personas, lo mejor", "Personas dentro del umbral de las mejores sedes de ese número", PEOPLE,
      "derivado", low=0),
    C("bound", "float", "cota", "Cota", "Con ese número de sedes nada pasa de estas personas", PEOPLE, "derivado", low=0),
    C("proved", "bool", "probado", "Probado", "Está probado que no hay mejores", "", "derivado"),
    C("best_hosts", "text", "clues_sedes", "Mejores sedes", "CLUES de las mejores sedes, separadas por espacio", "", "derivado"),
))

AGREEMENT = Table("agreement", C("rule", "text", "regla", "Regla", "Regla que se compara con la tabla oficial", "", "derivado"), (
    C("outcome", "text", "resultado", "Resultado", "Coincide con la tabla oficial, o por qué no", "", "derivado"),
    C("localities", "int", "localidades", "Localidades", "Localidades, por la unidad con más de cada una", "localidades", "derivado",
      low=0),
    _PEOPLE,
    *(C(f"{name}_share", "float", f"parte_{export}", f"Parte de las {export}", f"Parte de todas las {export} (nulo: no hay)", "",
        "derivado", null=True, low=0, high=1) for name, export in (("localities", "localidades"), ("people", "personas"))),
))

SERVED_RATIO = Table("served_ratio", C("level", "text", "nivel", "Nivel", "unidad o municipio", "", "derivado"), (
    C("id", "text", "clave", "Clave", "CLUES o clave del municipio"),
    C("name", "text", "nombre", "Nombre", "Nombre de la unidad o del municipio", null=True),
    C("year", "int", "anio", "Año", "Año que se informa", "año"),
    C("units", "int", "unidades", "Unidades", "Unidades que suma", "unidades", "derivado", low=0),
    C("served", "float", "pa", "Población atendida", "Población atendida (PA)", PEOPLE, low=0),
    C("target", "float", "po", "Población objetivo", "Población objetivo (PO) de su universo de trabajo (nulo: no tiene)", PEOPLE,
      "derivado", null=True, low=0),
    C("ratio", "float", "pa_po", "PA/PO", "PA entre PO (nulo: no hay PO)", "", "derivado", null=True, low=0),
    C("published_target", "float", "po_publicada", "PO publicada", "Población objetivo que se publica con la PA (nulo: no se da)", PEOPLE,
      null=True, low=0),
    C("published_ratio", "float", "pa_po_publicada", "PA/PO publicada", "PA entre la PO publicada (nulo: no se da)", "", "derivado",
      null=True, low=0),
))

DISTRICTS = Table("districts", C("district", "text", "distrito_id", "Distrito", "Identificador del distrito", "", "derivado"), (
    C("name", "text", "nombre", "Nombre", "Nombre del distrito", "", "derivado"),
    C("municipalities", "int", "municipios", "Municipios", "Municipios del distrito", "municipios", "derivado", low=1),
    C("municipality_keys", "text", "claves_municipios", "Claves de municipio", "Claves de sus municipios, separadas por coma", "",
      "derivado"),
    C("population", "int", "pobtot", "Población total", "Población total", PEOPLE, "derivado", low=0),
    _PEOPLE,
    C("spread", "float", "desvio_poblacion", "Desvío de población", "Población objetivo entre la media de los distritos, menos 1", "",
      "derivado", low=-1),
    C("hospitals", "int", "hospitales", "Hospitales", "Hospitales públicos del distrito", "hospitales", "derivado", low=0),
    C("minutes_mean", "float", "min_hospital_medio", "Minutos al hospital, media", "Media de los minutos de sus personas a un hospital del "
      "distrito, o al más cercano de fuera si no tiene (nulo: nadie con minutos)", "min", "derivado", null=True, low=0),
    C("minutes_p90", "float", "min_hospital_p90", "Minutos al hospital, percentil 90", "Minutos dentro de los que está el 90 % de sus "
      "personas", "min", "derivado", null=True, low=0),
    C("people_beyond", "float", "personas_fuera", "Fuera de alcance", "Personas más allá del umbral del hospital, o sin camino conocido",
      PEOPLE, "derivado", low=0),
    C("crossing_share", "float", "proporcion_cruce", "Cruces", "Parte de las personas cuyo hospital más cercano está en otro distrito", "",
      "derivado", low=0, high=1),
    C("compactness", "float", "compacidad", "Compacidad", "4 pi superficie / perímetro² (nulo: sin límites)", "", "derivado", null=True,
      low=0, high=1),
    C("contiguous", "bool", "contiguo", "Contiguo", "Se va de cualquiera de sus municipios a otro sin salir del distrito", "", "derivado"),
))

DISTRICT_OF_MUNICIPALITY = Table("district_of_municipality", CVE_MUN, (
    C("name", "text", "nom_mun", "Municipio", "Nombre del municipio"),
    C("district", "text", "distrito_id", "Distrito", "Distrito que se propone", "", "derivado"),
    C("district_today", "text", "distrito_hoy", "Distrito de hoy", "Agrupación vigente (nulo: no se conoce)", null=True),
    C("changes", "bool", "cambia", "Cambia", "Queda en otro distrito que la mayor parte de su agrupación de hoy (no, si no se conoce)", "",
      "derivado"),
    _PEOPLE,
))

# What the regionalization adds to the layers of localities and units; null where it was not computed.
_DISTRICT = C("proposed_district", "text", "distrito_propuesto", "Distrito propuesto", "Distrito que se propone para su municipio (nulo: "
              "ninguno)", "", "derivado", null=True)
LOCALITY_REGIONAL = Table("locality_regional", CVEGEO, (
    C("work_unit", "text", "unidad_trabajo", "Unidad de su universo", f"{_PLACE.meaning} que le toca en el universo de trabajo (nulo: "
      "ninguna)", "", "derivado", null=True),
    _DISTRICT,
))
UNIT_REGIONAL = Table("unit_regional", CLUES, (
    _DISTRICT,
    C("network_hospital", "text", "clues_hospital_red", "Hospital de su red", "Hospital de su red de referencia (nulo: ninguno)", "",
      "derivado", null=True),
    C("zone", "text", "zona_supervision", "Zona de supervisión", "Zona de supervisión (nulo: ninguna)", "", "derivado", null=True),
))
