"""F0: words every floor speaks. Errors, types, schemas, clocks, limits and ports; no I/O."""
