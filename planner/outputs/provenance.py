"""What decides the figures of a run, known before anything is computed; and what tells one origin from another."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from planner.errors import DataError
from planner.keeping import code_print, digest
from planner.outputs.jsonfiles import canonical_json, read_json
from planner.settings import Scenario

MANIFEST = "manifest.json"  # of a run, and of a prepared region
_CODE = Path(__file__).parents[1]


def manifest_of(prepared: Path, scenario: Scenario, around: Sequence[Path] = ()) -> dict[str, Any]:
    """The part of a manifest that is known before anything is computed: question and inputs, as a file would hold it."""
    inputs = read_json(prepared / MANIFEST).get("inputs", [])
    told = [{"papel": f["role"], "archivo": f["name"], "sha256": f["sha256"]} for f in inputs]
    return dict(json.loads(canonical_json(question(prepared, scenario, around) | {"entradas": told})))


def is_current(folder: Path, prepared: Path, scenario: Scenario, around: Sequence[Path] = ()) -> bool:
    """Whether `folder` holds a whole run of this prepared region, those around it, scenario and version of the planner."""
    about = written_manifest(folder)
    if about is None:
        return False
    asked = json.loads(canonical_json(question(prepared, scenario, around)))
    files = about.get("archivos")
    whole = isinstance(files, dict) and bool(files) and all((folder / name).is_file() for name in files)
    return whole and all(about.get(key) == value for key, value in (asked | {"vecinas": asked.get("vecinas")}).items())


def written_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest that stands in a folder; None where there is none that can be read."""
    try:
        about = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return about if isinstance(about, dict) else None


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a run, to be repeated. StorageError if it cannot be read, DataError if it is not one."""
    about = read_json(path)
    asked = isinstance(about, dict) and isinstance(about.get("escenario"), dict) and isinstance(about.get("region"), dict)
    if not asked or not isinstance(about.get("archivos"), dict) or "clave" not in about["region"]:
        raise DataError(f"{path} no es el manifiesto de una corrida: le faltan escenario, region o archivos.")
    return dict(about)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs between the origins of two runs, a sentence each: inputs, assumptions, code, versions."""
    told = [*_inputs_changed(old, new)]
    if not told and old.get("region_sha256") != new.get("region_sha256"):
        told.append("la región se preparó de otra manera (mismas entradas)")
    if old.get("vecinas") != new.get("vecinas"):
        told.append(f"otras regiones vecinas ({_names(old)} y {_names(new)})")
    then, now = old.get("escenario", {}), new.get("escenario", {})
    told += [f"«{key}» pasa de {_shown(then.get(key))} a {_shown(now.get(key))}"
             for key in sorted({*then, *now}) if then.get(key) != now.get(key)]
    if old.get("codigo_sha256") != new.get("codigo_sha256"):
        told.append(f"otra versión del planificador ({_version(old)} y {_version(new)})")
    before, after = old.get("versiones", {}), new.get("versiones", {})
    told += [f"{key} {before[key]} y {after[key]}" for key in sorted({*before} & {*after}) if before[key] != after[key]]
    return tuple(told)


def question(prepared: Path, scenario: Scenario, around: Sequence[Path] = ()) -> dict[str, Any]:
    """The parts of a manifest that decide every figure of a run; `around` are the folders of the regions at its borders."""
    neighbours = {folder.name: digest(folder / MANIFEST) for folder in sorted(around)}
    return {"planner": version("planner"), "codigo_sha256": code_print(), "region_sha256": digest(prepared / MANIFEST),
            "escenario": scenario.model_dump(mode="json"), **({"vecinas": neighbours} if neighbours else {})}


def run_print(asked: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits that stand for a question."""
    return hashlib.sha256(canonical_json(asked).encode()).hexdigest()[:16]


@cache
def commit() -> str | None:
    """The commit of the checkout that runs; None outside of one."""
    try:
        told = subprocess.run(["git", "-C", str(_CODE), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return told.stdout.strip() or None


def _inputs_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    def by_file(about: Mapping[str, Any]) -> dict[tuple[str, str], str]:
        return {(f["papel"], f["archivo"]): f["sha256"] for f in about.get("entradas", [])}

    then, now = by_file(old), by_file(new)
    told = []
    for key in sorted({*then, *now}):
        role, name = key
        if key not in now:
            told.append(f"falta la entrada {name} ({role})")
        elif key not in then:
            told.append(f"hay una entrada nueva, {name} ({role})")
        elif then[key] != now[key]:
            told.append(f"cambió la entrada {name} ({role}): SHA-256 {then[key][:12]}… y {now[key][:12]}…")
    return told


def _names(about: Mapping[str, Any]) -> str:
    return ", ".join(sorted(about.get("vecinas") or {})) or "ninguna"


def _shown(value: Any) -> str:
    return "nada" if value is None else json.dumps(value, ensure_ascii=False)


def _version(about: Mapping[str, Any]) -> str:
    return f"{about.get('planner', '?')}, código {str(about.get('codigo_sha256', '?'))[:8]}"
