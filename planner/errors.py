"""Errors of ours: every one is a sentence a person can act on, and a built-in kind as well."""


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
