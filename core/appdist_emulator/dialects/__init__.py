"""The dialects of the service: who signs in how, how files are delivered, which paths and fields differ.

Names only, so that the command line can list them without loading Flask.
"""

from __future__ import annotations

from typing import Literal

DialectName = Literal["classic", "compat"]
