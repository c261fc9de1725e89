"""The upper bound of a crash rate, against exact arithmetic."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings, strategies as st

from sauce_appdist.verdict.statistics import upper_bound


def at_most(crashes: int, count: int, rate: Fraction) -> Fraction:
    """The binomial probability of at most so many crashes, exactly."""
    return sum(
        (math.comb(count, one) * rate**one * (1 - rate) ** (count - one) for one in range(crashes + 1)), Fraction(0)
    )


@pytest.mark.parametrize(
    ("crashes", "count", "confidence", "bound"),
    [
        (0, 1, 0.95, 0.95),
        (0, 20, 0.95, 0.1391083),
        (0, 300, 0.95, 0.00993608),
        (1, 10, 0.95, 0.3941633),
        (1, 300, 0.95, 0.01571455),
        (10, 100, 0.975, 0.1762226),  # the upper end of the two-sided interval at 95 %
        (5, 10, 0.975, 0.8129136),
        (9, 10, 0.95, 0.9948838),
        (0, 10**9, 0.95, 2.9957323e-9),
        (7, 7, 0.95, 1.0),
        (8, 7, 0.95, 1.0),
        (0, 0, 0.95, 1.0),
        (-1, 7, 0.95, 1.0),
        (0, -7, 0.95, 1.0),
        (0, 7, 1.0, 1.0),
        (0, 7, 0.0, 1.0),
        (0, 7, math.nan, 1.0),
        (50, 100, 0.05, 0.5),  # where it would be below the rate itself
    ],
)
def test_known_bounds(crashes: int, count: int, confidence: float, bound: float) -> None:
    assert upper_bound(crashes, count, confidence) == pytest.approx(bound, rel=1e-6 if bound < 1 else 0)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 120).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))), st.floats(0.5, 0.999999))
def test_the_bound_is_the_rate_at_which_so_few_crashes_are_just_too_unlikely(few: tuple[int, int], sure: float) -> None:
    bound = Fraction(upper_bound(*few, sure))
    accuracy = Fraction(1, 10**11)
    assert at_most(*few, bound * (1 - accuracy)) > 1 - Fraction(sure)
    assert at_most(*few, min(Fraction(1), bound * (1 + accuracy))) < 1 - Fraction(sure)


@pytest.mark.parametrize(("crashes", "count"), [(3, 10**9), (1000, 10**6), (2 * 10**5, 10**9), (10**6, 10**9)])
def test_the_bound_holds_for_huge_counters(crashes: int, count: int) -> None:
    bound = Decimal(upper_bound(crashes, count, 0.95))
    odds = bound / (1 - bound)
    total = term = (count * (1 - bound).ln()).exp()  # 28 digits, from no crash at all upwards
    for one in range(crashes):
        term *= (count - one) * odds / (one + 1)
        total += term
    assert float(total) == pytest.approx(0.05, rel=1e-7)


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(0, 3000), st.floats(0.5, 0.999999))
def test_the_bound_falls_with_sessions_and_rises_with_crashes_and_confidence(n: int, k: int, sure: float) -> None:
    bound = upper_bound(k, n, sure)
    assert min(1.0, k / n) <= bound <= 1.0
    assert upper_bound(k, n + 1, sure) <= bound <= upper_bound(k + 1, n, sure)
    assert upper_bound(k, n, (sure + 1) / 2) >= bound
