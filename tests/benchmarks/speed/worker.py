"""Start a contestant's process and ask it. Requests and replies are lines of JSON.

`serving.py` is the other end.
"""

import json
import subprocess
import threading


class WorkerError(Exception):
    """A contestant could not do what it was asked to do."""


class Worker:
    """Asks a contestant's process. It is a context manager, and ends the process at its exit."""

    def __init__(self, command, environment, time_limit):
        self._time_limit = time_limit
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, action, **arguments) -> dict:
        """Return the reply to a request. Raise WorkerError if none comes within the time limit."""
        timer = threading.Timer(self._time_limit, self._process.kill)
        timer.start()
        try:
            print(json.dumps({"action": action} | arguments), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            limit = f"{self._time_limit} s"
            raise WorkerError(f"ended during {action!r}: no memory left, or more than {limit}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["reply"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._process.communicate(timeout=30)  # closes its input, so it ends
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
