"""Fields: from the columns of a frame to one-hot rows."""
