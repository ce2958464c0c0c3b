"""Public names are imported when they are asked for; a scorer imports neither torch nor SciPy."""

import ast
import importlib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sklearn_afm
from sklearn_afm import AFMClassifier, make_field_pipeline
from sklearn_afm.export import to_scorer

HEAVY = ("torch", "sklearn", "scipy", "pandas", "joblib")

IN_A_FRESH_PROCESS = f"""
import json, sys
from sklearn_afm.scorer import load_scorer
scorer = load_scorer(sys.argv[1])
probability = scorer.predict_proba(json.loads(sys.argv[2])).tolist()
scores = scorer.score_items({{"colour": "red"}}, [{{"size": 1}}, {{"size": None}}]).tolist()
loaded = sorted(set({HEAVY}) & {{name.split(".")[0] for name in sys.modules}})
print(json.dumps([probability, scores, loaded]))
"""


def test_a_scorer_is_loaded_and_predicts_without_torch_and_scikit_learn(tmp_path):
    frame = pd.DataFrame({"colour": ["red", "blue"] * 50, "size": [1, 1, 2, 2] * 25})
    y = ["yes", "no", "no", "yes"] * 25
    model = make_field_pipeline(AFMClassifier(random_state=0, max_iter=2)).fit(frame, y)
    to_scorer(model).save(tmp_path / "model.npz")
    row = {"colour": "red", "size": 2}
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, tmp_path / "model.npz", json.dumps(row)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    probability, scores, loaded = json.loads(done.stdout)
    assert loaded == []
    np.testing.assert_allclose(probability, model.predict_proba(pd.DataFrame([row]))[0], rtol=1e-5)
    assert len(scores) == 2


def in_a_fresh_process(code):
    """What the code prints."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout


def test_all_names_are_there_and_are_those_that_editors_read():
    parsed = ast.parse(Path(sklearn_afm.__file__).read_text())
    (block,) = [node for node in parsed.body if isinstance(node, ast.If)]
    read = {alias.name: node.module for node in block.body for alias in node.names}
    assert sorted(read) == sklearn_afm.__all__
    for name, file in read.items():
        value = getattr(sklearn_afm, name)
        assert value is getattr(importlib.import_module(f"sklearn_afm.{file}"), name)
        assert value.__name__ == name


def test_a_fresh_package_lists_its_names_before_it_imports_them():
    listed = in_a_fresh_process(
        "import sys, sklearn_afm\n"
        "assert 'torch' not in sys.modules\n"
        "assert set(sklearn_afm.__all__) | {'__version__', 'exceptions'} <= set(dir(sklearn_afm))\n"
        "assert 'torch' not in sys.modules\n"
        "from sklearn_afm import *\n"
        "print(sorted(name for name in globals() if name in sklearn_afm.__all__))\n"
    )
    assert ast.literal_eval(listed) == sklearn_afm.__all__


def test_modules_that_a_bare_import_used_to_bring_are_there():
    shown = in_a_fresh_process(
        "import sklearn_afm\n"
        "print(sklearn_afm.exceptions.__name__, sklearn_afm.metrics.ndcg_at_k.__name__)\n"
    )
    assert shown == "sklearn_afm.exceptions ndcg_at_k\n"


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(
        AttributeError, match=r"module 'sklearn_afm' has no attribute 'AFMRegresor'"
    ):
        sklearn_afm.AFMRegresor  # noqa: B018
    with pytest.raises(ImportError, match="AFMRegresor"):
        from sklearn_afm import AFMRegresor  # noqa: F401
    assert not hasattr(sklearn_afm, "np")


def test_classes_are_pickled_by_the_file_that_defines_them():
    assert pickle.loads(pickle.dumps(sklearn_afm.FMRanker)) is sklearn_afm.FMRanker
    assert sklearn_afm.FMRanker.__module__ == "sklearn_afm._ranking"
