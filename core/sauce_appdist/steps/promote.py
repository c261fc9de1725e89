"""Promote a build in one go: find, check, gate, copy, annotate and tag, invite."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple, Self

from pydantic import model_validator

from sauce_appdist.errors import AppDistError, PartialSuccessError, ServiceError
from sauce_appdist.interface.inputs import BuildInputs, option
from sauce_appdist.interface.outputs import BuildOutputs, output
from sauce_appdist.interface.types import Tags
from sauce_appdist.steps import annotate, copy, find, invite, tag
from sauce_appdist.steps.gate.options import GateOptions, GateOutputs
from sauce_appdist.steps.gate.step import Gate
from sauce_appdist.steps.groups import Directory
from sauce_appdist.steps.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sauce_appdist.steps.context import Context
    from sauce_appdist.steps.groups import GroupMatch


class Inputs(
    invite.InviteOptions, tag.TagOptions, annotate.AnnotateOptions, copy.CopyOptions, GateOptions, BuildInputs
):
    """All inputs of the single steps; a part whose inputs you omit does not run."""

    source_tags: Tags | None = option(None, "Tags for the original of the copy. Needs to-folder.")

    @model_validator(mode="after")
    def _fit(self) -> Self:
        needs = {
            "to-folder": (
                ("copied-app-name", self.copied_app_name),
                ("copy-groups", self.copy_groups),
                ("copy-project-groups", self.copy_project_groups),
                ("source-tags", self.source_tags),
                ("allow-all-testers", self.allow_all_testers != "inherit"),
                ("if-exists", self.if_exists == "skip"),
                ("notify: if-copied", self.notify == "if-copied"),
            ),
            "groups": (
                ("message", self.message),
                ("notify", self.notify != "false"),
                ("allow-notify-everybody", self.allow_notify_everybody),
            ),
            "tags": (("tags-mode", self.tags_mode != "replace" and not self.source_tags),),
        }
        for needed, wanting in needs.items():
            for name, given in wanting:
                if given and not getattr(self, needed.replace("-", "_")):
                    raise ValueError(f"{name} needs {needed}: set {needed}, or omit {name}")
        if alone := self.without_check():
            raise ValueError(f"{alone[0]} needs a check of the gate: set one, such as min-sessions or max-crash-rate")
        if not (self.to_folder or self.tags or self.groups or self.annotates()):
            raise ValueError(
                "nothing to promote: set at least one of to-folder, tags, release-notes, metadata or groups"
            )
        return self


class Outputs(invite.InviteOutputs, annotate.AnnotateOutputs, copy.CopyOutputs, GateOutputs, BuildOutputs):
    """What every part did."""

    completed_steps: list[str] | None = output("Parts that are done, in order.", dotenv=True)
    failed_step: str | None = output("Part that failed; empty if none failed, or none began.", dotenv=True)


class Plan(NamedTuple):
    """What the promotion will do, checked as far as GETs can check it."""

    inputs: Inputs
    source: find.Target
    update: annotate.Update
    copy_groups: copy.CopyGroups
    groups: list[GroupMatch]
    notify: bool
    invitation: str
    gate: str

    @property
    def writes(self) -> dict[str, str]:
        """The parts that write, and what each has to do; what cannot be undone comes last."""
        inputs, name = self.inputs, find.name_of(self.source)
        what = "the copy" if inputs.to_folder else "the build"
        parts: dict[str, str] = {}
        if inputs.to_folder:
            renamed = f" as {inputs.copied_app_name}" if inputs.copied_app_name else ""
            parts["copy"] = f"{name} to {inputs.to_folder}{renamed}"
        if inputs.annotates():
            parts["annotate"] = f"{what}: {self.update._replace(tags=None)}"
        if inputs.tags:
            parts["tag"] = f"{what}, {inputs.tags_mode}: {', '.join(inputs.tags)}"
        if inputs.source_tags:
            parts["source-tag"] = f"the original, {inputs.tags_mode}: {', '.join(inputs.source_tags)}"
        if self.groups:
            parts["invite"] = self.invitation
        return parts

    @property
    def omits(self) -> list[str]:
        """What the inputs do not ask for, as far as it matters."""
        inputs, omitted = self.inputs, []
        if not inputs.to_folder:
            omitted.append("No copy: to-folder is off. All of this happens to the build itself.")
        if not self.groups:
            omitted.append("Nobody is invited: groups is not set.")
        elif inputs.notify == "false":
            omitted.append("No mail is requested: notify is false.")
        return omitted

    def __str__(self) -> str:
        writes = self.writes
        if self.groups and self.inputs.notify == "if-copied":
            writes["invite"] += "; only if a copy is made"
        lines = [f"  {number}. {part:<10} {what}" for number, (part, what) in enumerate(writes.items(), 1)]
        return "\n".join([*lines, f"  Gate: {self.gate}", *(f"  {line}" for line in self.omits)])


def run(inputs: Inputs, context: Context, out: Outputs) -> None:
    """Send, with ids, folder and groups: 4 GET (build, groups, projects, copy), 2 POST, 1 PATCH."""
    Promotion(inputs, context, out).run()


class Promotion:
    """One promotion, part by part; the ledger always tells what is done and what is not."""

    def __init__(self, inputs: Inputs, context: Context, out: Outputs) -> None:
        self._inputs, self._context, self._out = inputs, context, out
        self._ledger = Ledger()
        self._gate = Gate(inputs, context, out, writes=True) if inputs.gates() else None
        self._publish()
        context.ci.report.title = "Promotion"

    def run(self) -> None:
        """Promote. Raises the error of the failing part, as PartialSuccessError once anything was written."""
        inputs, context, out, ledger = self._inputs, self._context, self._out, self._ledger
        with self._part("find"):
            source = find.resolve(inputs, context, read=True, to_folder=inputs.to_folder)
            find.describe(source, context, out)
            ledger.note("find", find.name_of(source))
        with self._part("check"):
            plan = self._check(source)
            ledger.note("check", "groups, files and inputs are valid")
            ledger.plan({**({"gate": ""} if self._gate else {}), **plan.writes})
            context.ci.info(f"The plan{' (dry run: nothing is written)' if context.dry_run else ''}:\n{plan}")
        target = source
        if self._gate:
            with self._part("gate"):
                self._gate.judge()
                # Keep what has changed since, such as new tags.
                source = target = self._gate.as_sampled(source)
                self._note_gate()
        context.ci.report.notes = plan.update.release_notes
        if inputs.to_folder:
            with self._part("copy"):
                target = copy.copy(
                    inputs,
                    inputs.to_folder,
                    plan.copy_groups,
                    source,
                    context,
                    out,
                    before=self._look_again,
                )
                find.fill_app(target, out)
                if out.copied is False and out.promoted_build_id:
                    there = f"build {target.build_id} in project {target.project_id}"
                    ledger.note("copy", f"not made: there is {there} already")
        if {"annotate", "tag"} & plan.writes.keys():
            with self._part(*(part for part in plan.writes if part in {"annotate", "tag"})):
                self._update(plan, target)
        if inputs.source_tags:
            with self._part("source-tag"):
                source = self._gate.as_sampled(source) if self._gate else source
                self._tag_source(source, inputs.source_tags)
        if plan.groups and inputs.notify == "if-copied" and out.copied is False and out.promoted_build_id:
            out.invited_groups, out.notified = [], False
            why = "nobody: the copy already existed"
            context.ci.info(f"Invited {why} (notify: if-copied).")
            ledger.begin(["invite"])
            ledger.note("invite", why, "not done")
            self._publish()
        elif plan.groups:
            with self._part("invite"):
                invite.invite(
                    inputs,
                    plan.groups,
                    target,
                    context,
                    out,
                    message=inputs.message or plan.update.release_notes,
                    notify=plan.notify,
                )
                if not context.dry_run:
                    ledger.note("invite", invite.describe(plan.groups, context, notify=plan.notify))
        context.ci.report.title = f"{'Would promote' if context.dry_run else 'Promoted'} {find.headline(source, out)}"

    def _look_again(self) -> None:
        """The gate once more, right before the copy."""
        if self._gate:
            with self._part("gate", section=False):
                self._gate.judge_again()
                self._note_gate()

    def _note_gate(self) -> None:
        verdict, reason = self._out.verdict, self._out.reason or ""
        passed = verdict == "passed"
        self._ledger.note("gate", reason if passed else f"{verdict}: {reason}", "done" if passed else "unknown")

    def _check(self, source: find.Target) -> Plan:
        """Find everything that is bound to fail, with GETs only."""
        inputs, context = self._inputs, self._context
        directory = Directory(context.client, context.ci.info)
        copy_groups = copy.check_groups(inputs, directory, context)
        groups = directory.match(inputs.groups, "groups") if inputs.groups else []
        if source.build:  # a copy has the same tags
            for tags in filter(None, (inputs.tags, inputs.source_tags)):
                tag.merged(tags, inputs.tags_mode, source.build, lambda _: None)
        if self._gate:
            self._gate.prepare(source, directory)
            if inputs.to_folder and inputs.if_exists == "skip":  # not only after hours of waiting
                copy.check_recognizable(inputs, inputs.to_folder, source, context.client.projects.list())
        notify = bool(groups) and invite.notifies(inputs, context)
        if groups:
            invite.check_reach(inputs, context)
        return Plan(
            inputs=inputs,
            source=source,
            update=annotate.plan(inputs, directory, context),
            copy_groups=copy_groups,
            groups=groups,
            notify=notify,
            invitation=invite.describe(groups, context, notify=notify, tense="plan"),
            gate=self._gate.checks if self._gate else "none",
        )

    def _update(self, plan: Plan, target: find.Target) -> None:
        """Annotations and tags, in one PATCH."""
        inputs, update = self._inputs, plan.update
        if inputs.tags:
            tags = tag.merged(inputs.tags, inputs.tags_mode, target.build, self._context.ci.info)
            update = update._replace(tags=tags)
        written = annotate.send(update, target, self._context, self._out)
        written.into(self._out)
        done, report = written.confirmed, self._context.ci.report
        report.notes = done.release_notes
        report.fact("Tags", ", ".join(self._out.tags or []))
        report.fact("Metadata", ", ".join(f"{key}={value}" for key, value in (done.metadata or {}).items()))
        report.fact("Landing page", done.landing_page_mode)
        if done.groups is not None:
            report.fact("May install", ", ".join(done.groups) or "no group")
        written.check()
        if "groups" in written.unconfirmed and plan.groups:
            raise PartialSuccessError(
                "The service does not show whether it has set the permission groups, so nobody is invited: testers may "
                "not be able to install the build. Set the permission groups in the dashboard, and omit "
                "permission-groups (or clear-permission-groups)."
            )

    def _tag_source(self, source: find.Target, tags: list[str]) -> None:
        update = annotate.Update(tags=tag.merged(tags, self._inputs.tags_mode, source.build, self._context.ci.info))
        written = annotate.send(update, source, self._context)
        if written.shown.tags is not None:
            self._context.ci.report.fact("Tags of the original", ", ".join(written.shown.tags) or "none")
        written.check()

    @contextmanager
    def _part(self, *names: str, section: bool = True) -> Iterator[None]:
        """A section of the log, unless it is within one; records what was done, or which part failed."""
        ledger, ci = self._ledger, self._context.ci
        reads, copies = names[0] in {"find", "check", "gate"}, names == ("copy",)
        ledger.begin(names)
        try:
            with ci.section(" and ".join(names)) if section else nullcontext():
                yield
        except Exception as error:
            if ledger.failed:
                raise  # a part within this one has recorded it
            unknown = isinstance(error, PartialSuccessError) and error.unknown
            # A copy may have been made, but not as requested.
            ledger.fail(names, " ".join(str(error).split()), unknown=unknown, wrote=copies and self._out.copied is True)
            self._publish()
            ci.report.title = f"Promotion stopped at {ledger.failed}"
            if not ledger.written and not isinstance(error, PartialSuccessError):
                raise
            raise PartialSuccessError(self._advice(error, names, unknown=unknown)) from error
        planned = self._context.dry_run and not reads
        found = copies and self._out.copied is not True  # the copy already existed
        ledger.complete(names, planned=planned, wrote=not (reads or planned or found))
        self._publish()

    def _publish(self) -> None:
        """Update outputs and summary from the ledger."""
        self._out.completed_steps, self._out.failed_step = self._ledger.completed, self._ledger.failed
        self._context.ci.report.parts = self._ledger.results()

    def _advice(self, error: Exception, names: tuple[str, ...], *, unknown: bool) -> str:
        """What is done, what is not, and how to continue without doing anything twice."""
        out, written, rest = self._out, self._ledger.written, self._ledger.remaining
        bug = "" if isinstance(error, AppDistError) else f" ({type(error).__name__}: a bug, please report it)"
        unsure = unknown or (isinstance(error, ServiceError) and error.sent)
        undone = [] if unsure or isinstance(error, PartialSuccessError) else list(names)  # else the error says it
        lines = [
            f"{' and '.join(names)} failed: {error}{bug}",
            f"Done: {', '.join(written) or 'nothing that writes'}."
            + (f" Unknown: {', '.join(names)}." if unsure else "")
            + (f" Not done: {', '.join([*undone, *rest])}." if undone or rest else ""),
        ]
        located = out.promoted_project_id is not None
        project_id = out.promoted_project_id if located else out.project_id
        ids = f"project-id: {project_id}, build-id: {out.promoted_build_id if located else out.build_id}"
        if unknown and names == ("invite",):
            lines.append(
                f"Do not run promote again. Check the build's invitations: if they are missing, run the invite step "
                f"with {ids}."
            )
        elif located and out.copied is True:
            lines.append(
                f"To continue, run promote with {ids} (the copy) and omit {copy.INPUTS_TO_OMIT}: this does not "
                "copy it again."
            )
        elif out.promoted_build_id and out.copied is True:
            lines.append(
                f"To continue, find the copy (build-id: {out.promoted_build_id}) in the dashboard, run promote with "
                f"its build-url and omit {copy.INPUTS_TO_OMIT}."
            )
        elif written:
            lines.append(f"To continue, run promote again with {ids}: writing the same values again does no harm.")
        uninvited = "invite" in rest or (names == ("invite",) and not unknown)
        if self._inputs.notify == "if-copied" and out.copied is True and uninvited:
            lines.append("Set notify: true there: a later run of this promotion mails nobody.")
        if "source-tag" in rest and out.promoted_build_id and out.copied is True:
            lines.append("Tag the original with a separate tag step.")
        return "\n".join(lines)
