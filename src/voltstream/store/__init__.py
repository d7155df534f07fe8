"""F1: everything durable. The only package that knows DuckDB."""
