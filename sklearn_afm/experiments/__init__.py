"""Reproduce tables and figures of the AFM paper: `python -m sklearn_afm.experiments NAME`."""
