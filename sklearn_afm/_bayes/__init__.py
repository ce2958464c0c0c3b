"""A factorization machine whose posterior is sampled (Rendle 2012, Section 5.3)."""
