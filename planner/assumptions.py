"""The sections of a scenario: assumptions that come in groups, each with its limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from planner.kinds import GRADES

NO_CAP = "sin tope"  # how a file says that there is none, as TOML has no word for it
Share = Annotated[float, Field(gt=0, le=1, strict=True)]
Cap = Annotated[float | None, BeforeValidator(lambda value: None if value == NO_CAP else value)]


class Frozen(BaseModel):
    """A section of a file: cannot be changed, knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def setting(default: Any, unit: str, mark: str, source: str, meaning: str, **limits: Any) -> Any:
    """A value of a scenario with what it means, its unit, its mark, where it comes from and its limits; `true` is no number."""
    strict = True if limits or isinstance(default, bool) else None
    return Field(default, description=meaning, json_schema_extra={"unit": unit, "mark": mark, "source": source}, strict=strict, **limits)


class Need(Frozen):
    """Need weight of each grade of rezago social, 0 to 1."""

    muy_bajo: float = setting(0.0, "proporción", "supuesto", "planner", "Necesidad del grado muy bajo", ge=0, le=1)
    bajo: float = setting(0.25, "proporción", "supuesto", "planner", "Necesidad del grado bajo", ge=0, le=1)
    medio: float = setting(0.5, "proporción", "supuesto", "planner", "Necesidad del grado medio", ge=0, le=1)
    alto: float = setting(0.75, "proporción", "supuesto", "planner", "Necesidad del grado alto", ge=0, le=1)
    muy_alto: float = setting(1.0, "proporción", "supuesto", "planner", "Necesidad del grado muy alto", ge=0, le=1)

    def by_grade(self) -> dict[str, float]:
        """The weights keyed by the grade's name on screen.

        >>> Need().by_grade()["Muy alto"]
        1.0
        """
        return dict(zip(GRADES, (self.muy_bajo, self.bajo, self.medio, self.alto, self.muy_alto), strict=True))


class RoadSpeeds(Frozen):
    """km/h of a vehicle by class of road on asphalt, where no speed is posted; on paths one walks."""

    motorway: float = setting(90.0, "km/h", "dato", "GeoHealthAccess", "Autopista, sin velocidad publicada", gt=0, le=130)
    trunk: float = setting(80.0, "km/h", "dato", "GeoHealthAccess", "Vía troncal, sin velocidad publicada", gt=0, le=130)
    primary: float = setting(70.0, "km/h", "dato", "GeoHealthAccess", "Vía primaria, sin velocidad publicada", gt=0, le=130)
    secondary: float = setting(60.0, "km/h", "dato", "GeoHealthAccess", "Vía secundaria, sin velocidad publicada", gt=0, le=130)
    tertiary: float = setting(50.0, "km/h", "dato", "GeoHealthAccess", "Vía terciaria, sin velocidad publicada", gt=0, le=130)
    unclassified: float = setting(40.0, "km/h", "dato", "GeoHealthAccess", "Vía local, sin velocidad publicada", gt=0, le=130)
    residential: float = setting(30.0, "km/h", "dato", "GeoHealthAccess", "Vía residencial, sin velocidad publicada", gt=0, le=130)
    road: float = setting(30.0, "km/h", "dato", "GeoHealthAccess", "Vía sin clase, sin velocidad publicada", gt=0, le=130)
    service: float = setting(20.0, "km/h", "dato", "GeoHealthAccess", "Vía de servicio, sin velocidad publicada", gt=0, le=130)
    track: float = setting(20.0, "km/h", "dato", "GeoHealthAccess", "Brecha, sin velocidad publicada", gt=0, le=130)
    ferry: float = setting(15.0, "km/h", "supuesto", "planner", "Transbordador, sin velocidad publicada", gt=0, le=130)
    carretera: float = setting(80.0, "km/h", "supuesto", "planner", "Carretera, sin velocidad publicada", gt=0, le=130)
    camino: float = setting(60.0, "km/h", "supuesto", "planner", "Camino, sin velocidad publicada", gt=0, le=130)
    camino_sin_pavimento: float = setting(30.0, "km/h", "supuesto", "planner", "Camino sin pavimento ni velocidad publicada", gt=0, le=130)
    calle: float = setting(30.0, "km/h", "supuesto", "planner", "Calle, sin velocidad publicada", gt=0, le=130)


class RoadFactors(Frozen):
    """Share of a road's speed left by its surface, its OSM tracktype or its OSM smoothness."""

    asphalt: float = setting(1.0, "proporción", "dato", "GeoHealthAccess", "Asfalto", gt=0, le=1)
    paved: float = setting(0.9, "proporción", "dato", "GeoHealthAccess", "Pavimento", gt=0, le=1)
    compacted: float = setting(0.85, "proporción", "dato", "GeoHealthAccess", "Compactada", gt=0, le=1)
    unpaved: float = setting(0.7, "proporción", "dato", "GeoHealthAccess", "Terracería", gt=0, le=1)
    tracktype: tuple[Share, Share, Share, Share, Share] = setting(
        (1.0, 0.9, 0.8, 0.7, 0.6), "proporción", "dato", "GeoHealthAccess", "Brecha, de la más firme (grade1) a la más blanda (grade5)")
    bad: float = setting(0.8, "proporción", "supuesto", "planner", "Mal estado", gt=0, le=1)
    very_bad: float = setting(0.6, "proporción", "supuesto", "planner", "Muy mal estado", gt=0, le=1)
    horrible: float = setting(0.4, "proporción", "supuesto", "planner", "Pésimo estado", gt=0, le=1)
    very_horrible: float = setting(0.2, "proporción", "supuesto", "planner", "Casi intransitable", gt=0, le=1)


class Uncertainty(Frozen):
    """How far each assumption may lie from the scenario's value in the draws, either way, and how often a thing happens."""

    dirt_speed: float = setting(0.3, "proporción", "supuesto", "planner", "Velocidad en terracería, a uno y otro lado", ge=0, lt=1)
    rains: float = setting(0.5, "frecuencia", "supuesto", "planner", "Sorteos con lluvias", ge=0, le=1)
    capacity: float = setting(0.15, "proporción", "supuesto", "planner", "Capacidad de cada núcleo, a uno y otro lado", ge=0, lt=1)
    utilisation: float = setting(0.15, "proporción", "supuesto", "planner", "Utilización, a uno y otro lado", ge=0, lt=1)
    need: float = setting(0.2, "proporción", "supuesto", "planner", "Peso de la necesidad de cada grado, a uno y otro lado", ge=0, le=1)
    people: float = setting(0.1, "proporción", "supuesto", "planner", "Personas de cada localidad, a uno y otro lado", ge=0, lt=1)
    units_out: float = setting(0.01, "frecuencia", "supuesto", "planner", "Unidades fuera de servicio", ge=0, le=1)
    robust: float = setting(0.8, "frecuencia", "supuesto", "planner", "Desde aquí una propuesta es robusta", gt=0, le=1)


class Regional(Frozen):
    """How units, zones, networks and districts are drawn.

    `districts` is how many (0: as many as today's grouping has; "libre", or 0 where there is none: the number that is best). `together` and
    `apart` hold municipalities joined by `+`, as "13048+13051". Weights are of a share of people each, so they compare.
    """

    assignment: Literal["capacidad", "cercania", "huff"] = setting(
        "capacidad", "", "supuesto", "planner", "Cómo se reparten las localidades: cercanía con capacidad, cercanía o atracción (Huff)")
    huff_exponent: float = setting(2.0, "", "supuesto", "Huff 1964", "Cuánto pesa la lejanía en la atracción", gt=0, le=6)
    zone_units_max: int = setting(12, "unidades", "supuesto", "planner", "Unidades por zona de supervisión", ge=1, le=60)
    zone_round_max_min: float = setting(480.0, "min", "supuesto", "planner", "Ronda más larga de una zona", gt=0, le=2880)
    hospital_people_max: Cap = setting(
        154098.0, "personas", "derivado", "Programa, 2019: población objetivo entre hospitales rurales",
        "Personas objetivo por hospital", gt=0)
    hospital_cutoff_min: float = setting(360.0, "min", "supuesto", "planner", "Hasta aquí se busca hospital", gt=0, le=1440)
    referral_institutions: tuple[str, ...] = setting(
        (), "", "supuesto", "planner", "Instituciones a cuyos hospitales se refiere (ninguna: las de la región)")
    districts: Annotated[int, Field(ge=0, le=200, strict=True)] | Literal["libre"] = setting(
        0, "distritos", "supuesto", "planner", "Cuántos distritos (0: los de hoy; \"libre\": el mejor número)")
    district_tolerance: float = setting(0.5, "proporción", "supuesto", "planner", "Desvío de población de un distrito", ge=0, le=10)
    hospital_required: bool = setting(False, "", "supuesto", "planner", "Cada distrito con hospital")
    weight_minutes: float = setting(1.0, "", "supuesto", "planner", "Peso de los minutos al hospital", ge=0, le=100)
    weight_crossing: float = setting(1.0, "", "supuesto", "planner", "Peso de quien tiene su hospital en otro distrito", ge=0, le=100)
    weight_compactness: float = setting(0.1, "", "supuesto", "planner", "Peso de la compacidad", ge=0, le=100)
    together: tuple[str, ...] = setting((), "", "supuesto", "planner", "Municipios que van juntos, como 13048+13051")
    apart: tuple[str, ...] = setting((), "", "supuesto", "planner", "Municipios que van separados, como 13048+13051")
