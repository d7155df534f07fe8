"""PostgreSQL's system catalogs over our own: views and macros in DuckDB, made once per file."""
