"""One operator and its law per file."""
