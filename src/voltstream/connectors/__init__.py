"""F2: ways in and out. Connectors carry bytes and never interpret them."""
