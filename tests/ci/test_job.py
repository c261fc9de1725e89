"""What a job tells of itself."""

from __future__ import annotations

from sauce_appdist.ci.base import Job


def test_metadata_of_the_run_leaves_out_what_is_unknown() -> None:
    assert Job(commit="a", attempt=3).metadata() == {"commit": "a"}
