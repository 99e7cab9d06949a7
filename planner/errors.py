"""Errors of ours: every one is a sentence a person can act on, and a built-in kind as well."""

import errno

_REASONS = {
    errno.ENOENT: "no existe", errno.EACCES: "sin permiso", errno.EPERM: "sin permiso", errno.ENOSPC: "disco lleno",
    errno.EFBIG: "disco lleno", errno.EROFS: "solo lectura", errno.EISDIR: "es una carpeta", errno.ENOTDIR: "no es una carpeta",
    errno.EEXIST: "ya existe", errno.ECONNREFUSED: "nadie escucha ahí", errno.ETIMEDOUT: "no contesta", errno.EHOSTUNREACH: "no contesta",
}


def reason(fault: OSError) -> str:
    """Why the system refused, in words.

    >>> reason(OSError(28, "No space left on device"))
    'disco lleno'
    """
    return _REASONS.get(fault.errno or 0, str(fault.strerror or fault))


class PlannerError(Exception):
    """Base of all errors that the command line and the app show as one sentence."""


class DataError(PlannerError, ValueError):
    """An input file or table is not what it should be: what, where, how many, what to do."""


class SettingsError(PlannerError, ValueError):
    """A region or scenario file holds an unknown key or an absurd value."""


class StorageError(PlannerError, OSError):
    """A folder or file cannot be written or read."""


class SolverError(PlannerError, RuntimeError):
    """The optimiser returned no usable answer."""
