"""The question: scenario files, read from TOML, frozen, refusing unknown keys and absurd values.

Every scenario value says its unit, its mark (`dato` found in a source, `derivado` computed from found figures,
`supuesto` ours) and its source where it stands; `describe_scenario` lists them for the screen and the exports.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from planner.assumptions import Cap, Frozen, Need, Regional, RoadFactors, RoadSpeeds, Uncertainty, setting
from planner.errors import SettingsError
from planner.kinds import Kind, Mode
from planner.refusals import nearest, refusal

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T", bound=BaseModel)


class Scenario(Frozen):
    """Everything that a run may be asked to assume; hashable, so it keys caches."""

    name: str = Field("base", pattern=r"^[a-z0-9][a-z0-9_]{0,39}$", description="Nombre del escenario y de la carpeta de su corrida")

    season: Literal["secas", "lluvias"] = setting("secas", "", "supuesto", "planner", "Temporada del año")
    speed_model: Literal["tobler", "sigeh"] = setting(
        "tobler", "", "supuesto", "Tobler 1993; sigeh: superficies publicadas de Hidalgo",
        "Fórmulas de velocidad; con tobler el factor de uso de suelo solo dice dónde no se camina, con sigeh multiplica la velocidad")
    off_path_factor: float = setting(
        0.6, "proporción", "supuesto", "Tobler 1993", "Velocidad a pie fuera de camino respecto a la de camino", gt=0, le=1)
    unpaved_max_kmh: float = setting(
        40.0, "km/h", "supuesto", "planner", "Celdas de camino hasta esta velocidad cuentan como terracería", ge=0, le=130)
    rain_unpaved_factor: float = setting(
        0.5, "proporción", "supuesto", "planner", "Velocidad de la terracería en lluvias respecto a secas", gt=0, le=1)
    unpaved_cap_kmh: float = setting(
        30.0, "km/h", "supuesto", "planner", "Velocidad máxima en terracería (red vial vectorial)", gt=0, le=130)
    road_kmh: RoadSpeeds = setting(
        RoadSpeeds(), "km/h", "dato", "GeoHealthAccess; RNC: planner", "Velocidad por clase de vía donde no se publica")
    road_factor: RoadFactors = setting(
        RoadFactors(), "proporción", "dato", "GeoHealthAccess; tracktype y smoothness: planner",
        "Velocidad que deja la superficie de la vía")
    drive_slope_decay: float = setting(
        0.0, "", "supuesto", "planner", "Cuánto frena la pendiente a un vehículo: exp(-valor x |pendiente|); 0 = nada", ge=0, le=10)
    rain_closes: tuple[Literal["vados", "brechas", "veredas"], ...] = setting(
        (), "", "supuesto", "planner", "Vías cerradas en lluvias (red vial vectorial)")
    neighbours: Literal[8, 16] = setting(8, "", "supuesto", "planner", "Direcciones en que se camina de celda a celda")
    public_transport_wait_min: float = setting(
        30.0, "min", "supuesto", "planner", "Espera del transporte público", ge=0, le=600)
    snap_max_m: float = setting(
        1000.0, "m", "supuesto", "planner", "Distancia máxima para mover un punto que cae en celda intransitable", ge=0, le=5000)
    listed_locality_m: float = setting(
        1000.0, "m", "supuesto", "planner", "Alrededor de una localidad listada, su gente ya está contada en el censo", ge=0, le=20000)
    mode_first_level: Mode = setting("a_pie", "", "supuesto", "OMS: atención local a una hora de camino", "Modo al primer nivel")
    mode_hospital: Mode = setting("vehiculo", "", "supuesto", "planner", "Modo al hospital")
    mode_teams: Literal["vehiculo", "a_pie"] = setting("vehiculo", "", "supuesto", "planner", "Modo de los equipos móviles")
    mode_umr_seat: Mode = setting("vehiculo", "", "supuesto", "planner", "Modo con que se cuentan las personas alrededor de una sede")

    reach_first_level_min: float = setting(
        60.0, "min", "dato", "OMS: a una hora de camino o viaje", "Umbral del primer nivel", gt=0, le=600)
    reach_hospital_min: float = setting(
        120.0, "min", "dato", "UNFPA; Lancet Commission on Global Surgery", "Umbral del hospital", gt=0, le=1440)
    ramp_first_level_good_min: float = setting(
        30.0, "min", "supuesto", "planner", "Hasta aquí el acceso al primer nivel es pleno", ge=0, le=600)
    ramp_first_level_none_min: float = setting(
        90.0, "min", "supuesto", "planner", "Desde aquí el acceso al primer nivel es nulo", gt=0, le=600)
    ramp_hospital_good_min: float = setting(60.0, "min", "supuesto", "planner", "Hasta aquí el acceso al hospital es pleno", ge=0, le=1440)
    ramp_hospital_none_min: float = setting(180.0, "min", "supuesto", "planner", "Desde aquí el acceso al hospital es nulo", gt=0, le=1440)
    cutoff_first_level_min: float = setting(
        180.0, "min", "supuesto", "planner", "Hasta aquí se buscan los minutos a la unidad asignada", gt=0, le=600)
    weight_first_level: float = setting(
        0.7, "proporción", "supuesto", "planner", "Peso del primer nivel en la brecha; el resto es del hospital", ge=0, le=1)

    people: Literal["sin_seguridad_social", "pobtot", "psinder"] = setting(
        "sin_seguridad_social", "", "derivado", "INEGI ITER: PSINDER + PDER_SEGP + PDER_IMSSB", "Población objetivo")
    capacity_people_per_nucleo: float = setting(
        2300.0, "personas usuarias por año", "derivado", "14 consultas/día x 250 días / 1.5 por persona",
            "Capacidad de un núcleo básico", ge=0)
    utilisation: float = setting(
        0.67, "proporción", "derivado", "PA/PO del programa", "Parte de la población objetivo que usa la unidad", gt=0, le=1)
    unlimited_capacity: bool = setting(False, "", "supuesto", "planner", "Ignorar la capacidad de las unidades")
    need: Need = setting(Need(), "proporción", "supuesto", "planner", "Peso de la necesidad por grado de rezago social")
    need_lambda: float = setting(1.0, "", "supuesto", "planner", "Cuánto pesa la necesidad: peso = 1 + lambda x necesidad", ge=0, le=10)

    mobile_visits_existing: float = setting(
        2.0, "visitas/mes", "supuesto", "planner", "Visitas de una unidad móvil existente a cada localidad suya", ge=0, le=30)
    mobile_credit_max: float = setting(
        0.5, "proporción", "supuesto", "planner", "Parte máxima de la brecha de primer nivel que cierra un servicio móvil", ge=0, le=1)
    mobile_visits_full: float = setting(
        8.0, "visitas/mes", "supuesto", "planner", "Visitas al mes que equivaldrían a un servicio permanente", gt=0, le=60)

    umr_people_min: float = setting(
        1000.0, "personas", "dato", "Reglas de operación del programa", "Personas mínimas alrededor de la sede de una UMR", ge=0)
    umr_people_max: float = setting(
        2500.0, "personas", "dato", "Reglas de operación del programa", "Personas máximas por UMR de un núcleo; si hay más, se dice", ge=0)
    umr_people_per_nucleo: float = setting(
        3000.0, "personas", "derivado", "Modelo de atención: 3,000 por núcleo", "Personas objetivo que a lo sumo toma una UMR nueva", gt=0)
    umr_seat_reach_min: float = setting(30.0, "min", "supuesto", "planner", "Radio de la sede de una UMR", gt=0, le=240)
    umr_spacing_min: float = setting(30.0, "min", "supuesto", "planner", "Separación mínima a otro primer nivel fijo", ge=0, le=240)
    mobile_locality_max: float = setting(
        2500.0, "habitantes", "dato", "DOF 02/01/2025 (S200)", "Tamaño máximo de una localidad de ruta móvil", ge=0)
    mobile_locality_min: float = setting(
        50.0, "personas", "supuesto", "planner", "Con menos personas y a más de 3 h: valorar en campo, no programar", ge=0)
    mobile_people_min: float = setting(300.0, "personas", "supuesto", "planner", "Personas mínimas de una ruta", ge=0)
    umm_stops_max: int = setting(10, "localidades", "derivado", "Práctica de tres estados", "Localidades por ruta", ge=1, le=40)
    umm_people_max: float = setting(2400.0, "personas", "derivado", "Práctica de tres estados", "Personas por ruta de UMM o brigada", gt=0)
    umm_visits_month: float = setting(
        2.0, "visitas/mes", "derivado", "Práctica de tres estados", "Visitas al mes de una UMM a cada localidad", gt=0, le=30)
    brigade_visits_month: float = setting(
        1.0, "visitas/mes", "supuesto", "planner", "Visitas al mes de una brigada a cada localidad", gt=0, le=30)
    working_days_month: int = setting(
        20, "días", "derivado", "Práctica de tres estados", "Días de trabajo al mes (cuatro semanas)", ge=1, le=28)
    stop_hours_min: float = setting(3.0, "h", "derivado", "Práctica de tres estados", "Horas mínimas por parada", gt=0, le=24)
    shift_hours: float = setting(8.0, "h", "derivado", "Práctica de tres estados", "Jornada de puerta a puerta", gt=0, le=24)
    first_stop_max_min: float = setting(90.0, "min", "supuesto", "planner", "Minutos máximos de la base a una parada", gt=0, le=480)
    stops_day_max: int = setting(2, "paradas/día", "derivado", "Práctica de tres estados",
                                "Paradas en un día, cuando la jornada alcanza", ge=1, le=6)
    leg_max_min: float = setting(90.0, "min", "supuesto", "planner", "Minutos máximos de una parada a la siguiente", gt=0, le=480)
    brigade_nights_max: int = setting(
        4, "noches", "supuesto", "planner", "Noches seguidas que una brigada pasa fuera de su base", ge=0, le=6)
    calendar_start: date = setting(date(2026, 1, 5), "fecha", "supuesto", "planner", "Lunes en que empieza el calendario de rutas")
    remote_min: float = setting(
        180.0, "min", "supuesto", "planner", "Lejanía desde la que una localidad mínima se valora en campo", gt=0, le=1440)

    allow: tuple[Kind, ...] = setting(
        ("umr", "nucleo", "plaza", "umm", "brigada", "ruta", "caro", "ambulancia"), "", "supuesto", "planner", "Intervenciones permitidas")
    objective: Literal["brecha", "personas", "peor_municipio"] = setting(
        "brecha", "", "supuesto", "planner",
        "Qué se maximiza: la brecha ponderada que se cierra, las personas atendidas, o lo que queda mejor el peor municipio")
    require: tuple[str, ...] = setting(
        (), "", "supuesto", "planner", "Lo que el plan debe tener: id de una propuesta, o clave del lugar (CVEGEO o CLUES)")
    forbid: tuple[str, ...] = setting(
        (), "", "supuesto", "planner", "Lo que el plan no puede tener: id de una propuesta, o clave del lugar (CVEGEO o CLUES)")
    institutions: tuple[str, ...] = setting(
        (), "", "supuesto", "planner",
        "Instituciones cuyas unidades forman la red (ninguna: las de la región; de IMS, solo las del programa)")
    closures: tuple[str, ...] = setting((), "", "supuesto", "planner", "CLUES de las unidades que cierran en el escenario")
    share_min_very_high: float = setting(
        0.0, "proporción", "supuesto", "planner",
        "Parte mínima de las personas atendidas que vive en localidades de rezago muy alto", ge=0, le=1)
    share_min_indigenous: float = setting(
        0.0, "proporción", "supuesto", "planner", "Parte mínima de las personas atendidas que es indígena", ge=0, le=1)
    budget_mxn_year: float = setting(100e6, "MXN/año", "supuesto", "planner", "Presupuesto anual: operación + capital anualizado", ge=0)
    capital_mxn: Cap = setting(None, "MXN", "supuesto", "planner", "Tope de inversión inicial (sin tope si falta)", ge=0)
    price_year: int = setting(2025, "año", "supuesto", "planner", "Año de los precios de los costos y del presupuesto", ge=2000, le=2100)
    inflation: float = setting(
        0.04, "proporción/año", "supuesto", "planner", "Inflación con que se comparan costos de años distintos", ge=0, le=0.5)
    discount_rate: float = setting(0.10, "proporción/año", "supuesto", "planner", "Tasa con que se anualiza la inversión", ge=0, le=1)
    life_building_years: float = setting(15.0, "años", "supuesto", "planner", "Vida útil de una obra", gt=0, le=100)
    life_vehicle_years: float = setting(8.0, "años", "supuesto", "planner", "Vida útil de un vehículo", gt=0, le=100)
    cost_umr_capital_mxn: float = setting(8.0e6, "MXN", "supuesto", "Notas de prensa", "Construir una UMR", ge=0)
    cost_umr_annual_mxn: float = setting(2.8e6, "MXN/año", "supuesto", "Notas de prensa", "Operar una UMR", ge=0)
    cost_nucleo_capital_mxn: float = setting(3.5e6, "MXN", "supuesto", "planner", "Ampliar una unidad con un núcleo", ge=0)
    cost_nucleo_annual_mxn: float = setting(1.5e6, "MXN/año", "supuesto", "planner", "Operar el núcleo adicional", ge=0)
    cost_umm_capital_mxn: float = setting(2.0e6, "MXN", "supuesto", "Notas de prensa", "Comprar una UMM", ge=0)
    cost_umm_annual_mxn: float = setting(2.2e6, "MXN/año", "supuesto", "Notas de prensa", "Operar una UMM", ge=0)
    cost_brigade_annual_mxn: float = setting(1.5e6, "MXN/año", "supuesto", "planner", "Operar una brigada", ge=0)
    cost_post_annual_mxn: float = setting(1.5e6, "MXN/año", "supuesto", "planner", "Cubrir la plaza vacante de un núcleo", ge=0)
    cost_caro_capital_mxn: float | None = setting(
        None, "MXN", "supuesto", "quien planea", "Construir un CARO (si falta un costo, no se propone)", ge=0)
    cost_caro_annual_mxn: float | None = setting(None, "MXN/año", "supuesto", "quien planea", "Operar un CARO", ge=0)
    caro_credit: float = setting(
        0.5, "proporción", "supuesto", "planner", "Acceso al hospital que da un CARO a quien llega a él sin demora", ge=0, le=1)
    caro_people_max: float = setting(15000.0, "personas", "supuesto", "planner", "Personas objetivo de un CARO", gt=0)
    cost_ambulance_capital_mxn: float | None = setting(
        None, "MXN", "supuesto", "quien planea", "Comprar una ambulancia (si falta un costo, no se propone)", ge=0)
    cost_ambulance_annual_mxn: float | None = setting(None, "MXN/año", "supuesto", "quien planea", "Operar una ambulancia", ge=0)
    ambulance_credit: float = setting(
        0.5, "proporción", "supuesto", "planner", "Parte de la brecha de hospital que cierra una ambulancia a su alcance", ge=0, le=1)
    ambulance_reach_min: float = setting(60.0, "min", "supuesto", "planner", "Alcance de una ambulancia desde su unidad", gt=0, le=240)
    ambulance_people_max: float = setting(15000.0, "personas", "supuesto", "planner", "Personas objetivo de una ambulancia", gt=0)

    rollout_years: int = setting(3, "años", "supuesto", "planner", "Años en que se despliega el plan", ge=1, le=15)
    curve_points: int = setting(0, "presupuestos", "supuesto", "planner", "Presupuestos de la curva (0: sin curva)", ge=0, le=60)
    alternatives: int = setting(0, "planes", "supuesto", "planner", "Otros planes casi tan buenos que se buscan", ge=0, le=20)
    alternatives_differ: int = setting(3, "propuestas", "supuesto", "planner", "Propuestas en que difieren al menos", ge=1, le=200)
    draws: int = setting(0, "sorteos", "supuesto", "planner", "Sorteos de la prueba de robustez (0: sin prueba)", ge=0, le=2000)
    uncertainty: Uncertainty = setting(Uncertainty(), "proporción", "supuesto", "planner", "Cuánto varía cada supuesto en los sorteos")
    regional: Regional = setting(Regional(), "", "supuesto", "planner", "Cómo se trazan universos, zonas, redes y distritos")
    seed: int = setting(20250101, "", "supuesto", "planner", "Semilla de lo aleatorio", ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Scenario:
        faults = [f"{low} = {getattr(self, low):g} debe ser menor que {high} = {getattr(self, high):g}" for low, high in (
            ("ramp_first_level_good_min", "ramp_first_level_none_min"), ("ramp_hospital_good_min", "ramp_hospital_none_min"))
            if getattr(self, low) >= getattr(self, high)]
        faults += [f"{high} = {getattr(self, high):g} debe ser al menos {low} = {getattr(self, low):g}" for low, high in (
            ("ramp_first_level_none_min", "cutoff_first_level_min"), ("reach_first_level_min", "cutoff_first_level_min"),
            ("umr_people_min", "umr_people_max"), ("mobile_locality_min", "mobile_locality_max"))
            if getattr(self, low) > getattr(self, high)]
        if both := sorted(set(self.require) & set(self.forbid)):
            faults.append(f"require y forbid piden a la vez {', '.join(both[:3])}")
        if self.calendar_start.weekday() != 0:
            faults.append(f"calendar_start = {self.calendar_start} no es lunes")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def annualised(self, capital_mxn: float, life_years: float) -> float:
        """Equal yearly payment that repays the capital over its life at `discount_rate` (annuity formula).

        >>> round(Scenario(discount_rate=0.10).annualised(8e6, 15))
        1051790
        >>> Scenario(discount_rate=0.0).annualised(8e6, 8)
        1000000.0
        """
        r = self.discount_rate
        return capital_mxn / life_years if r == 0 else capital_mxn * r / (1 - (1 + r) ** -life_years)


def describe_scenario(scenario: Scenario) -> pd.DataFrame:
    """One row per setting: key, meaning, value, unit, mark, source (for the screen and the exports)."""
    import pandas as pd  # here, as a run that is reused needs no tables and their library takes a second

    rows = []
    for key, info in Scenario.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        value = getattr(scenario, key)
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else value
        by_part = value.by_grade() if isinstance(value, Need) else value.model_dump() if isinstance(value, Frozen) else shown
        rows.append({"key": key, "meaning": info.description, "value": by_part,
                     **{k: extra.get(k, "") for k in ("unit", "mark", "source")}})
    return pd.DataFrame(rows)


def load_scenario(path: Path | None) -> Scenario:
    """Read a scenario file (base scenario if None); `name` defaults to the file's. SettingsError on any fault."""
    if path is None:
        return Scenario()
    values = read_toml(path, "escenario")
    values.setdefault("name", slug(path.stem)[:40])
    return validated(Scenario, values, f"escenario {path.name}")


def find_scenario(asked: str | None, folder: Path) -> Path | None:
    """The file of a scenario: the one given, else the shipped one of that name whatever its case; None for none.

    SettingsError with the nearest name, and those that there are.
    """
    if asked is None or Path(asked).is_file():
        return None if asked is None else Path(asked)
    shipped = {p.stem: p for p in sorted(folder.glob("*.toml"))}
    found = shipped.get(asked.lower())
    if found is None:
        near = nearest(slug(Path(asked).stem), list(shipped))
        listed = f"los incluidos son {', '.join(shipped)}" if shipped else "los incluidos están en la carpeta del proyecto (make setup)"
        raise SettingsError(f"No existe el archivo de escenario {asked}{f' (¿quiso decir «{near}»?)' if near else ''}; {listed}.")
    return found


def constant_pesos(amount: float, from_year: int, to_year: int, inflation: float) -> float:
    """An amount at the prices of one year told at those of another.

    >>> round(constant_pesos(104.0, 2026, 2025, 0.04), 6)
    100.0
    """
    return amount * (1 + inflation) ** (to_year - from_year)


def slug(name: str) -> str:
    """Name for folders and commands: plain letters, digits and `_`; empty if there are none.

    >>> slug("San Luis Potosí")
    'san_luis_potosi'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def read_toml(path: Path, kind: str) -> dict[str, Any]:
    """What a TOML file of this kind (a word for people) says. SettingsError on any fault."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(f"No existe el archivo de {kind} {path}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path.name} no está en UTF-8; guárdelo con esa codificación.") from None
    except OSError:
        raise SettingsError(f"No se puede leer {path} como archivo de {kind}; ¿es una carpeta, o faltan permisos?") from None
    except tomllib.TOMLDecodeError as fault:
        at = re.search(r"line (\d+), column (\d+)", str(fault))
        where = f" (línea {at[1]}, columna {at[2]})" if at else ""
        slash = "; en las rutas de Windows use / en lugar de \\" if "\\" in str(fault) else ""
        raise SettingsError(f"{path.name} no es TOML válido{where}{slash}.") from None


def validated(kind: type[T], values: dict[str, Any], where: str) -> T:
    """The values as an object of this kind; SettingsError that tells every fault in words."""
    try:
        return kind.model_validate(values)
    except ValidationError as fault:
        raise SettingsError(f"{where}: {refusal(kind, fault)}.") from None
