"""The app of docs/guide/serving.md, served by uvicorn, answers what the pipeline predicts."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sklearn_afm import AFMClassifier, make_field_pipeline
from sklearn_afm.datasets import load_flights
from sklearn_afm.export import to_scorer

pytest.importorskip("uvicorn")
pytest.importorskip("pandas")

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "serving.md"
APP = re.compile(r"^```\{code-block\} python\n:caption: app.py\n\n(.*?)^```\n", re.M | re.S)
N_CLIENTS, N_REQUESTS = 4, 300


@pytest.fixture(scope="module")
def pipeline():
    data = load_flights(as_frame=True)
    estimator = AFMClassifier(max_iter=1, l2_linear=1.0, l2_embedding=1.0, random_state=0)
    return make_field_pipeline(estimator).fit(data.data[:2000], data.target[:2000])


@pytest.fixture(scope="module")
def rows():
    """Flights as JSON has them; some have aircraft that training has not seen, or no weather."""
    found = load_flights(as_frame=True).data[1900 : 1900 + N_REQUESTS].to_dict("records")
    for number in range(0, N_REQUESTS, 7):
        found[number]["visib"] = None
    return json.loads(json.dumps(found).replace("NaN", "null"))


def predicted(pipeline, rows):
    """Probabilities of the pipeline."""
    import pandas as pd

    return pipeline.predict_proba(pd.DataFrame(rows).astype({"visib": float, "precip": float}))


@pytest.fixture(scope="module")
def port(pipeline, tmp_path_factory):
    """The port of the page's app, in a process of its own."""
    folder = tmp_path_factory.mktemp("service")
    to_scorer(pipeline).save(folder / "flights.npz")
    (code,) = APP.findall(PAGE.read_text())
    assert len(code.splitlines()) <= 40
    (folder / "app.py").write_text(code)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "app:app", "--lifespan", "off"]
    command += ["--port", str(number), "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=folder, env=os.environ | {"SCORER": "flights.npz"})
    try:
        _wait_for(server, number)
        yield number
    finally:
        server.terminate()
        server.wait()


def _wait_for(server, port):
    for _ in range(600):
        assert server.poll() is None, "the server has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server does not listen")


def asked(connection, body, method="POST"):
    """Status and answer."""
    connection.request(method, "/", body=body)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def asked_once(port, body, method="POST"):
    """The same, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        return asked(connection, body, method)
    finally:
        connection.close()


def test_all_clients_get_what_the_pipeline_predicts(pipeline, rows, port):
    expected = predicted(pipeline, rows)

    def client(number):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        found = {n: asked(connection, json.dumps(rows[n])) for n in range(number, len(rows), 4)}
        connection.close()
        return found

    with ThreadPoolExecutor(N_CLIENTS) as clients:
        found = {n: a for part in clients.map(client, range(N_CLIENTS)) for n, a in part.items()}
    assert len(found) == N_REQUESTS
    for number, (status, answer) in found.items():
        assert status == 200, answer
        np.testing.assert_allclose(answer["probabilities"], expected[number], rtol=1e-5)


def test_a_list_of_rows_is_answered_by_a_list(pipeline, rows, port):
    status, answer = asked_once(port, json.dumps(rows))
    assert status == 200
    np.testing.assert_allclose(answer["probabilities"], predicted(pipeline, rows), rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"hour": "eight"}, "'hour' held numbers in training, and is 'eight' (str)"),
        ({"hour": 1e400}, "'hour' is inf"),
        ({"hour": 10**400}, "'hour' is 1000"),
        ({"carrier": 3}, "'carrier' held text in training, and is 3 (int)"),
        ({"carrier": ["UA"]}, "'carrier' held text"),
        ({"wind": 3}, "has ['wind'] besides"),
    ],
)
def test_a_row_that_is_refused_is_answered_by_the_sentence(change, sentence, rows, port):
    status, answer = asked_once(port, json.dumps(rows[0] | change))
    assert status == 422
    assert sentence in answer["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\x00", b"3", b"null", b"[[]]", b"[" * 9999])
def test_what_is_no_row_is_refused(body, rows, port):
    status, answer = asked_once(port, body)
    assert status == 422
    assert answer["error"]
    assert asked_once(port, json.dumps(rows[0]))[0] == 200  # the service goes on


def test_other_methods_and_large_bodies_are_refused(port):
    assert asked_once(port, None, "GET")[0] == 405
    assert asked_once(port, b" " * (1 << 20) + b"3")[0] == 413
