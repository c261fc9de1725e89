"""Feedbacks: what testers wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field

from sauce_appdist.api import Resource
from sauce_appdist.models import ApiModel, Moment, Reply

if TYPE_CHECKING:
    import builtins


class Feedback(ApiModel):
    """What a tester wrote.

    The service gives its time twice, as `recorded_at` and as `recordedAt`, in the documents' sample ten hours apart;
    neither has a zone. Here the latter is `recorded_at_alternate`.
    """

    model_config = ConfigDict(populate_by_name=False)  # the two would be taken for each other

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
        """The 100 latest feedbacks of the whole account; there is no filter (GET /api/1/feedbacks/)."""
        return self.transport.request("GET", "/api/1/feedbacks/", FeedbacksReply).feedbacks
