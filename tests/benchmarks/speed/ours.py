"""Our estimators as a contestant: python ours.py THREADS (started by arena.py)."""

import sys
import time

import joblib
import serving
import torch
from rows import BATCH_SIZE
from sklearn.model_selection import GridSearchCV

from sklearn_afm import AFMRegressor, FMRegressor, baselines

MODELS = {
    "AFM": AFMRegressor,
    "FM": FMRegressor,
    "FFM": baselines.FFMRegressor,
    "NFM": baselines.NFMRegressor,
    "Wide&Deep": baselines.WideAndDeepRegressor,
    "DeepFM": baselines.DeepFMRegressor,
}


class Estimator:
    """A regressor of this package, called by fit and predict."""

    packages = ("sklearn_afm", "torch", "scikit-learn", "scipy", "numpy")
    slices = False

    def take(self, train, test):
        """Keep the rows as CSR matrices."""
        self.X, self.y = train.X, train.y
        if test is not None:
            self.X_test = test.X

    def build(self, k, model="AFM", fitted=None, threads=None, **options):
        """Make an estimator that continues from call to call, or load a saved one."""
        if threads is not None:
            torch.set_num_threads(threads)
        if fitted is not None:
            self.model = joblib.load(fitted)
            return
        parameters = {
            "embedding_dim": k,
            "dropout": 0.2,
            "batch_size": BATCH_SIZE,
            "early_stopping": False,
            "warm_start": True,
            "precision": "float32",
            "random_state": 0,
        }
        if model == "AFM":
            options = {"attention_dim": k} | options
        self.model = MODELS[model](**parameters | options)

    def train(self, epochs):
        """Call fit. Return the time of its epochs alone."""
        self.model.set_params(max_iter=epochs).fit(self.X, self.y)
        records = self.model.history_[-epochs:]
        return {"epoch_seconds": sum(record["seconds"] for record in records)}

    def predict(self, slice_rows):
        """Call predict, which chooses its slices itself."""
        return self.model.predict(self.X_test)

    def one_row(self):
        """Return a call of predict on a matrix of one row."""
        row = self.X_test[:1]
        return lambda: self.model.predict(row)

    # Requests that only this contestant answers

    def cuda_device(self):
        """Return the name of the CUDA device, or None."""
        return torch.cuda.get_device_name() if torch.cuda.is_available() else None

    def n_rows(self):
        """Return the number of training rows."""
        return self.X.shape[0]

    def save(self, path):
        """Save the fitted estimator for another process."""
        joblib.dump(self.model, path)
        return {}

    def grid_search(self, n_jobs, threads, epochs):
        """Measure the seconds of a search over four candidates in two folds."""
        torch.set_num_threads(threads)
        self.model.set_params(max_iter=epochs, warm_start=False)
        grid = {"dropout": [0.0, 0.2], "l2_embedding": [10.0, 20.0]}
        search = GridSearchCV(self.model, grid, cv=2, refit=False, n_jobs=n_jobs)
        started = time.perf_counter()
        search.fit(self.X, self.y)
        seconds = time.perf_counter() - started
        scores = [float(score) for score in search.cv_results_["mean_test_score"]]
        return {"seconds": seconds, "scores": scores}


if __name__ == "__main__":
    serving.serve(Estimator, int(sys.argv[1]))
