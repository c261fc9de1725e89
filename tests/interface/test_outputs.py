"""Outputs as text."""

from __future__ import annotations

from typing import Any

from sauce_appdist.interface.outputs import StepOutputs


def test_outputs_as_text() -> None:
    class Sample(StepOutputs):
        flag: bool | None = None
        items: list[str] | None = None
        data: dict[str, Any] | None = None
        count: int | None = None

    full = Sample(flag=True, items=["a", "b, c"], data={"ü": 1}, count=0)
    assert full.texts() == {"dry-run": "", "flag": "true", "items": 'a,"b, c"', "data": '{"ü": 1}', "count": "0"}
    assert set(Sample().texts().values()) == {""}
