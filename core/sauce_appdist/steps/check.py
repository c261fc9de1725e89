"""Check the connection: region, host, sign-in method, visible projects and kind of server."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

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

    region: str | None = output("Region of the host; empty for a host of no region.")
    host: str | None = output("Host that the step connected to.")
    sign_in: str | None = output("Sign-in method, by its name in docs/reference/sign-in.md.")
    projects: int | None = output("Number of projects that the account can see.")
    dialect: str | None = output("classic, or compat for a newer server that has announced the end of this API.")
    sunset: str | None = output("Date of that end, as the service writes it; empty if it sends none.")


def run(_: Inputs, context: Context, out: Outputs) -> None:
    """Send one GET for the projects."""
    url = context.client.transport.base_url
    out.region, out.host = region_of_host(url), urlsplit(url).netloc
    out.sign_in = context.client.transport.signs_in_with
    context.ci.report.title = f"Not signed in to {out.host}"
    for label, text in (("Host", out.host), ("Region", out.region), ("Sign-in", out.sign_in)):
        context.ci.report.fact(label, text)
    out.projects = len(context.client.projects.list())
    out.dialect, out.sunset = "compat" if context.client.transport.newer else "classic", context.client.transport.sunset
    context.ci.report.title = f"Connected to {out.host}, which shows {plural(out.projects, 'project')}"
    context.ci.report.fact("Server", out.dialect + (f", until {out.sunset}" if out.sunset else ""))
    context.ci.info(context.ci.report.title)
