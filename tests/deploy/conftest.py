"""A server of ours for the tests of a module."""

from __future__ import annotations

from tests.pgwire.conftest import address

__all__ = ["address"]
