"""F1: bytes to columns, pure. What cannot be read is a value (a dead letter), never an error."""
