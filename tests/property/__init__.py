"""Maintained views against recomputation."""
