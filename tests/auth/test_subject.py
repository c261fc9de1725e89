"""`check` prints whom the job's ID token is about, to paste into the settings of whoever trusts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auth.support import CLIENT, JOB_AUDIENCE, Job, assert_hidden
from harness import API_KEY
from identity import Trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Run
    from identity import IdentityProvider


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_of_a_job_that_signs_in(run: Run, hosted: IdentityProvider, trust: Callable[..., None], name: str) -> None:
    job = Job(name, hosted)
    trust(hosted, audience=JOB_AUDIENCE)
    done = run("check", env=job.environ, **job.inputs)
    assert done.code == 0, done.log
    assert f"The subject of this job's ID token is {job.subject}" in (done.log + done.text).splitlines()
    assert_hidden(done.log + done.text, job.secret)


def test_of_a_job_that_nobody_trusts_yet(run: Run, identity: IdentityProvider, hosted: IdentityProvider) -> None:
    """That is when it is needed."""
    job = Job("github", hosted)
    identity.trust = Trust(hosted, JOB_AUDIENCE, "somebody else")
    asking = {"oidc_issuer": identity.issuer, "oidc_client_id": CLIENT, "oidc_exchange": "client-assertion"}
    done = run("check", env=job.environ, **job.inputs, **asking)
    assert done.code == 3
    assert f"The subject of this job's ID token is {job.subject}" in (done.log + done.text).splitlines()


def test_not_of_a_key(run: Run) -> None:
    done = run("check", api_key=API_KEY)
    assert done.code == 0, done.log
    assert "subject" not in done.log + done.text
