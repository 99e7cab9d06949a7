"""The one door of work that splits: tasks on this computer's processes, or on a Dask cluster; the same answers in the same order.

A task is a function of this package with arguments that travel between processes. What it gives must not depend on where it ran.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from joblib import Parallel, delayed

from planner.errors import SettingsError, StorageError, reason
from planner.keeping import code_print

LOCAL = "local"  # in place of an address: a Dask cluster of this computer, for as long as the work lasts
_ANSWER_S = 15
_RETRIES = 3  # of a task whose worker was lost


@dataclass(frozen=True)
class Engine:
    """Where tasks run: `jobs` processes of this computer, or the workers of a Dask scheduler at `scheduler` (or LOCAL)."""

    jobs: int = 2
    scheduler: str | None = None
    memory: str = "auto"  # the most that each worker of a LOCAL cluster may hold, as Dask writes it; auto: an equal part of what there is


HERE = Engine()
ALONE = Engine(jobs=1)


def each(engine: Engine, task: Callable[..., Any], items: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    """`task(*item)` for each item, in their order, as they are done.

    A worker that is lost costs its tasks only: they run again elsewhere. SettingsError where there is no Dask, nobody listens at the
    address, or a worker has another version of the planner; StorageError where the scheduler is lost meanwhile. What is not yielded
    when the caller stops is called off.
    """
    if engine.scheduler is None:
        yield from Parallel(n_jobs=min(engine.jobs, len(items) or 1), return_as="generator")(delayed(task)(*item) for item in items)
        return
    with _client(engine) as client:
        yield from _on_cluster(client, engine.scheduler, task, items)


def has_dask() -> bool:
    """Whether the extra `cluster` is installed."""
    return find_spec("distributed") is not None


def _on_cluster(client: Any, address: str, task: Callable[..., Any], items: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    from distributed import CancelledError, KilledWorker
    from distributed.comm.core import CommClosedError

    futures = [client.submit(task, *item, pure=False, retries=_RETRIES) for item in items]
    done = 0
    try:
        for future in futures:
            found = future.result()
            done += 1
            yield found
    except (CancelledError, CommClosedError, TimeoutError):
        raise StorageError(f"Se perdió el programador de tareas ({address}) con {done} de {len(items)} tareas entregadas; lo terminado "
                           "quedó guardado: repita la orden y se reutiliza.") from None
    except KilledWorker:
        raise StorageError(f"Una tarea acabó con cada trabajador que la intentó, tal vez por memoria ({done} de {len(items)} tareas "
                           "entregadas, que quedaron guardadas); dé más memoria a cada uno, o use menos.") from None
    finally:
        if done < len(items) and client.status == "running":
            client.cancel(futures, force=True)


@contextmanager
def _client(engine: Engine) -> Iterator[Any]:
    """A client of the cluster, its workers known to be of this version."""
    if not has_dask():
        raise SettingsError("Para repartir el trabajo falta Dask; instálelo con: pip install 'planner[cluster]'.")
    from distributed import Client, LocalCluster

    with ExitStack() as opened:
        if engine.scheduler == LOCAL:
            place = opened.enter_context(LocalCluster(n_workers=engine.jobs, threads_per_worker=1, host="127.0.0.1", dashboard_address=None,
                                                      memory_limit=engine.memory, silence_logs=logging.CRITICAL))
        else:
            place = engine.scheduler
            _knock(engine.scheduler or "")
        client = opened.enter_context(Client(place, timeout=_ANSWER_S, set_as_default=False))
        try:
            client.wait_for_workers(1, timeout=_ANSWER_S)
        except TimeoutError:
            raise SettingsError(f"El programador {engine.scheduler} no tiene trabajadores; arranque alguno con «dask worker».") from None
        _check_workers(client)
        yield client


def _knock(address: str) -> None:
    """SettingsError where nobody listens; asked before Dask does, which goes on trying for long."""
    from distributed.comm.addressing import parse_address, parse_host_port

    try:
        with socket.create_connection(parse_host_port(parse_address(address)[1]), timeout=_ANSWER_S):
            pass
    except (OSError, ValueError) as fault:
        unknown = "no es una dirección como tcp://127.0.0.1:8786"
        told = reason(fault) if isinstance(fault, OSError) and not isinstance(fault, socket.gaierror) else unknown
        raise SettingsError(f"Nadie atiende en {address} ({told}); arranque el programador con «dask scheduler» y sus trabajadores con "
                            "«dask worker», o revise la dirección.") from None


def _check_workers(client: Any) -> None:
    """SettingsError for workers that would compute with other code than ours."""
    wanted = code_print()
    told = client.run(code_print, on_error="return")
    wrong = sorted(name for name, found in told.items() if found != wanted)
    if wrong:
        raise SettingsError(f"{len(wrong)} de {len(told)} trabajadores tienen otra versión del planificador o no lo tienen "
                            f"({', '.join(wrong[:3])}); instale en ellos la misma y arránquelos de nuevo.")
