"""Maps drawn in text: letters are districts, digits are people, one area a character, neighbours share a side of 1 km."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from planner.decide.regional.areas import Areas

Array = np.ndarray


def read(drawing: str) -> tuple[list[tuple[int, int]], str]:
    """Cells (row, column) that are not dots, row by row, and their characters."""
    rows = [line.strip() for line in drawing.strip().splitlines()]
    cells = [(r, c) for r, row in enumerate(rows) for c, mark in enumerate(row) if mark != "."]
    return cells, "".join(rows[r][c] for r, c in cells)


def drawn(people: str, hospitals: str = "", minutes_a_cell: float = 10.0) -> Areas:
    """Areas of a drawing of digits; a letter H in a second drawing is a hospital. Minutes go by rows and columns."""
    cells, marks = read(people)
    return built(cells, np.array([float(m) for m in marks]), np.array([i for i, m in enumerate(read(hospitals)[1]) if m == "H"], int)
                 if hospitals else np.empty(0, int), minutes_a_cell)


def built(cells: list[tuple[int, int]], people: Array, hospital_at: Array, minutes_a_cell: float = 10.0) -> Areas:
    at = {cell: i for i, cell in enumerate(cells)}
    edges = sorted((i, at[down]) for (r, c), i in at.items() for down in ((r, c + 1), (r + 1, c)) if down in at)
    n, where = len(cells), np.array(cells, float).reshape(-1, 2)
    minutes = minutes_a_cell * np.abs(where[:, None] - where[hospital_at][None]).sum(axis=2)
    return Areas(pd.Index([f"{i:05d}" for i in range(n)]), people, np.array(edges, int).reshape(-1, 2), np.full(len(edges), 1000.0),
                 np.full(n, 4000.0), np.full(n, 1e6), where[:, ::-1] * [1000.0, -1000.0], hospital_at,
                 pd.Index([f"H{i:05d}" for i in hospital_at], dtype="str"), np.arange(n), people, minutes)


def letters(drawing: str) -> Array:
    """District by area of a drawing of letters, numbered by first area."""
    marks = read(drawing)[1]
    order = {mark: k for k, mark in enumerate(dict.fromkeys(marks))}
    return np.array([order[mark] for mark in marks])


def groupings(areas: Areas, count: int) -> list[Array]:
    """Every contiguous grouping into `count` districts, found by trying all labels: slow and plain."""
    n, found = len(areas.people), []
    for tail in product(range(count), repeat=n - 1):
        label = np.array((0, *tail))
        seen = list(dict.fromkeys(label.tolist()))
        if seen == list(range(count)) and all(_joined(areas, np.flatnonzero(label == d)) for d in range(count)):
            found.append(label)
    return found


def _joined(areas: Areas, members: Array) -> bool:
    reached, inside = {int(members[0])}, set(members.tolist())
    while True:
        more = {b for pair in areas.edges.tolist() for a, b in (pair, pair[::-1]) if a in reached and b in inside} - reached
        if not more:
            return reached == inside
        reached |= more
