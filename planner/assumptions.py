"""The sections of a scenario: assumptions that come in groups, each with its limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from planner.kinds import GRADES


class Frozen(BaseModel):
    """A section of a file: cannot be changed, knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Need(Frozen):
    """Need weight of each grade of rezago social, 0 to 1."""

    muy_bajo: float = Field(0.0, ge=0, le=1)
    bajo: float = Field(0.25, ge=0, le=1)
    medio: float = Field(0.5, ge=0, le=1)
    alto: float = Field(0.75, ge=0, le=1)
    muy_alto: float = Field(1.0, ge=0, le=1)

    def by_grade(self) -> dict[str, float]:
        """The weights keyed by the grade's name on screen.

        >>> Need().by_grade()["Muy alto"]
        1.0
        """
        return dict(zip(GRADES, (self.muy_bajo, self.bajo, self.medio, self.alto, self.muy_alto), strict=True))


class RoadSpeeds(Frozen):
    """km/h of a vehicle by class of road on asphalt, where no speed is posted; on paths one walks."""

    motorway: float = Field(90.0, gt=0, le=130)
    trunk: float = Field(80.0, gt=0, le=130)
    primary: float = Field(70.0, gt=0, le=130)
    secondary: float = Field(60.0, gt=0, le=130)
    tertiary: float = Field(50.0, gt=0, le=130)
    unclassified: float = Field(40.0, gt=0, le=130)
    residential: float = Field(30.0, gt=0, le=130)
    road: float = Field(30.0, gt=0, le=130)
    service: float = Field(20.0, gt=0, le=130)
    track: float = Field(20.0, gt=0, le=130)
    ferry: float = Field(15.0, gt=0, le=130)
    carretera: float = Field(80.0, gt=0, le=130)
    camino: float = Field(60.0, gt=0, le=130)
    camino_sin_pavimento: float = Field(30.0, gt=0, le=130)
    calle: float = Field(30.0, gt=0, le=130)


class RoadFactors(Frozen):
    """Share of a road's speed left by its surface, its OSM tracktype or its OSM smoothness."""

    asphalt: float = Field(1.0, gt=0, le=1)
    paved: float = Field(0.9, gt=0, le=1)
    compacted: float = Field(0.85, gt=0, le=1)
    unpaved: float = Field(0.7, gt=0, le=1)
    tracktype: tuple[float, float, float, float, float] = (1.0, 0.9, 0.8, 0.7, 0.6)
    bad: float = Field(0.8, gt=0, le=1)
    very_bad: float = Field(0.6, gt=0, le=1)
    horrible: float = Field(0.4, gt=0, le=1)
    very_horrible: float = Field(0.2, gt=0, le=1)


class Uncertainty(Frozen):
    """How far each assumption may lie from the scenario's value in the draws, either way, and how often a thing happens."""

    dirt_speed: float = Field(0.3, ge=0, lt=1)
    rains: float = Field(0.5, ge=0, le=1)
    capacity: float = Field(0.15, ge=0, lt=1)
    utilisation: float = Field(0.15, ge=0, lt=1)
    need: float = Field(0.2, ge=0, le=1)
    people: float = Field(0.1, ge=0, lt=1)
    units_out: float = Field(0.01, ge=0, le=1)
    robust: float = Field(0.8, gt=0, le=1)


class Regional(Frozen):
    """How units, zones, networks and districts are drawn.

    `districts` is how many (0: as many as today's grouping has; "libre", or 0 where there is none: the number that is best). `together` and
    `apart` hold municipalities joined by `+`, as "13048+13051". Weights are of a share of people each, so they compare.
    """

    assignment: Literal["capacidad", "cercania", "huff"] = "capacidad"
    huff_exponent: float = Field(2.0, gt=0, le=6)
    zone_units_max: int = Field(12, ge=1, le=60)
    zone_round_max_min: float = Field(480.0, gt=0, le=2880)
    hospital_people_max: float | None = Field(154098.0, gt=0)
    hospital_cutoff_min: float = Field(360.0, gt=0, le=1440)
    referral_institutions: tuple[str, ...] = ()
    districts: Annotated[int, Field(ge=0, le=200)] | Literal["libre"] = 0
    district_tolerance: float = Field(0.5, ge=0, le=10)
    hospital_required: bool = False
    weight_minutes: float = Field(1.0, ge=0, le=100)
    weight_crossing: float = Field(1.0, ge=0, le=100)
    weight_compactness: float = Field(0.1, ge=0, le=100)
    together: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
