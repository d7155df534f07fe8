"""How the server presents itself: one value for ParameterStatus, SHOW and version()."""

from __future__ import annotations

# Clients read the leading number to choose their catalog queries: we speak PostgreSQL 15's.
SERVER_VERSION = "15.0 (Voltstream)"
SERVER_VERSION_NUM = "150000"
