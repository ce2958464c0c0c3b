"""The contract of a loss, and the losses."""
