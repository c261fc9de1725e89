"""Tester groups by name or id, checked before anything is written; shared by the steps that take groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauce_appdist.errors import InputError
from sauce_appdist.text import did_you_mean, one_line, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sauce_appdist.api.testers import Group
    from sauce_appdist.client import Client


class Directory:
    """The account's tester groups, read once and only when needed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._groups: list[Group] | None = None

    def match(self, asked: Sequence[str], input_name: str) -> list[Group]:
        """The groups with these names or ids. Raises InputError, which suggests similar names for unknown ones."""
        found, unknown = self.split(asked)
        if unknown:
            groups = self._all()
            names = [group.name for group in groups]
            problems = [f"{one_line(name, 60)!r}{did_you_mean(name, names)}" for name in unknown]
            known = one_line(", ".join(names), 300) or "none"
            raise InputError(f"{input_name} names unknown tester groups: {', '.join(problems)}. Known groups: {known}.")
        return found

    def split(self, asked: Sequence[str]) -> tuple[list[Group], list[str]]:
        """The groups that exist, and the names that do not."""
        groups = self._all()
        by_id = {group.id: group for group in groups}
        by_name = {group.name: group for group in groups}
        found = [by_name.get(name) or by_id.get(name) for name in asked]
        unknown = [name for name, group in zip(asked, found, strict=True) if group is None]
        return list({group.id: group for group in found if group}.values()), unknown

    def _all(self) -> list[Group]:
        if self._groups is None:
            self._groups = self._client.groups.list()
        return self._groups


def names_or_ids(groups: Sequence[Group]) -> list[str]:
    """The groups as copies and invites name them: by name, or by id if the name has a comma."""
    return [group.id if "," in group.name else group.name for group in groups]


def comma_free_names(groups: Sequence[Group], input_name: str) -> list[str]:
    """The groups as an update names them: by name only. Raises InputError for a name with a comma."""
    for group in groups:
        if "," in group.name:
            raise InputError(
                f"{input_name} contains {one_line(group.name, 60)!r}: the service splits names at commas and takes no "
                "ids here. Rename the group."
            )
    return [group.name for group in groups]


def describe_groups(groups: Sequence[Group], *, mailed: bool | None = None) -> str:
    """`QA (3 testers), Beta (unknown size); mailed to 6 testers`: for logs and summaries; no addresses."""
    text = ", ".join(
        f"{group.name} ({plural(len(group.testers), 'tester') if group.testers is not None else 'unknown size'})"
        for group in groups
    )
    if mailed is None:
        return text
    if not mailed:
        return f"{text}; not mailed"
    known = {tester.email for group in groups for tester in group.testers or []}
    everybody = all(group.testers is not None for group in groups)
    return f"{text}; mailed to {plural(len(known), 'tester') if everybody else 'their testers'}"
