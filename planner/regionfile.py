"""The region file: which official files make one state, read from TOML, frozen, refusing unknown keys."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator, model_validator

from planner.assumptions import Frozen
from planner.settings import read_toml, slug, validated


class LocalitiesFiles(Frozen):
    iter: str | None = None
    table: str | None = None
    catalogue: str | None = None

    @model_validator(mode="after")
    def _one(self) -> LocalitiesFiles:
        if (self.iter is None) == (self.table is None):
            raise ValueError("[localities] lleva exactamente una de las claves iter o table")
        return self


class DeprivationFiles(Frozen):
    municipalities: str | None = None
    localities: str | None = None


class UnitsFiles(Frozen):
    files: tuple[str, ...] = Field(min_length=1)
    institutions: tuple[str, ...] | None = None
    responsibility: str | None = None
    resources: str | None = None
    circuits: str | None = None
    served: str | None = None


class CommunityFiles(Frozen):
    table: str


class RoadFiles(Frozen):
    osm: str | None = None
    rnc: str | None = None
    speed_raster: str | None = None

    @model_validator(mode="after")
    def _one(self) -> RoadFiles:
        if sum(v is not None for v in (self.osm, self.rnc, self.speed_raster)) != 1:
            raise ValueError("[roads] lleva exactamente una de las claves osm, rnc o speed_raster")
        return self


class TerrainFiles(Frozen):
    dem: str | tuple[str, ...] | None = None
    slope: str | None = None
    walk_factor: str | None = None
    barriers: str | None = None
    cell_m: float | None = Field(None, ge=50, le=1000)

    @model_validator(mode="after")
    def _one_relief(self) -> TerrainFiles:
        if self.dem is not None and self.slope is not None:
            raise ValueError("[terrain] dem y slope dicen lo mismo; deje uno (con dem la pendiente depende del sentido en que se camina)")
        if self.dem == ():
            raise ValueError("[terrain] dem no tiene ningún archivo")
        return self


class PopulationFiles(Frozen):
    raster: str


class BoundaryFiles(Frozen):
    municipalities: str | None = None
    districts: str | None = None


class RegionFile(Frozen):
    """The region file: which official files make one state. Paths are relative to the file or to `--data`."""

    name: str = Field(min_length=1, max_length=80)
    entity: str = Field(pattern=r"^\d{2}$")
    crs: str | None = None
    synthetic: bool = False
    localities: LocalitiesFiles
    deprivation: DeprivationFiles = DeprivationFiles()
    units: UnitsFiles | None = None
    community: CommunityFiles | None = None
    roads: RoadFiles | None = None
    terrain: TerrainFiles | None = None
    population: PopulationFiles | None = None
    boundaries: BoundaryFiles = BoundaryFiles()

    @model_validator(mode="after")
    def _travels(self) -> RegionFile:
        roads, ground = self.roads, self.terrain
        rasters = [f"{s}.{k}" for s, section, k in (("roads", roads, "speed_raster"), ("terrain", ground, "slope"),
                                                  ("terrain", ground, "walk_factor")) if getattr(section, k, None)]
        if roads is None and not rasters and (ground is None or ground.dem is None):
            raise ValueError("no hay ninguna fuente de viaje; agregue [roads] (osm, rnc o speed_raster) o terrain.dem o terrain.slope")
        if rasters and ground is not None and ground.cell_m is not None:
            raise ValueError(f"terrain.cell_m no se usa: {rasters[0]} ya define la malla; quite uno de los dos")
        return self

    @field_validator("name")
    @classmethod
    def _nameable(cls, value: str) -> str:
        if not slug(value):
            raise ValueError("debe tener alguna letra o cifra: de él sale el nombre de la carpeta")
        return value

    @field_validator("entity", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        if not isinstance(value, str):
            raise ValueError('debe ir entre comillas, como "13"')
        return value


def load_region_file(path: Path) -> RegionFile:
    """Read a region file. SettingsError on any fault."""
    return validated(RegionFile, read_toml(path, "región"), f"archivo de región {path.name}")
