"""The numerical core: arrays in, arrays out; NumPy and torch only, no scikit-learn."""
