"""When the gate looks again, and when it stops."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

from sauce_appdist.steps.gate.options import LONGEST_INTERVAL, SHORTEST_INTERVAL
from sauce_appdist.verdict.checks import Check, CheckState, worst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sauce_appdist.steps.gate.options import GateOptions

_SLOWER = 1.1  # from one pause to the next


class PollSchedule:
    """Decides after each look whether there is another, and when. Times are seconds since the gate began to look."""

    def __init__(self, inputs: GateOptions) -> None:
        self._inputs = inputs
        self._pause = inputs.interval
        self._errors = 0
        self.passes = 0  # in a row

    @property
    def satisfied(self) -> bool:
        """Whether enough looks in a row have passed."""
        return self.passes >= self._inputs.consecutive_passes

    def after(self, checks: Sequence[Check], elapsed: float) -> float | None:
        """Seconds until the next look; None if it would change nothing, or if the time is over."""
        state = worst(checks)
        self._errors = 0
        self.passes = self.passes + 1 if state is CheckState.PASSED else 0
        last = timedelta(seconds=max(self._inputs.wait - elapsed, SHORTEST_INTERVAL))
        pending = [check for check in checks if check.state is CheckState.PENDING]
        hopeless = state is CheckState.INCONCLUSIVE or any(check.to_go > last for check in pending)
        # The gate cannot pass any more. If that does not fail the job, a pending check still may.
        hopeless = hopeless and (self._inputs.fails_if_inconclusive or not pending)
        if self.satisfied or hopeless or state in {CheckState.FAILED, CheckState.ERROR}:
            return None
        return self._next(elapsed)

    def after_error(self, elapsed: float) -> float | None:
        """Seconds until the next look after an error; None if the error ends the gate."""
        self._errors += 1
        self.passes = 0
        return None if self._errors >= self._inputs.max_consecutive_errors else self._next(elapsed)

    def _next(self, elapsed: float) -> float | None:
        left = self._inputs.wait - elapsed
        if left <= 0:
            return None
        slowest = max(LONGEST_INTERVAL, self._inputs.interval)
        pause = min(self._pause * random.uniform(1.0, 1.2), slowest)  # noqa: S311 - so that not all jobs look at once
        self._pause = min(self._pause * _SLOWER, slowest)
        # The last look comes when the time is over, but not too soon after the one before.
        return max(left if left - pause < SHORTEST_INTERVAL else pause, SHORTEST_INTERVAL)
