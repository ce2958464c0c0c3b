"""The linear part: fields and crosses, each with a strength that is learnt on held-out rows."""
