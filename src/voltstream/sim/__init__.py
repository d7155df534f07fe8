"""Charge points that do not exist: OCPP clients with a load model, real sessions and faults."""
