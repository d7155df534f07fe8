"""The charge point gateway: OCPP 1.6, 2.0.1 and 2.1 to canonical rows, and records of charge."""
