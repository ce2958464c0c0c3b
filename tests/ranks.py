"""Run functions on several ranks: processes of one thread each, joined by gloo."""

import os
import pickle
import tempfile
import warnings
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import torch

# Longer than any of these fits takes, on a busy machine too.
TIMEOUT = 120


def on_ranks(n_ranks, *functions):
    """What each function returns or raises, called with (rank, n_ranks): a list by rank.

    All functions are called in the same processes. A rank that dies has only what came before.
    """
    folder = Path(tempfile.mkdtemp())
    context = get_context("spawn")
    processes = [
        context.Process(target=_work, args=(rank, n_ranks, functions, folder))
        for rank in range(n_ranks)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(TIMEOUT)
        assert process.exitcode is not None, "a rank waits for ever"
    return [_results(folder / f"{rank}") for rank in range(n_ranks)]


def _results(path):
    results = []
    with open(path, "rb") as file:
        while file.peek(1):
            results.append(pickle.load(file))
    return results


def _work(rank, n_ranks, functions, folder):
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    with open(folder / f"{rank}", "wb") as file:
        torch.distributed.init_process_group(
            "gloo",
            init_method=f"file://{folder / 'store'}",
            rank=rank,
            world_size=n_ranks,
            timeout=timedelta(seconds=TIMEOUT),
        )
        for function in functions:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    result = function(rank, n_ranks)
            except BaseException as error:
                result = error
            pickle.dump(result, file)
            file.flush()
        torch.distributed.destroy_process_group()
