"""What the values of the tables are called on screen, in tables and in sentences."""

from planner.kinds import FOREIGN, Kind, Mode

MODES: dict[Mode, str] = {"a_pie": "A pie", "vehiculo": "Vehículo", "transporte_publico": "Transporte público"}
BY_MODE: dict[Mode, str] = {"a_pie": "a pie", "vehiculo": "en vehículo", "transporte_publico": "en transporte público"}
KINDS: dict[Kind, str] = {
    "umr": "UMR nueva", "nucleo": "Núcleo adicional", "plaza": "Plaza vacante cubierta", "umm": "Ruta de UMM", "brigada": "Ruta de brigada",
    "ruta": "Ruta actual ampliada", "caro": "CARO", "ambulancia": "Ambulancia"}
KINDS_PLURAL: dict[Kind, str] = {
    "umr": "UMR nuevas", "nucleo": "Núcleos adicionales", "plaza": "Plazas vacantes cubiertas", "umm": "Rutas de UMM",
    "brigada": "Rutas de brigada", "ruta": "Rutas actuales ampliadas", "caro": "CARO", "ambulancia": "Ambulancias"}
ROLES = {"primer_nivel": "Primer nivel", "hospital": "Hospital", "movil": "Servicio móvil", "ninguno": "Sin función en la red",
         FOREIGN: "De otra entidad"}
CLASSES = {
    "UMR": "Unidad médica rural", "centro_salud": "Centro de salud", "HR": "Hospital rural", "hospital_general": "Hospital general",
    "hospital_integral": "Hospital integral", "hospital_especializado": "Hospital especializado", "CARO": "CARO",
    "UMM": "Unidad médica móvil", "brigada": "Brigada de salud", "especialidad": "Unidad de especialidad", "apoyo": "Unidad de apoyo",
    "sin_clasificar": "Sin clasificar",
}
# Classes of road, and what their surface is like.
ROADS = {
    "motorway": "autopista", "trunk": "vía troncal", "primary": "vía primaria", "secondary": "vía secundaria", "tertiary": "vía terciaria",
    "unclassified": "vía local", "residential": "vía residencial", "road": "vía sin clase", "service": "vía de servicio", "track": "brecha",
    "ferry": "transbordador", "carretera": "carretera", "camino": "camino", "camino_sin_pavimento": "camino sin pavimento",
    "calle": "calle", "asphalt": "asfalto", "paved": "pavimento", "compacted": "compactada", "unpaved": "terracería",
    "tracktype": "brecha de firme a blanda", "bad": "mal estado", "very_bad": "muy mal estado", "horrible": "pésimo estado",
    "very_horrible": "casi intransitable",
}
# What the draws vary, and what counts as robust.
DOUBTS = {
    "dirt_speed": "velocidad en terracería ±", "rains": "años con lluvias", "capacity": "capacidad ±", "utilisation": "utilización ±",
    "need": "peso de la necesidad ±", "people": "población ±", "units_out": "unidades fuera de servicio", "robust": "es robusta desde",
}

# What the drawing of universes, zones, networks and districts is asked, and how units may be shared out.
REGIONAL = {
    "assignment": "reparto por", "huff_exponent": "exponente de Huff", "zone_units_max": "unidades por zona hasta",
    "zone_round_max_min": "minutos de la ronda de una zona hasta", "hospital_people_max": "personas por hospital hasta",
    "hospital_cutoff_min": "minutos de búsqueda del hospital",
    "referral_institutions": "instituciones de referencia (ninguna: las de la región)",
    "districts": "distritos (0: los de hoy)", "district_tolerance": "desvío de población ±",
    "hospital_required": "cada distrito con hospital", "weight_minutes": "peso de los minutos", "weight_crossing": "peso de los cruces",
    "weight_compactness": "peso de la compacidad", "together": "municipios juntos",
    "apart": "municipios separados",
}
ASSIGNMENTS = {"capacidad": "cercanía con capacidad", "cercania": "cercanía", "huff": "atracción (Huff)"}

_SCENARIOS = {"vehiculo": "Vehículo", "transporte_publico": "Transporte público", "solo_moviles": "Solo móviles", "decision": "Decisión",
              "incorporacion_ssa": "Incorporación de la SSA", "presupuesto_100m": "Presupuesto de 100 M",
              "presupuesto_300m": "Presupuesto de 300 M", "presupuesto_600m": "Presupuesto de 600 M"}


def scenario_title(name: str) -> str:
    """A scenario as the reader knows it, by its name; one that the reader changed says so.

    >>> scenario_title("solo_moviles"), scenario_title("sin_capacidad"), scenario_title("vehiculo_ajustado")
    ('Solo móviles', 'Sin capacidad', 'Vehículo, ajustado')
    """
    shipped = name.removesuffix("_ajustado")
    title = _SCENARIOS.get(shipped, shipped.replace("_", " ").capitalize())
    return title + (", ajustado" if shipped != name else "")


DISCLAIMER = "Herramienta de apoyo: no sustituye la valoración en campo."
_PARTS, _EDITOR = "planeación estatal", "el editor del ráster"
SOURCES = {  # key of the region file: what the file tells, who publishes it
    "localities.iter": ("Localidades y población", "INEGI, Censo (ITER)"), "localities.table": ("Localidades y población", "tabla propia"),
    "localities.catalogue": ("Catálogo de localidades", "INEGI, AGEEML"),
    "deprivation.municipalities": ("Rezago social por municipio", "CONEVAL"),
    "deprivation.localities": ("Rezago social por localidad", "CONEVAL"),
    "units.files": ("Unidades médicas", "Secretaría de Salud, CLUES"),
    "units.responsibility": ("Unidad responsable de cada localidad", _PARTS), "units.circuits": ("Rutas móviles de hoy", _PARTS),
    "units.resources": ("Recursos de las unidades", "Secretaría de Salud, SINERHIAS"), "units.served": ("Población atendida", _PARTS),
    "community.table": ("Organización comunitaria", _PARTS), "roads.osm": ("Caminos", "OpenStreetMap"),
    "roads.rnc": ("Caminos", "INEGI, Red Nacional de Caminos"), "roads.speed_raster": ("Velocidad en caminos", _PARTS),
    "terrain.dem": ("Relieve", _EDITOR), "terrain.slope": ("Pendiente del terreno", _PARTS),
    "terrain.walk_factor": ("Uso de suelo al caminar", _PARTS), "terrain.barriers": ("Barreras al caminar", _PARTS),
    "population.raster": ("Población fuera de localidades", _EDITOR), "boundaries.municipalities": ("Límites municipales", _PARTS),
    "boundaries.districts": ("Distrito de cada municipio", _PARTS)}


def people_told(number: float) -> str:
    """So many people, in words.

    >>> people_told(1.2), people_told(1234.5)
    ('1 persona', '1,234 personas')
    """
    return f"{number:,.0f} {'persona' if round(number) == 1 else 'personas'}"
