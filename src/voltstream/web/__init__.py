"""F3: rows pushed over HTTP, health, read-only SQL as JSON, and the live page."""
