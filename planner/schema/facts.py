"""What is known before any question: localities, units, roads, limits and the official tables that go with them."""

from __future__ import annotations

from planner.columns import Column, Table
from planner.kinds import FOREIGN, GRADES

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
COVERAGE = ("con servicio", "cubierta sin capacidad", "sin cobertura")
KINDS = ("umr", "nucleo", "plaza", "umm", "brigada", "ruta", "caro", "ambulancia")  # of interventions, as model.Kind
CIRCUIT_KINDS = ("umm", "brigada", "ruta")  # those whose teams travel
ROLES = ("primer_nivel", "hospital", "movil", "ninguno", FOREIGN)
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

# What the community organises; it informs the rounds of teams and never stands for a unit.
COMMUNITY = Table("community", CVEGEO, (
    C("health_house", "text", "casa_de_salud", "Casa de salud", "Casa de salud, con la clave que se publica (nulo: no hay o no se sabe)",
      null=True),
    C("auxiliaries", "int", "auxiliares", "Auxiliares de salud", "Auxiliares de salud (nulo: no se sabe)", PEOPLE, null=True, low=0),
    C("midwives", "int", "parteras", "Parteras", "Parteras (nulo: no se sabe)", PEOPLE, null=True, low=0),
    C("volunteers", "int", "voluntarios", "Voluntarios", "Voluntarios de salud (nulo: no se sabe)", PEOPLE, null=True, low=0),
    C("committee", "int", "comite", "Comités de salud", "Comités de salud; «sí» cuenta como 1 (nulo: no se sabe)", "comités", null=True,
      low=0),
))

SERVED = Table("served", CLUES, (
    C("year", "int", "anio", "Año", "Año que se informa", "año", low=1990, high=2100),
    C("people", "float", "pa", "Población atendida", "Población atendida (PA)", PEOPLE, low=0),
    C("target", "float", "po", "Población objetivo", "Población objetivo (PO) que se publica con ella", PEOPLE, null=True, low=0),
))
