"""What the API answers, with Python names. Shapes that vary are all read (facts.md part 6).

Every field is optional because servers differ in what they show; a field that is None is unknown.
Unknown fields are kept in `model_extra`. Ids are opaque strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    Counter = int | None
else:
    # The Python call is reached only by what is no number, so that long lists parse at full speed.
    _Unreadable = Annotated[Any, AfterValidator(lambda _: None)]
    Counter = Annotated[int | _Unreadable | None, Field(union_mode="left_to_right")]


def _names(value: object) -> object:
    """A list of names from a list, a comma separated string, or objects with a name."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list):
        return [item.get("name", item) if isinstance(item, dict) else item for item in value]
    return value


def _flat(value: object) -> object:
    """Members come as a list in a list; any depth is read."""
    if not isinstance(value, list):
        return value
    flat: list[object] = []
    for item in value:
        flat.extend(_flat(item) if isinstance(item, list) else [item])  # type: ignore[arg-type]
    return flat


def _mapping(value: object) -> object:
    """An empty PHP array is written `[]`, also where an object is meant."""
    return {} if value == [] else value


Names = Annotated[list[str], BeforeValidator(_names)]


# Not documented: read where a server shows it, else None, which is unknown.
_FOLDER = AliasChoices("folderPath", "folder_path", "folderName", "folder_name", "folder")


def spellings(project_id: str) -> tuple[str, ...]:
    """`6806100-myapplication` may be the id, as in the older document, or its number, as in the present one."""
    number, dash, _ = project_id.partition("-")
    return (project_id, number) if dash and number.isdecimal() else (project_id,)


class ApiModel(BaseModel):
    """Reads the vendor's camelCase, keeps what it does not know, takes numbers as ids."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="allow",
        coerce_numbers_to_str=True,
        protected_namespaces=(),
        defer_build=True,
    )


class Project(ApiModel):
    """An app on one platform (GET /api/1/projects/)."""

    id: str
    self_path: str | None = Field(None, alias="self")
    name: str | None = None
    package_name: str | None = None
    platform: str | None = None
    landing_page_mode: str | None = None
    folder: str | None = Field(None, validation_alias=_FOLDER)


class Build(ApiModel):
    """An uploaded build (GET /api/1/projects/{project-id}/builds/{build-id}).

    `uploaded_at` is `YYYY-MM-DD HH:MM:SS` as the service writes it: the documents name no zone.
    `tags`, `platform`, `package_name` and `folder` are None where the server does not show them.
    """

    id: str
    self_path: str | None = Field(None, alias="self")
    project_id: str | None = None
    app_name: str | None = None
    app_version: str | None = None
    app_version_code: str | None = None
    landing_page_mode: str | None = None
    sessions: Counter = None
    crashes: Counter = None
    testers: Counter = None
    feedbacks: Counter = None
    downloads: Counter = None
    uploaded_at: str | None = None
    platform: str | None = None
    package_name: str | None = None
    tags: Names | None = None
    folder: str | None = Field(None, validation_alias=_FOLDER)


class Tester(ApiModel):
    """A person who tests (GET /api/1/testers/groups and GET /api/1/testers)."""

    email: str | None = None


class Group(ApiModel):
    """A tester group with its members (GET /api/1/testers/groups)."""

    id: str
    name: str
    testers: Annotated[list[Tester], BeforeValidator(_flat)] | None = None


class Reply(ApiModel):
    """The envelope: `status` is "ok" or "fail"."""

    status: str | None = None
    code: Counter = None
    message: str | None = None


class ProjectsReply(Reply):
    projects: list[Project]


class BuildsReply(Reply):
    builds: list[Build]


class BuildReply(Reply):
    build: Build


class GroupsReply(Reply):
    groups: list[Group]


class UpdatedBuild(Reply):
    """The build after a PATCH: the only documented place that shows tags, notes and groups."""

    model_config = ConfigDict(alias_generator=None)

    build_id: str | None = None
    tags: Names | None = None
    metadata: Annotated[dict[str, Any], BeforeValidator(_mapping)] | None = None
    changelog: str | None = None
    groups: Names | None = None
    landing_page_mode: str | None = None


class CopiedBuild(Reply):
    """What a copy answers: the new build's id, but not the project that it lives in."""

    model_config = ConfigDict(alias_generator=None)

    build_id: str
    folder_path: str | None = None
    app_name: str | None = None
    assigned_groups: Names = []
    invalid_groups: Names = []
    assigned_project_groups: Names = []
    invalid_project_groups: Names = []
