"""What comes in: checks of X, y and weights, units, and the rows set aside for validation."""
