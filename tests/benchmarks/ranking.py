"""Rankers and public recommenders on MovieLens 100K, of positives alone.

    python -m venv build/rank_peers
    build/rank_peers/bin/pip install implicit scikit-learn setuptools wheel "cython<3"
    build/rank_peers/bin/pip install --no-build-isolation lightfm
    python tests/benchmarks/ranking.py --data-home DIR --seeds 3 --peers build/rank_peers/bin/python

`DIR` holds ml-100k/u.data, u.user and u.item. Ratings of 4 and 5 are positives. The last one of
each user with two or more is held out (X. He et al., "Neural collaborative filtering", WWW 2017).
It is ranked among all films that the user has no other positive of (full), and among 99 of them
that are drawn (sampled). Equal scores are in the worst order. Peers have the best of a few settings
by NDCG of the full ranking of the positive before the last, fitted without it; rankers have their
defaults. Prints a table: mean and standard deviation over seeds, and the time of the fits on one
thread.
"""

import argparse
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy import sparse

N_SAMPLED, K = 99, 10
PEERS = ["ALS", "BPR", "LightFM", "LightFM, attributes"]
OURS = ["FMRanker", "AFMRanker", "FMRanker, attributes", "AFMRanker, attributes"]


def one_hot(codes):
    """One column for each distinct code."""
    codes = np.unique(codes, return_inverse=True)[1]
    return sparse.identity(codes.max() + 1, format="csr", dtype=np.float32)[codes]


class Log:
    """Positives in the order of time, by user and film."""

    def __init__(self, folder):
        user, item, rating, seconds = np.loadtxt(folder / "u.data", dtype=int).T
        people = [line.split("|") for line in (folder / "u.user").read_text().split()]
        films = (folder / "u.item").read_text("latin-1").splitlines()
        age, gender, job = ([person[i] for person in people] for i in (1, 2, 3))
        attributes = [one_hot(np.array(age, dtype=int) // 10), one_hot(gender), one_hot(job)]
        ids = sparse.identity(len(people), format="csr", dtype=np.float32)
        self.users = {"": ids, ", attributes": sparse.hstack([ids, *attributes], format="csr")}
        genres = np.array([line.split("|")[-19:] for line in films], dtype=np.float32)
        ids = sparse.identity(len(films), format="csr", dtype=np.float32)
        genres = sparse.csr_array(genres)
        self.items = {"": ids, ", attributes": sparse.hstack([ids, genres], format="csr")}
        order = np.lexsort((seconds, user))  # of equal times, that of the file
        order = order[rating[order] >= 4]
        self.user, self.item = user[order] - 1, item[order] - 1
        self.shape = len(people), len(films)

    def split(self, n_left_out):
        """Rows to learn from, and the row of each user that is held out: the last of the others."""
        place = np.arange(len(self.user)) - np.searchsorted(self.user, self.user)
        from_end = np.bincount(self.user)[self.user] - place - 1
        has_rows = np.bincount(self.user)[self.user] > n_left_out + 1
        held_out = has_rows & (from_end == n_left_out)
        training = ~has_rows | (from_end > n_left_out)
        return np.flatnonzero(training), np.flatnonzero(held_out)


def measures(log, scores, held_out, training, seed):
    """HR and NDCG at 10 of the full ranking and of the sampled one."""
    user, item = log.user[held_out], log.item[held_out]
    positive = np.zeros(log.shape, dtype=bool)
    positive[log.user[training], log.item[training]] = True
    scores = scores[user].astype(np.float64)
    own = scores[np.arange(len(user)), item]
    candidate = ~positive[user]
    candidate[np.arange(len(user)), item] = False
    rng = np.random.default_rng(seed)
    key = np.where(candidate, rng.random(candidate.shape), 2)
    sampled = np.argpartition(key, N_SAMPLED, axis=1)[:, :N_SAMPLED]
    above = scores >= own[:, None]
    result = []
    for place in ((above & candidate).sum(1), np.take_along_axis(above, sampled, 1).sum(1)):
        hit = place < K
        result += [hit.mean(), np.where(hit, 1 / np.log2(place + 2), 0).mean()]
    return result


def ours(name, log, rows, seed, max_iter):
    """Scores of all pairs by a ranker."""
    import sklearn_afm

    kind, _, rest = name.partition(",")
    users, items = (part["," + rest if rest else ""] for part in (log.users, log.items))
    X = sparse.csr_array(sparse.hstack([users[log.user[rows]], items[log.item[rows]]]))
    item_columns = slice(users.shape[1], X.shape[1])
    model = getattr(sklearn_afm, kind)(
        item_columns=item_columns, random_state=seed, max_iter=max_iter
    )
    model.fit(X, group=log.user[rows], items=items)
    scores = np.empty(log.shape, dtype=np.float32)
    for start in range(0, len(scores), 50):
        pairs = np.indices((min(50, len(scores) - start), log.shape[1])).reshape(2, -1)
        X = sparse.hstack([users[start + pairs[0]], items[pairs[1]]], format="csr")
        scores[start : start + 50] = model.predict(X).reshape(-1, log.shape[1])
    return scores


def matrix(log, rows):
    """Users by films, 1 at positives."""
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_matrix((ones, (log.user[rows], log.item[rows])), shape=log.shape)


def als(log, rows, seed, factors, regularization, alpha):
    """Hu et al., ICDM 2008."""
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        factors, regularization, alpha, random_state=seed, num_threads=1
    )
    model.fit(matrix(log, rows), show_progress=False)
    return model.user_factors @ model.item_factors.T


def bpr(log, rows, seed, factors, regularization, iterations):
    """Rendle et al., UAI 2009."""
    from implicit.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(
        factors,
        regularization=regularization,
        iterations=iterations,
        random_state=seed,
        num_threads=1,
    )
    model.fit(matrix(log, rows), show_progress=False)
    return model.user_factors @ model.item_factors.T


def lightfm(log, rows, seed, n_components, epochs, item_alpha, attributes=""):
    """Kula, 2015, with its WARP loss."""
    from lightfm import LightFM

    model = LightFM(n_components, loss="warp", item_alpha=item_alpha, random_state=seed)
    users, items = (sparse.csr_matrix(part[attributes]) for part in (log.users, log.items))
    positives = matrix(log, rows).tocoo()
    model.fit(positives, user_features=users, item_features=items, epochs=epochs, num_threads=1)
    user_bias, user = model.get_user_representations(users)
    item_bias, item = model.get_item_representations(items)
    return user @ item.T + item_bias + user_bias[:, None]


LIGHTFM_GRID = {"n_components": [16, 64], "epochs": [10, 30, 60], "item_alpha": [0.0, 1e-5]}
GRIDS = {
    "ALS": (
        als,
        {"factors": [16, 32, 64], "regularization": [0.1, 1.0, 10.0], "alpha": [1.0, 5.0]},
    ),
    "BPR": (
        bpr,
        {"factors": [16, 64], "regularization": [0.01, 0.05], "iterations": [50, 100, 200]},
    ),
    "LightFM": (lightfm, LIGHTFM_GRID),
    "LightFM, attributes": (lightfm, {**LIGHTFM_GRID, "attributes": [", attributes"]}),
}


def best_setting(name, log):
    """The setting of a peer, by the positive before the last."""
    function, grid = GRIDS[name]
    training, held_out = log.split(1)
    settings = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]
    found = [
        measures(log, function(log, training, 0, **setting), held_out, training, 0)[1]
        for setting in settings
    ]
    return settings[int(np.argmax(found))]


def contest(name, log, n_seeds, max_iter):
    """The measures of each seed, and the time of a fit with its predictions."""
    training, held_out = log.split(0)
    setting = best_setting(name, log) if name in GRIDS else {}
    results, seconds = [], []
    for seed in range(n_seeds):
        before = time.process_time()
        if name in GRIDS:
            scores = GRIDS[name][0](log, training, seed, **setting)
        else:
            scores = ours(name, log, training, seed, max_iter)
        seconds.append(time.process_time() - before)
        results.append(measures(log, scores, held_out, training, seed))
    return {"name": name, "results": results, "seconds": seconds, "setting": setting}


def main():
    """Run the contestants and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--max-iter", type=int, default=100, help="epochs of rankers at most")
    parser.add_argument("--peers", help="Python of an environment with implicit and lightfm")
    parser.add_argument("--only", nargs="*", default=[*OURS, *PEERS])
    parser.add_argument("--json", action="store_true", help="print lines of JSON, not a table")
    options = parser.parse_args()
    log = Log(options.data_home / "ml-100k")
    if not options.json:
        print("| | HR@10, full | NDCG@10, full | HR@10, of 100 | NDCG@10, of 100 | CPU s |")
        print("|---|---|---|---|---|---|", flush=True)
    for name in options.only:
        if name in PEERS and options.peers:
            command = [options.peers, __file__, "--data-home", str(options.data_home), "--json"]
            command += ["--seeds", str(options.seeds), "--only", name]
            text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            found = json.loads(text.splitlines()[-1])
        else:
            found = contest(name, log, options.seeds, options.max_iter)
        if options.json:
            print(json.dumps(found))
            continue
        mean, std = np.mean(found["results"], axis=0), np.std(found["results"], axis=0)
        cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, std)]
        print(f"| {name} | {' | '.join(cells)} | {np.mean(found['seconds']):.0f} |", flush=True)
        if found["setting"]:
            print(f"{name}: {found['setting']}", file=sys.stderr)


if __name__ == "__main__":
    main()
