"""Assignment of puzzle tiles to positions."""

import numpy as np


def assign(scores: np.ndarray) -> np.ndarray:
    """Finds the assignment of rows to columns with the largest sum of scores, by shortest augmenting paths.

    Rows are inserted one by one. For each, Dijkstra's algorithm finds the cheapest path of reassignments to a free
    column; the dual variables u and v keep every reduced cost at 0 or more. The time is O(num^3).

    Args:
        scores: [num, num], finite.

    Returns:
        The column of each row, int64 [num].

    Raises:
        ValueError: for a matrix that is not square, or values that are not finite.

    Example:
        >>> assign(np.array([[0.0, 1.0], [1.0, 0.0]]))
        array([1, 0])
    """
    costs = -np.asarray(scores, np.float64)
    if costs.ndim != 2 or costs.shape[0] != costs.shape[1] or not np.all(np.isfinite(costs)):
        raise ValueError(f"Expected a square matrix of finite scores; received the shape {list(costs.shape)}")
    num = len(costs)
    u, v = np.zeros(num), np.zeros(num)
    row_of = np.full(num, -1)
    for start in range(num):
        distance, reached_from = np.full(num, np.inf), np.full(num, -1)
        done = np.zeros(num, bool)
        row, column, length = start, -1, 0.0
        while row >= 0:
            candidate = length + costs[row] - u[row] - v
            better = ~done & (candidate < distance)
            distance[better], reached_from[better] = candidate[better], column
            column = int(np.argmin(np.where(done, np.inf, distance)))
            length, done[column] = distance[column], True
            row = row_of[column]
        visited = done.copy()
        visited[column] = False  # the free column
        u[row_of[visited]] += length - distance[visited]
        u[start] += length
        v[visited] -= length - distance[visited]
        while column >= 0:  # back along the path: each column takes the row of its predecessor
            previous = reached_from[column]
            row_of[column] = row_of[previous] if previous >= 0 else start
            column = previous
    return np.argsort(row_of)
