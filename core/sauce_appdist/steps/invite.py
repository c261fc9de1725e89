"""Invite tester groups to a build, with or without an e-mail."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import model_validator

from sauce_appdist.errors import InputError, PartialSuccessError, ServiceError
from sauce_appdist.interface.inputs import BuildInputs, StepInputs, option, required
from sauce_appdist.interface.outputs import AppOutputs, output, unknown_while_sent
from sauce_appdist.interface.types import Flag, Items, Prose, Word
from sauce_appdist.steps import find
from sauce_appdist.steps.groups import Directory, count_testers, describe_groups
from sauce_appdist.text import plural

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
    allow_notify_everybody: Flag = option(
        False,
        "Whether notify may mail every tester of the app. A newer server may ignore groups; there the step refuses to "
        "mail without this.",
    )


class Inputs(InviteOptions, BuildInputs):
    """A build and who is invited."""

    groups: Items = required(InviteOptions, "groups")

    @model_validator(mode="after")
    def _no_copy(self) -> Self:
        if self.notify == "if-copied":
            raise ValueError("notify is if-copied, but only promote makes copies: set true, false or first-attempt")
        return self


class InviteOutputs(AppOutputs):
    """Who was invited."""

    invited_groups: list[str] | None = output(
        "Groups that the invitation names. A newer server may invite more testers.", dotenv=True
    )
    notified: bool | Literal["unknown"] | None = output(
        "true if their testers were mailed; unknown if the service did not answer, or is a newer server, which does "
        "not tell whom it mails.",
        dotenv=True,
    )

    def lasting(self) -> bool:
        return bool(self.invited_groups or self.notified) or super().lasting()


class Outputs(InviteOutputs):
    """Who was invited."""


def run(inputs: Inputs, context: Context, out: Outputs) -> None:
    """Send one GET for the groups, one for the build, and one POST. The GETs show what kind of server it is."""
    notify = notifies(inputs, context)
    groups = Directory(context.client, context.ci.info).match(inputs.groups, "groups")
    target = find.resolve(inputs, context, read=True)
    find.introduce(target, context, out)
    context.ci.report.title = f"Invite testers to {find.headline(target, out)}"
    check_reach(inputs, context)
    invite(inputs, groups, target, context, out, message=inputs.message, notify=notify)
    context.ci.report.title = (
        f"{'Would invite' if context.dry_run else 'Invited'} testers to {find.headline(target, out)}"
    )


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


def check_reach(inputs: InviteOptions, context: Context) -> None:
    """Say, before anything is written, whom a newer server may invite (docs/reference/api-facts.md#inviting-testers).

    Raises InputError if it may mail every tester of the app, and the inputs do not allow that.
    """
    _refuse_everybody(inputs, context)
    if context.client.newer_server:
        mails = "and may mail them although notify is false" if inputs.notify == "false" else "and mail them"
        context.ci.warning(
            f"This is a newer server: it may invite every tester of the app, not only those of groups, {mails}."
        )


def _refuse_everybody(inputs: InviteOptions, context: Context) -> None:
    # In later attempts of `first-attempt` too: a re-run must not turn the refusal into a pass.
    if context.client.newer_server and inputs.notify != "false" and not inputs.allow_notify_everybody:
        raise InputError(
            f"notify is {inputs.notify}, but this is a newer server, which may mail every tester of the app and not "
            "only those of groups. If that is what you want, set allow-notify-everybody: true. To invite without "
            "asking for mails, set notify: false. Nobody was invited."
        )


def describe(
    groups: Sequence[GroupMatch], context: Context, *, notify: bool, tense: Literal["plan", "done"] = "done"
) -> str:
    """`QA (3 testers), Beta Testers (4 testers); mailed to 6 testers`: for logs and summaries."""
    done, would = tense == "done", "would" if context.dry_run else "will"
    if context.client.newer_server:
        reach = "may have been invited" if done else "may be invited"
        return f"{describe_groups(groups)}; every tester of the app {reach}{' and mailed' if notify else ''}"
    count = count_testers(groups)
    if not notify:
        mails = "not mailed"
    elif count == 0:
        mails = "nobody to mail"
    else:
        whom = "their testers" if count is None else plural(count, "tester")
        mails = f"mailed to {whom}" if done else f"{would} mail {whom}"
    return f"{describe_groups(groups)}; {mails}"


def invite(
    inputs: InviteOptions,
    groups: Sequence[GroupMatch],
    target: find.Target,
    context: Context,
    out: InviteOutputs,
    *,
    message: str | None,
    notify: bool,
) -> None:
    """Invite once, never again. Raises PartialSuccessError if it is unknown whether the service sent mails."""
    _refuse_everybody(inputs, context)
    if context.dry_run:
        who = describe(groups, context, notify=notify, tense="plan")
        out.invited_groups, out.notified = [], False
        context.ci.info(f"Would invite to build {target.build_id}: {who}.")
        context.ci.report.fact("Would invite", who)
        return
    mails = notify or context.client.newer_server
    try:
        with unknown_while_sent(out, "notified") if mails else nullcontext():
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
        if not mails:
            out.notified = False
        context.ci.report.fact("Invited", f"unknown: {describe_groups(groups)}")
        raise PartialSuccessError(
            f"{error} It is unknown whether {describe_groups(groups)} were invited{' and mailed' if notify else ''}; "
            "the step did not send it again. Check the build's invitations before you invite again"
            + (", and set notify: false then." if notify else "; without mails, that does no harm."),
            unknown=True,
        ) from None
    out.invited_groups = [match.group.name for match in groups]
    if context.client.newer_server:
        out.notified = "unknown"
    else:
        out.notified = notify and count_testers(groups) != 0
        if notify and not out.notified:
            context.ci.warning(f"{describe_groups(groups)}: these groups have no testers, so there is nobody to mail.")
    who = describe(groups, context, notify=notify)
    context.ci.info(f"Invited {who}.")
    context.ci.report.fact("Invited", who)
