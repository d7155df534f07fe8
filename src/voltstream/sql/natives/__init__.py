"""Functions of PostgreSQL that SQL macros cannot express: pure Python, value by value."""
