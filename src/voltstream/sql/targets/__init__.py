"""Bound plans as SELECTs of other engines."""
