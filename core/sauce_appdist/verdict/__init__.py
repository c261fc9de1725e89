"""Whether a build is good enough: pure functions of thresholds, what was observed, and time."""
