"""What the inputs of these tests have in common."""

from __future__ import annotations

from typing import Any

from harness import API_KEY, EMAIL

INPUT, AUTH, API, TRANSPORT = 2, 3, 4, 5
SIGNED_IN: dict[str, Any] = {"email": EMAIL, "api_key": API_KEY}
