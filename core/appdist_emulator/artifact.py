"""Reads platform, package, name and version from an uploaded file (docs/reference/api-facts.md#upload-files)."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "appdist.json"

_PLATFORM_OF_ENDING = {".apk": "Android", ".aab": "Android", ".ipa": "iOS"}
# The values of the upload's `platform` field; a zip without one is taken as an iOS simulator app.
_OTHER_PLATFORMS = {"xbox": "Xbox", "playstation": "PlayStation", "switch": "switch"} | {
    "windows": "windows",
    "macos": "macos",
}
_NAME_VERSION_CODE = re.compile(
    r"^(?P<name>.+?)[-_ ]v?(?P<version>\d+(?:\.\d+)+)(?:[-_+ (]+(?:build[-_ ]?)?(?P<code>\d+))?"
)


class EmptyFileError(Exception):
    pass


class TypeNotAcceptedError(Exception):
    pass


class InvalidFileError(Exception):
    pass


@dataclass(frozen=True)
class Artifact:
    platform: str
    package_name: str
    # None: not in the upload; an existing app then keeps its name.
    app_name: str | None
    fallback_name: str
    version: str
    version_code: str


def inspect(filename: str, content: bytes, fields: Mapping[str, str]) -> Artifact:
    """Read name and version from the form fields, else from `appdist.json` in the zip, else from the file's name.

    Raises EmptyFileError, TypeNotAcceptedError or InvalidFileError.
    """
    # Some clients send a whole path, even one of Windows.
    name = PurePosixPath(filename.replace("\\", "/"))
    if not content:
        raise EmptyFileError
    manifest = _manifest(content)
    platform = _platform(name.suffix.lower(), fields.get("platform", ""), manifest)
    parts = _NAME_VERSION_CODE.match(name.stem)
    fallback = re.sub(r"[-_ ]+", " ", parts["name"] if parts else name.stem).strip() or "App"

    def first(field: str, key: str, default: str) -> str:
        return fields.get(field, "").strip() or manifest.get(key, "").strip() or default

    return Artifact(
        platform=platform,
        package_name=first("package_name", "packageName", f"com.example.{slug(fallback)}"),
        app_name=first("app_name", "appName", "") or None,
        fallback_name=fallback,
        version=first("app_version", "appVersion", parts["version"] if parts else "1.0"),
        version_code=first("app_version_code", "appVersionCode", (parts and parts["code"]) or "1"),
    )


def sample(app_name: str, package_name: str, version: str, version_code: str) -> bytes:
    """Return a downloadable file for a build that the seed created."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        manifest = {
            "packageName": package_name,
            "appName": app_name,
            "appVersion": version,
            "appVersionCode": version_code,
        }
        # An explicit ZipInfo has a fixed date, so that a build always has the same bytes.
        archive.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(manifest))
    return out.getvalue()


def slug(name: str) -> str:
    """`My Application` is `myapplication` in the documents' paths."""
    return re.sub(r"[^a-z0-9]", "", name.lower()) or "app"


def _platform(ending: str, wanted: str, manifest: Mapping[str, str]) -> str:
    known = _PLATFORM_OF_ENDING.get(ending) or _OTHER_PLATFORMS.get(wanted.strip().lower())
    if known:
        return known
    if ending == ".zip":
        return manifest.get("platform", "").strip() or "iOS"
    raise TypeNotAcceptedError


def _manifest(content: bytes) -> dict[str, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            data: Any = json.loads(archive.read(MANIFEST))
    except (zipfile.BadZipFile, KeyError):
        return {}  # demos upload a few bytes of text as an .apk
    except (ValueError, NotImplementedError, RuntimeError):
        raise InvalidFileError from None
    if not isinstance(data, dict):
        raise InvalidFileError
    return {
        str(key): str(value)
        for key, value in data.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    }
