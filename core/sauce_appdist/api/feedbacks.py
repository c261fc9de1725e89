"""Feedback from testers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field

from sauce_appdist.api import Resource
from sauce_appdist.models import ApiModel, Moment, Reply

if TYPE_CHECKING:
    import builtins


class Feedback(ApiModel):
    """A feedback from a tester.

    The service sends its time twice, as `recorded_at` and as `recordedAt`: ten hours apart in the documents' sample,
    and both naive. Here the latter is `recorded_at_alternate`.
    """

    model_config = ConfigDict(populate_by_name=False)  # else the two times could be confused

    id: str | None = Field(None, alias="feedbackId")
    text: str | None = None
    source: str | None = None
    reported_by: str | None = Field(None, alias="reported_by")
    recorded_at: Moment = Field(None, alias="recorded_at")
    recorded_at_alternate: Moment = Field(None, alias="recordedAt")
    project_id: str | None = None
    build_id: str | None = None
    session_id: str | None = Field(None, alias="session_id")
    screenshot_url: str | None = None


class FeedbacksReply(Reply):
    feedbacks: list[Feedback]


class Feedbacks(Resource):
    """`client.feedbacks`."""

    def list(self) -> builtins.list[Feedback]:
        """The latest 100 feedbacks of the whole account, without a filter (GET /api/1/feedbacks/)."""
        return self.transport.request("GET", "/api/1/feedbacks/", FeedbacksReply).feedbacks
