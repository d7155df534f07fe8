"""F1: text to incremental DuckDB SQL. Pure: no connection, no clock; types come through a port."""
