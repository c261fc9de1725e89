"""Invite tester groups to a build, with or without an e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import model_validator

from sauce_appdist.errors import InputError, PartialSuccessError, ServiceError
from sauce_appdist.interface.inputs import BuildInputs, StepInputs, option, required
from sauce_appdist.interface.outputs import StepOutputs, output
from sauce_appdist.interface.types import Items, Prose, Word
from sauce_appdist.steps import find
from sauce_appdist.steps.groups import Directory, describe_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sauce_appdist.steps.context import Context
    from sauce_appdist.steps.groups import GroupMatch


class InviteOptions(StepInputs):
    """How testers are invited."""

    groups: Items | None = option(None, "Tester groups (name or id) to invite.", example="QA, Beta Testers")
    message: Prose | None = option(
        None, "Text of the e-mail. If you omit it, promote sends the release notes.", multiline=True
    )
    notify: Annotated[Literal["false", "true", "first-attempt", "if-copied"], Word] = option(
        "false",
        "Whether to mail every tester of the groups. first-attempt mails only on the first attempt of a run (GitHub); "
        "if-copied invites and mails only if this promotion made a copy.",
    )


class Inputs(InviteOptions, BuildInputs):
    """A build and who is invited."""

    groups: Items = required(InviteOptions, "groups")

    @model_validator(mode="after")
    def _no_copy(self) -> Self:
        if self.notify == "if-copied":
            raise ValueError("notify is if-copied, but only promote makes copies: set true, false or first-attempt")
        return self


class InviteOutputs(StepOutputs):
    """Who was invited."""

    invited_groups: list[str] | None = output("Groups that were invited.", dotenv=True)
    notified: bool | Literal["unknown"] | None = output(
        "true if their testers were mailed; unknown if the service did not answer.", dotenv=True
    )


class Outputs(InviteOutputs):
    """Who was invited."""


def run(inputs: Inputs, context: Context, out: Outputs) -> None:
    """Send one GET for the groups and one POST."""
    notify = notifies(inputs, context)
    groups = Directory(context.client, context.ci.info).match(inputs.groups, "groups")
    target = find.resolve(inputs, context, read=False)
    context.ci.report.title = f"Invite testers to {find.name_of(target)}"
    context.ci.report.fact("Build", find.name_of(target), find.link(context, target))
    invite(groups, target, context, out, message=inputs.message, notify=notify)
    context.ci.report.title = f"{'Would invite' if context.dry_run else 'Invited'} testers to {find.name_of(target)}"


def notifies(inputs: InviteOptions, context: Context) -> bool:
    """Whether this run mails. Raises InputError if `first-attempt` is set and the attempt is unknown."""
    if inputs.notify != "first-attempt":
        return inputs.notify in {"true", "if-copied"}
    attempt = context.ci.job.attempt
    if attempt is None:
        raise InputError(
            "notify is first-attempt, but only GitHub Actions tells a job which attempt it is: "
            "set true or false. Nothing was sent."
        )
    if attempt > 1:
        context.ci.warning(f"This is attempt {attempt} of the run, so nobody is mailed (notify: first-attempt).")
    return attempt == 1


def invite(
    groups: Sequence[GroupMatch],
    target: find.Target,
    context: Context,
    out: InviteOutputs,
    *,
    message: str | None,
    notify: bool,
) -> None:
    """Invite once, never again. Raises PartialSuccessError if it is unknown whether the service sent mails."""
    who = describe_groups(groups, mailed=notify)
    if context.dry_run:
        out.invited_groups, out.notified = [], False
        context.ci.info(f"Would invite to build {target.build_id}: {who}.")
        context.ci.report.fact("Would invite", who)
        return
    try:
        context.client.builds.invite(
            target.project_id,
            target.build_id,
            groups=[match.reference for match in groups],
            message=message,
            notify=notify,
        )
    except ServiceError as error:
        if not error.sent:
            raise
        out.notified = "unknown" if notify else False
        context.ci.report.fact("Invited", f"unknown: {describe_groups(groups)}")
        raise PartialSuccessError(
            f"{error} It is unknown whether {describe_groups(groups)} were invited{' and mailed' if notify else ''}; "
            "the step did not send it again. Check the build's invitations before you invite again"
            + (", and set notify: false then." if notify else "; without mails, that does no harm."),
            unknown=True,
        ) from None
    out.invited_groups, out.notified = [match.group.name for match in groups], notify
    context.ci.info(f"Invited {who}.")
    context.ci.report.fact("Invited", who)
