"""Check the connection: region, host, sign-in method, visible projects and kind of server."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sauce_appdist.api.projects import ask_v3
from sauce_appdist.errors import AuthError, ServiceError
from sauce_appdist.interface.inputs import ConnectionInputs
from sauce_appdist.interface.outputs import StepOutputs, output
from sauce_appdist.text import plural
from sauce_appdist.wire.regions import region_of_host

if TYPE_CHECKING:
    from sauce_appdist.steps.context import Context


class Inputs(ConnectionInputs):
    """The connection, and nothing else."""


class Outputs(StepOutputs):
    """The facts of the connection."""

    region: str | None = output("Region of the host; empty if the host belongs to none.")
    host: str | None = output("Host that the step connected to.")
    sign_in: str | None = output("Sign-in method, by its name in docs/reference/sign-in.md.")
    projects: int | None = output("Number of projects that the account can see.")
    dialect: str | None = output("classic, or compat if a response shows that it is a newer server.")
    sunset: str | None = output("Date on which the service ends this API, as it writes it; empty if it sends none.")


def run(_: Inputs, context: Context, out: Outputs) -> None:
    """Send one GET for the projects, and one to v3 if the server hides why it refuses."""
    url = context.client.transport.base_url
    out.region, out.host = region_of_host(url), urlsplit(url).netloc
    out.sign_in = context.client.transport.signs_in_with
    context.ci.report.title = f"Not signed in to {out.host}"
    for label, text in (("Host", out.host), ("Region", out.region), ("Sign-in", out.sign_in)):
        context.ci.report.fact(label, text)
    try:
        out.projects = len(context.client.projects.list())
    except AuthError as refused:
        raise _with_reason(refused, context) if refused.hidden else refused from None
    finally:
        _tell_subject(context)
    out.dialect, out.sunset = "compat" if context.client.newer_server else "classic", context.client.transport.sunset
    context.ci.report.title = f"Connected to {out.host}, which shows {plural(out.projects, 'project')}"
    context.ci.report.fact("Server", out.dialect + (f", until {out.sunset}" if out.sunset else ""))
    context.ci.info(context.ci.report.title)


def _tell_subject(context: Context) -> None:
    """Show whom the job's ID token is about, to paste into the settings of whoever trusts it."""
    if subject := context.client.transport.job_subject:
        context.ci.report.fact("Subject", subject)
        context.ci.info(f"The subject of this job's ID token is {subject}")


def _with_reason(refused: AuthError, context: Context) -> AuthError:
    """The error with the reason that the server hides: v3 names it (docs/reference/api-facts.md#wrong-credentials)."""
    asked = f"The service says {refused.reason!r} whatever the cause, so v3 is asked with the same credentials"
    try:
        ask_v3(context.client.transport)
    except AuthError as told:
        if told.reason and not told.hidden:
            context.ci.info(f"{asked}: it says {told.reason!r}.")
            return told
        failure: ServiceError = told
    except ServiceError as error:
        failure = error
    else:
        context.ci.info(f"{asked}: it accepts them.")
        return AuthError(
            f"{refused.message} But /api/v3/projects accepts the same credentials: the key is right, and this server "
            f"wants it in another form for v1. {context.client.transport.sign_in_hint}".rstrip(),
            status=refused.status,
            reason=refused.reason,
        )
    context.ci.info(f"{asked}: it tells no reason ({failure}).")
    return AuthError(refused.message, status=refused.status, reason=refused.reason)
