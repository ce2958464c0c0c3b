"""The order of a fit, from checked rows to fitted attributes."""
