"""Rows in, curated questions out: `crossthink curate` for Ray Data and Spark, a block or partition at a time.

Ray Data:
    import ray
    from crossthink_curate import curate_batch
    questions = ray.data.read_json("rows/*.jsonl").map_batches(curate_batch, batch_format="pandas")

Spark:
    from crossthink_curate import curate
    rows = spark.read.text("rows").rdd.map(lambda row: json.loads(row.value))
    questions = rows.mapPartitions(lambda part: curate(list(part)))

Adapter, filters and ids look at a row alone, so blocks may be cut anywhere; duplicates are to be found over the whole
afterwards, by `id` or by `crossthink merge`. The environment variable CROSSTHINK names the command (default: `npx crossthink`).
"""

import json
import os
import pathlib
import shlex
import subprocess
import tempfile


def curate(rows, *arguments):
    """Curates a list of rows (dicts) with further command-line arguments; returns the questions as a list of dicts."""
    if not rows:
        return []
    command = shlex.split(os.environ.get("CROSSTHINK", "npx crossthink"))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        lines = [json.dumps(row, ensure_ascii=False, default=str) for row in rows]
        (path / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        options = ["curate", "--input", str(path / "rows.jsonl"), "--out", str(path / "out"), "--json", *arguments]
        subprocess.run(command + options, check=True, stdout=subprocess.DEVNULL)
        text = (path / "out" / "questions.jsonl").read_text(encoding="utf-8")
    questions = [json.loads(line) for line in text.split("\n") if line]
    for question in questions:
        # A file of this call's own says nothing of where the row is from.
        question["provenance"].pop("file", None)
        question["provenance"].pop("row", None)
    return questions


def curate_batch(frame, *arguments):
    """The same for a pandas batch of Ray Data: one column `question` of JSON, so that every block has one schema."""
    import pandas

    questions = curate(json.loads(frame.to_json(orient="records", force_ascii=False)), *arguments)
    return pandas.DataFrame({"question": [json.dumps(question, ensure_ascii=False) for question in questions]})
