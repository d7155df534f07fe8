"""Voltstream: a streaming database for energy telemetry."""

from __future__ import annotations

__version__ = "0.1.0"
