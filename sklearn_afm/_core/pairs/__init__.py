"""Pairs of the entries of a row: which there are, and what is computed of them."""
