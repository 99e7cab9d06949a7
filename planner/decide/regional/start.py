"""A first grouping to better: agglomeration of neighbours that travel alike, piece by piece of the map."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import AgglomerativeClustering

from planner.decide.regional.areas import Areas
from planner.decide.regional.measures import reach

Array = np.ndarray
LINKAGES = ("ward", "average", "complete")


def features(areas: Areas) -> Array:
    """How areas are alike: place (x, y) and people-weighted minutes to the hospitals of each area, each block of columns of spread 1."""
    seats, to = reach(areas)
    n = len(areas.people)
    weight = np.maximum(areas.point_people, 1e-9)
    heads = np.maximum(np.bincount(areas.point_at, weight, n), 1e-9)
    farthest = float(to[np.isfinite(to)].max(initial=0.0))
    minutes = np.column_stack([np.bincount(areas.point_at, weight * np.minimum(to[:, j], farthest), n) / heads for j in range(len(seats))]
                              or [np.zeros(n)])
    blocks = [part - part.mean(axis=0) for part in (areas.xy, minutes)]
    return np.column_stack([part / max(float(np.sqrt((part**2).sum(axis=1).mean())), 1e-9) for part in blocks])


def agglomerated(areas: Areas, block_of: Array, count: int, linkage: str) -> Array:
    """A contiguous grouping of blocks into `count` districts, by block; every piece of the map has its share by people, at least one.

    `count` lies between the pieces of the map and the blocks.
    """
    n = int(block_of.max()) + 1
    size = np.bincount(block_of).astype(float)
    traits = features(areas)
    traits = np.column_stack([np.bincount(block_of, column, n) / size for column in traits.T])
    ends = block_of[areas.edges]
    graph = sparse.coo_matrix((np.ones(len(ends)), ends.T), (n, n)).tocsr()
    graph = graph + graph.T
    piece = connected_components(graph, directed=False)[1]
    label, used = np.empty(n, int), 0
    for p, share in enumerate(_shares(np.bincount(piece[block_of], areas.people), np.bincount(piece), count)):
        members = np.flatnonzero(piece == p)
        label[members] = used
        if share > 1:
            model = AgglomerativeClustering(n_clusters=share, linkage=linkage, connectivity=graph[members][:, members])
            label[members] = used + model.fit_predict(traits[members])
        used += share
    return label


def _shares(people: Array, blocks: Array, count: int) -> list[int]:
    """How many districts each piece of the map gets: one each, then the next to where most people share one (D'Hondt)."""
    share = np.ones(len(people), int)
    for _ in range(count - len(people)):
        share[np.argmax(np.where(share < blocks, people / (share + 1), -1.0))] += 1
    return share.tolist()
