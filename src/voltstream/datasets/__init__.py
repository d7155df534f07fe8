"""Data that others measured, as rows of sources, and what goes wrong with them on purpose."""
