"""A frame with a column of each kind."""

import numpy as np
import pandas as pd


def frame(n_rows=200, seed=0):
    """A frame of each kind of column, with missing values."""
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            "colour": rng.choice(["red", "blue", "green"], n_rows),
            "price": np.exp(rng.normal(size=n_rows)),
            "rooms": rng.integers(1, 6, n_rows),
            "sold": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 9000, n_rows), "h"),
            "garden": rng.random(n_rows) < 0.3,
            "tags": [
                list(rng.choice(list("abc"), k, replace=False)) for k in rng.integers(0, 4, n_rows)
            ],
        }
    )
    made.loc[rng.random(n_rows) < 0.1, "colour"] = None
    made.loc[rng.random(n_rows) < 0.1, "price"] = np.nan
    made.loc[rng.random(n_rows) < 0.1, "sold"] = pd.NaT
    return made
