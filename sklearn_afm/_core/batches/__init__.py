"""Mini-batches: rows of a CSR matrix as rectangles of feature numbers."""
