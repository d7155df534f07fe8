"""Tests of store: what DuckDB must keep for us."""
