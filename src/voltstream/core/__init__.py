"""F0: words every floor speaks. Errors, types, schemas, deltas, clocks, limits and ports; no I/O."""
