"""What a service takes: a scorer, an ONNX model, and a pickle of the pipeline.

    python tests/benchmarks/serving.py
    python tests/benchmarks/serving.py --requests 500 --ways scorer
    python tests/benchmarks/serving.py --made
    python tests/benchmarks/serving.py --levels 1000000

A pipeline is fitted on flights, and stored in each way. A fresh process of each way loads it: its
start is the time from its launch to its first answer, its memory is what it holds then. Latencies
are of one row: in process, and over HTTP on loopback, one request after the other (with uvicorn).

`--made` times a scorer of ten made fields of 50 levels, an AFM with k = 64 and crosses: a row, and
1,000 items of two fields for a context of eight. `--levels` exports a model of so many levels.
"""

import argparse
import http.client
import importlib.util
import json
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# How each way answers a row, in a process that imports nothing else, from a file of the way's name
# that `stored` writes.
WAYS = {
    "scorer": """
from sklearn_afm.scorer import load_scorer
predict_proba = load_scorer("scorer").predict_proba
""",
    "onnx": """
import numpy as np
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession("onnx", options)
def predict_proba(row):
    inputs = {
        name: np.array([[value]], dtype=object if isinstance(value, str) else np.float64)
        for name, value in row.items()
    }
    return session.run(["probabilities"], inputs)[0][0]
""",
    "pickle": """
import pickle
import pandas as pd
model = pickle.load(open("pickle", "rb"))
def predict_proba(row):
    return model.predict_proba(pd.DataFrame([row]))[0]
""",
}
IN_PROCESS = """
import json, sys, time
row, n_requests = json.loads(sys.argv[1]), int(sys.argv[2])
predict_proba(row)
ready = time.time()
memory = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS"))
latencies = []
for _ in range(n_requests):
    start = time.perf_counter()
    predict_proba(row)
    latencies.append(time.perf_counter() - start)
print(json.dumps([ready, int(memory) / 1024, latencies]))
"""
# The same app for all ways.
APP = """
import json
async def app(scope, receive, send):
    body = (await receive())["body"]
    answer = json.dumps({"probabilities": predict_proba(json.loads(body)).tolist()}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": answer})
"""


def stored(folder: Path) -> dict:
    """Store a pipeline in each way; a row."""
    from sklearn_afm import AFMClassifier, make_field_pipeline
    from sklearn_afm.datasets import load_flights
    from sklearn_afm.export import to_onnx, to_scorer

    data = load_flights(as_frame=True)
    model = make_field_pipeline(AFMClassifier(max_iter=5, random_state=0))
    model.fit(data.data[:15_000], data.target[:15_000])
    to_scorer(model).save(folder / "scorer")
    (folder / "onnx").write_bytes(to_onnx(model).SerializeToString())
    (folder / "pickle").write_bytes(pickle.dumps(model))
    return data.data.iloc[0].to_dict()


def in_process(way: str, folder: Path, row: dict, n_requests: int) -> tuple:
    """Seconds to the first answer, MiB, and seconds of each further answer."""
    command = [sys.executable, "-c", WAYS[way] + IN_PROCESS, json.dumps(row), str(n_requests)]
    start = time.time()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    ready, memory, latencies = json.loads(done.stdout)
    return ready - start, memory, latencies


def over_http(way: str, folder: Path, row: dict, n_requests: int) -> list[float]:
    """Seconds of each answer of a service."""
    (folder / "app.py").write_text(WAYS[way] + APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "app:app", "--lifespan", "off"]
    command += ["--port", str(port), "--log-level", "warning", "--no-access-log"]
    server = subprocess.Popen(command, cwd=folder)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        _wait_for(connection, server)
        latencies = []
        for _ in range(n_requests):
            start = time.perf_counter()
            connection.request("POST", "/", body=json.dumps(row))
            connection.getresponse().read()
            latencies.append(time.perf_counter() - start)
        return latencies
    finally:
        server.terminate()
        server.wait()


def _wait_for(connection, server) -> None:
    while server.poll() is None:
        try:
            connection.connect()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("The service has ended.")


def of_made_rows() -> str:
    """Medians of the time of a row, and of 1,000 items for one context."""
    import numpy as np
    import pandas as pd

    from sklearn_afm import AFMClassifier, make_field_pipeline
    from sklearn_afm.export import to_scorer

    rng = np.random.default_rng(0)
    levels = rng.integers(0, 50, (20_000, 10))
    frame = pd.DataFrame(levels.astype(str), columns=[f"field {j}" for j in range(10)])
    effects = rng.normal(size=(2, 50))
    y = effects[0, levels[:, 0]] * effects[1, levels[:, 1]] + rng.normal(size=20_000) > 0
    afm = AFMClassifier(embedding_dim=64, l2_embedding=1.0, max_iter=2, random_state=0)
    scorer = to_scorer(make_field_pipeline(afm).fit(frame, y))
    rows = frame[:1000].to_dict("records")
    context = {name: rows[0][name] for name in frame.columns[:8]}
    items = [{name: row[name] for name in frame.columns[8:]} for row in rows]
    calls = {
        "a row": lambda: scorer.predict(rows[0]),
        "1,000 items": lambda: scorer.score_items(context, items),
        "1,000 rows": lambda: scorer.predict(rows),
    }
    found = []
    for name, call in calls.items():
        seconds = []
        for _ in range(500 if name == "a row" else 50):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        found.append(f"{name} {1e6 * np.median(seconds):.0f} µs")
    return ", ".join(found)


def of_many_levels(n_levels: int) -> str:
    """Seconds of both exports and of loading the ONNX model, sizes, and the largest difference."""
    import numpy as np
    import onnxruntime
    import pandas as pd

    from sklearn_afm import AFMClassifier, make_field_pipeline
    from sklearn_afm.export import onnx_inputs, to_onnx, to_scorer

    users = np.arange(n_levels)
    frame = pd.DataFrame({"user": users.astype(str), "item": (users % 1000).astype(str)})
    given = {"l2_embedding": 1.0, "l2_linear": 1.0, "crosses": None, "early_stopping": False}
    model = make_field_pipeline(AFMClassifier(max_iter=1, random_state=0, **given))
    model.fit(frame, users % 7 < 3)
    tables = (model[-1].embeddings_.nbytes + model[-1].linear_weights_.nbytes) / 1e6
    times = [time.perf_counter()]
    content = to_onnx(model).SerializeToString()
    times.append(time.perf_counter())
    session = onnxruntime.InferenceSession(content)
    times.append(time.perf_counter())
    scorer = to_scorer(model)
    times.append(time.perf_counter())
    rows = frame[:1000].to_dict("records")
    expected = model.predict_proba(frame[:1000])
    found = session.run(["probabilities"], onnx_inputs(scorer, rows))[0]
    difference = max(np.abs(p - expected).max() for p in (found, scorer.predict_proba(rows)))
    onnx, loaded, exported = np.diff(times)
    return (
        f"to_onnx {onnx:.1f} s, {len(content) / 1e6:.0f} MB (tables {tables:.0f} MB), loaded in "
        f"{loaded:.1f} s; to_scorer {exported:.1f} s; largest difference {difference:.1e}"
    )


def percentiles(latencies: list[float]) -> str:
    """50th, 95th and 99th percentile in ms; "-" of none."""
    ordered = sorted(latencies)
    places = [int(len(ordered) * share) for share in (0.5, 0.95, 0.99)]
    return " / ".join(f"{1000 * ordered[place]:.2f}" for place in places) if ordered else "-"


def main():
    """Measure each way in processes of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=WAYS)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--made", action="store_true")
    parser.add_argument("--levels", type=int)
    options = parser.parse_args()
    if options.made:
        print(of_made_rows())
        return
    if options.levels:
        print(of_many_levels(options.levels))
        return
    has_server = importlib.util.find_spec("uvicorn") is not None
    print("| | start, s | memory, MiB | file, KiB | row, ms (50 / 95 / 99%) | over HTTP, ms |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        row = stored(folder)
        for way in options.ways:
            start, memory, latencies = in_process(way, folder, row, options.requests)
            served = over_http(way, folder, row, options.requests) if has_server else []
            size = os.path.getsize(folder / way) / 1024
            print(
                f"| {way} | {start:.2f} | {memory:.0f} | {size:.0f} | {percentiles(latencies)} | "
                f"{percentiles(served)} |"
            )


if __name__ == "__main__":
    main()
