"""Reward functions for Python trainers over `crossthink verify`.

One child process per worker, started on first use, reads JSONL and writes JSONL; verdicts are bounded in steps, so no
time-out, signal or thread is needed. Works with the standard library alone.

verl (custom_reward_function.path=crossthink_reward.py, name=compute_score):
    compute_score(data_source, solution_str, ground_truth, extra_info) -> {"score", "acc", "format", "reason"}

TRL (reward_funcs=[crossthink_reward]): the data set's `answer` column is the gold, `options` is optional.
    crossthink_reward(prompts, completions, answer, **columns) -> [float | None]

CROSSTHINK names the command (default: `npx crossthink`); CROSSTHINK_PRESET the convention.
"""

import atexit
import json
import math
import os
import shlex
import subprocess
import threading


class Verifier:
    """A running `crossthink verify`; safe to use from several threads."""

    def __init__(self, command=None, preset=None):
        words = shlex.split(command or os.environ.get("CROSSTHINK", "npx crossthink")) + ["verify"]
        preset = preset or os.environ.get("CROSSTHINK_PRESET")
        if preset:
            words += ["--preset", preset]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
        )
        self.lock = threading.Lock()
        atexit.register(self.close)

    def verify(self, rows):
        """Verdicts of `rows` ({"gold", "response", "options"?, "form"?, "settings"?}), in order."""
        verdicts = []
        with self.lock:
            for row in rows:
                # One row at a time in each direction: neither pipe can fill up while the other waits.
                self.process.stdin.write(json.dumps(row) + "\n")
                self.process.stdin.flush()
                line = self.process.stdout.readline()
                if not line:
                    raise RuntimeError(f"crossthink verify ended with status {self.process.poll()}")
                verdicts.append(json.loads(line))
        return verdicts

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(timeout=10)
            self.process.stdout.close()


_verifier = None
_lock = threading.Lock()


def _shared():
    global _verifier
    with _lock:
        if _verifier is None:
            _verifier = Verifier()
        return _verifier


def _text(completion):
    """A completion as TRL hands it over: a string, or a list of chat messages."""
    if isinstance(completion, str):
        return completion
    return "".join(message.get("content") or "" for message in completion)


def _row(response, gold, options):
    row = {"gold": gold, "response": response}
    if options:
        row["options"] = options
    return row


def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    """verl's interface. A gold that cannot be scored gives NaN, which verl must not train on: filter by `reason`."""
    (verdict,) = _shared().verify([_row(solution_str, ground_truth, (extra_info or {}).get("options"))])
    number = lambda value: math.nan if value is None else float(value)
    return {
        "score": number(verdict["reward"]),
        "acc": number(verdict["accuracy"]),
        "format": number(verdict["format"]),
        "reason": verdict["reason"],
    }


def crossthink_reward(prompts, completions, answer, options=None, **columns):
    """TRL's interface. None (a gold that cannot be scored) makes TRL skip the sample."""
    choices = options or [None] * len(completions)
    rows = [_row(_text(c), gold, choice) for c, gold, choice in zip(completions, answer, choices)]
    return [verdict["reward"] for verdict in _shared().verify(rows)]
