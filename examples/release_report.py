"""Report, as Markdown, what testers did with the newest build of every app, and what admins did since a date.

pip install sauce-appdist
export APPDIST_EMAIL=ci@example.com APPDIST_API_KEY=...
python release_report.py 2026-05-01 >> "$GITHUB_STEP_SUMMARY"
"""

from __future__ import annotations

import sys
from itertools import islice

from sauce_appdist import AppDistError, Client


def report(client: Client, since: str) -> None:
    """Print the report."""
    feedbacks = client.feedbacks.list()
    print("| App | Newest build | Sessions | Crashes | Latest feedback |\n|---|---|---|---|---|")
    for project in client.projects.list():
        build = max(client.builds.list(project.id), key=lambda one: str(one.uploaded_at or ""), default=None)
        if build is None:
            continue
        said = next((one.text for one in feedbacks if one.build_id == build.id), None) or ""
        said = " ".join(said.replace("|", "\\|").replace("<", "&lt;").split())  # it goes into a table cell
        # A counter that the service does not show is None, never 0.
        counters = ["?" if number is None else str(number) for number in (build.sessions, build.crashes)]
        print(f"| {project.name} ({project.platform}) | {build.app_version} | {' | '.join(counters)} | {said} |")

    print(f"\nWhat admins did since {since}:\n")
    # Pages are read as needed: no second page is requested unless the first has too few.
    for audit in islice(client.audits.admin_trail(start_date=since), 10):
        print(f"- {audit.timestamp}: {audit.action_label} by {audit.user_email}")


if __name__ == "__main__":
    try:
        with Client.from_env() as appdist:
            report(appdist, since=sys.argv[1] if len(sys.argv) > 1 else "2026-01-01")
    except AppDistError as error:
        sys.exit(f"{error.title}: {error}")
