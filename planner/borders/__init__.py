"""A state beside its neighbours: how far its cutoffs reach, the window that holds that much, and back to the state alone."""

from planner.borders.reach import border_m, unsure
from planner.borders.state import across, within
from planner.borders.window import with_neighbours

__all__ = ["across", "border_m", "unsure", "with_neighbours", "within"]
