"""The gate run on a build, at once or while it waits."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gate.support import OVER, THIS, Judge, Stage, Watch, Watched, agree
from harness import API_KEY, EMAIL, Outcome, Run, Service
from sauce_appdist.auth.signing import BasicAuth
from sauce_appdist.client import Client
from sauce_appdist.clock import Clock
from sauce_appdist.errors import AppDistError
from sauce_appdist.interface.environment import parse
from sauce_appdist.steps import load
from sauce_appdist.steps.context import Context
from sauce_appdist.wire.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def judge(run: Run, service: Service, tmp_path: Path) -> Judge:
    def judge(*, env: Any = None, **inputs: str) -> Outcome:
        done = run("gate", env=env, **{**THIS, **inputs})
        assert service.writes == []
        if done.outputs["verdict"]:
            agree(done.outputs, tmp_path)
        return done

    return judge


@pytest.fixture
def watch(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.chdir(tmp_path)

    def watch(
        *happenings: Callable[[], object] | str | None,
        step: str = "gate",
        at: Any = None,
        mask: str = "",
        **inputs: str,
    ) -> Watched:
        texts = {"email": EMAIL, "api_key": API_KEY, "base_url": service.url, **THIS, **inputs}
        module = load(step)
        options: Any = parse(module.Inputs, texts)
        pauses: list[float] = []
        began, passed = datetime.now(UTC), 0.0

        def sleep(seconds: float) -> None:
            nonlocal passed
            pauses.append(seconds)
            assert len(pauses) <= len(happenings), f"it waits again: {stage.said.getvalue()}"
            happening = happenings[len(pauses) - 1]
            passed += options.wait if happening == OVER else seconds
            if callable(happening):
                happening()

        clock = Clock(now=lambda: began + timedelta(seconds=passed), monotonic=lambda: passed, sleep=sleep)

        stage, outputs, code = Stage(at or {}), module.Outputs(), 0
        for secret in filter(None, (API_KEY, mask)):
            stage.mask(secret)
        with Client(
            Transport(service.url, BasicAuth(EMAIL, API_KEY), clock=Clock(sleep=sleep), retries=0, timeout=5)
        ) as client:
            try:
                module.run(options, Context(client, stage, clock), outputs)
            except AppDistError as error:
                code = int(error.exit_code)
                stage.error(error)
                stage.info(f"{error.title}: {error}")
        assert len(pauses) == len(happenings), f"it waits only {len(pauses)} times: {stage.said.getvalue()}"
        return Watched(code, json.loads(json.dumps(stage.values(outputs))), stage.said.getvalue(), pauses)

    return watch
