"""Scripts of statements and the print a psql user sees."""
