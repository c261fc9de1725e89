"""What a number of crashes says of the rate behind it."""

from __future__ import annotations


def upper_bound(crashes: int, sessions: int, confidence: float) -> float:
    """The exact one-sided upper bound of a rate (Clopper and Pearson, Biometrika 26, 1934), at least the rate itself.

    The largest rate at which that few crashes would still happen with a probability of 1 - `confidence`; 1 where
    nothing can be said.
    """
    if not (0 <= crashes < sessions and 0 < confidence < 1):
        return 1.0
    low, high = crashes / sessions, 1.0
    while high - low > 1e-15 * high:
        middle = (low + high) / 2
        if _likely(crashes, sessions, middle, confidence):
            low = middle
        else:
            high = middle
    return high


def _likely(crashes: int, sessions: int, rate: float, confidence: float) -> bool:
    """Whether at most so many crashes have a binomial probability above 1 - `confidence`; `rate` is above theirs.

    Terms are relative to that of exactly so many crashes, and both sums end where no more term can be felt: that
    takes some thousand terms for a million crashes, and no logarithms of huge factorials, which are not exact.
    """
    odds = rate / (1 - rate)
    fewer = term = 1.0
    for count in range(crashes, 0, -1):
        term *= count / ((sessions - count + 1) * odds)
        fewer += term
        if term < fewer * 1e-20:
            break
    most = fewer * confidence / (1 - confidence)
    more, term = 0.0, 1.0
    for count in range(crashes + 1, sessions + 1):
        term *= (sessions - count + 1) * odds / count
        more += term
        if more >= most or term < more * 1e-20:
            break
    return more < most
