"""Check the connection: region, host, how it signs in, what it may see, and what the server is."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sauce_appdist.interface.inputs import ConnectionInputs
from sauce_appdist.interface.outputs import StepOutputs, output
from sauce_appdist.text import plural
from sauce_appdist.wire.regions import region_of_host

if TYPE_CHECKING:
    from sauce_appdist.ci import Ci
    from sauce_appdist.client import Client


class Inputs(ConnectionInputs):
    """The connection is all that it takes."""


class Outputs(StepOutputs):
    """What the connection is."""

    region: str | None = output("The region that was asked; empty for another host.")
    host: str | None = output("The host that was asked.")
    sign_in: str | None = output("Sign-in method, as docs/reference/sign-in.md names it.")
    projects: int | None = output("How many projects the account may see.")
    dialect: str | None = output("classic, or compat for a newer server, which has announced the end of this API.")
    sunset: str | None = output("When that end is, as the service writes it; empty where it does not tell.")


def run(_: Inputs, client: Client, ci: Ci, out: Outputs) -> None:
    """One GET of the projects."""
    url = client.transport.base_url
    out.region, out.host = region_of_host(url), urlsplit(url).netloc
    out.sign_in = client.transport.signs_in_with
    ci.report.title = f"Not signed in to {out.host}"
    for label, text in (("Host", out.host), ("Region", out.region), ("Sign-in", out.sign_in)):
        ci.report.fact(label, text)
    out.projects = len(client.projects.list())
    out.dialect, out.sunset = "compat" if client.transport.newer else "classic", client.transport.sunset
    ci.report.title = f"Connected to {out.host}, which shows {plural(out.projects, 'project')}"
    ci.report.fact("Server", out.dialect + (f", until {out.sunset}" if out.sunset else ""))
    ci.info(ci.report.title)
