"""Jobs that run core/bootstrap.sh by a real bash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bootstrap.support import Job

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("caches")


@pytest.fixture
def job(tmp_path: Path, caches: Path) -> Job:
    return Job(tmp_path / "it's späced", caches)


@pytest.fixture
def shared(job: Job) -> Job:
    job.env |= {"RUNNER_TEMP": "", "TMPDIR": str(job.temp)}
    job.temp.chmod(0o1777)
    return job
