"""The contract of a model, and raw scores of rows."""
