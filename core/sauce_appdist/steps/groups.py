"""Tester groups by name or id, checked before anything is written; shared by the steps that take groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sauce_appdist.errors import InputError
from sauce_appdist.text import did_you_mean, folded, one_line, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sauce_appdist.api.testers import Group
    from sauce_appdist.client import Client


class GroupMatch(NamedTuple):
    """A tester group, and how requests refer to it: by name or by id."""

    group: Group
    reference: str


class Directory:
    """The account's tester groups, read once and only when somebody asks."""

    def __init__(self, client: Client, say: Callable[[str], None]) -> None:
        """`say` gets a line for a name that is understood although it is spelled differently."""
        self._client, self._say = client, say
        self._groups: list[Group] | None = None

    def match(self, names: Sequence[str], input_name: str) -> list[GroupMatch]:
        """The groups of these names or ids. Raises InputError for unknown ones, with near names, and ambiguous ones."""
        found, unknown = self.split(names, input_name)
        if unknown:
            known = [group.name for group in self._all()]
            problems = [f"{one_line(name, 60)!r}{did_you_mean(name, known)}" for name in unknown]
            there = one_line(", ".join(known), 300) or "none"
            raise InputError(f"{input_name} names unknown tester groups: {', '.join(problems)}. Known groups: {there}.")
        return found

    def split(self, names: Sequence[str], input_name: str) -> tuple[list[GroupMatch], list[str]]:
        """The groups that exist, and the names that do not. Raises InputError for a name of several groups."""
        found: dict[str, GroupMatch] = {}
        unknown = []
        for name in names:
            if match := self._find(name, input_name):
                found.setdefault(match.group.id, match)
            else:
                unknown.append(name)
        return list(found.values()), unknown

    def _find(self, name: str, input_name: str) -> GroupMatch | None:
        """The one group that is meant: by its exact id or name, else by its name in another spelling."""
        groups = self._all()
        exact = [group for group in groups if name in {group.id, group.name}]
        fitting = exact or [group for group in groups if folded(group.name) == folded(name)]
        ids = {group.id for group in fitting}
        if len(ids) > 1:
            choices = ", ".join(f"{group.id} ({one_line(group.name, 60)})" for group in fitting)
            raise InputError(
                f"{input_name} has {one_line(name, 60)!r}, which fits {len(ids)} tester groups: {choices}. Set the id "
                "of the one that you mean. If the id of one is the name of another, rename that one first. Nothing was "
                "sent."
            )
        if not fitting:
            return None
        group = fitting[0]
        if not exact:
            self._say(f"{input_name}: {one_line(name, 60)!r} is the group {group.name!r} (id {group.id}).")
        return GroupMatch(group, group.id if name == group.id or self._needs_id(group) else group.name)

    def _needs_id(self, group: Group) -> bool:
        """Whether the service would take this group's name for something else: it splits, strips and knows ids."""
        name = group.name
        others = [other for other in self._all() if other.id != group.id]
        return "," in name or name != name.strip() or any(name in {other.id, other.name} for other in others)

    def names(self, names: Sequence[str], input_name: str) -> list[str]:
        """The names of groups, for an update, which takes no ids. Raises InputError for one that a name cannot tell."""
        found = self.match(names, input_name)
        for group, _ in found:
            if self._needs_id(group):
                raise InputError(
                    f"{input_name} has {one_line(group.name, 60)!r} (id {group.id}): the service would split that "
                    "name, or take it for another group, and takes no ids here. Rename the group. Nothing was sent."
                )
        return [group.name for group, _ in found]

    def _all(self) -> list[Group]:
        if self._groups is None:
            self._groups = self._client.groups.list()
        return self._groups


def describe_groups(matches: Sequence[GroupMatch]) -> str:
    """`QA (3 testers), Beta (unknown size)`: for logs and summaries; no addresses."""
    groups = [match.group for match in matches]
    return ", ".join(
        f"{group.name} ({plural(len(group.testers), 'tester') if group.testers is not None else 'unknown size'})"
        for group in groups
    )


def count_testers(matches: Sequence[GroupMatch]) -> int | None:
    """The number of different testers in the groups; None if the service does not show all their addresses."""
    members = [match.group.testers for match in matches]
    if any(testers is None for testers in members):
        return None
    emails = {tester.email for testers in members for tester in testers or []}
    return None if None in emails else len(emails)
