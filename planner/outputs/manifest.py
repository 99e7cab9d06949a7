"""Where a run comes from: what went in, what was assumed and who solved it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyogrio

from planner.corrections import ROLE as CORRECTIONS
from planner.outputs.provenance import commit, question, run_print
from planner.outputs.regionaltold import solutions
from planner.scenarios import Run
from planner.settings import describe_scenario

_LIBRARIES = ("geopandas", "highspy", "icalendar", "matplotlib", "numba", "numpy", "pandas", "pyogrio", "pyvrp", "rasterio", "scipy",
              "shapely", "xlsxwriter")


def manifest(run: Run, prepared: Path, around: Sequence[Path] = ()) -> dict[str, Any]:
    """What a run was made from and how it was solved, its regionalization too where there is one, without date and seconds.

    `corrida` is the print of all that decides its figures: prepared region, scenario and code. Every file of the run carries it
    or is listed in the manifest.
    """
    region, scenario, solution = run.region, run.scenario, run.plan.solution
    corrections = [file.sha256 for file in region.inputs if file.role == CORRECTIONS]
    asked = question(prepared, scenario, around) | ({"correcciones_sha256": corrections} if corrections else {})
    return asked | {
        "corrida": run_print(asked), "commit": commit(),
        "region": {"nombre": region.name, "clave": region.slug, "entidad": region.entity, "crs": region.crs, "sintetica": region.synthetic},
        "entradas": [{"papel": f.role, "archivo": f.name, "sha256": f.sha256, "bytes": f.size_bytes, "corte": f.cutoff}
                     for f in region.inputs],
        "supuestos": [{"clave": r["key"], "significado": r["meaning"], "valor": r["value"], "unidad": r["unit"], "marca": r["mark"],
                       "fuente": r["source"]} for r in describe_scenario(scenario).to_dict("records")],
        "versiones": {"python": platform.python_version(), "gdal": pyogrio.__gdal_version_string__} | {n: version(n) for n in _LIBRARIES},
        "semilla": scenario.seed,
        "solucion": {"estado": solution.status, "metodo": solution.method, "valor": solution.value, "cota": solution.bound,
                     "brecha_relativa": solution.gap},
        **({"borde": {"localidades_sin_certeza": run.unsure}} if around else {}),
        **({"regionalizacion": solutions(run.regional)} if run.regional is not None else {}),
    }
