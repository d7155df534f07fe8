"""F3: the PostgreSQL server. Messages, parser and protocol are pure; only `server` does I/O."""
