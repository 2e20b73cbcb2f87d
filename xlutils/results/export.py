"""Results for other tools: rankings and judgements in TREC's format, and metadata for model cards of the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import yaml
from numpy.typing import NDArray

from xlutils.datasets.parallel import ParallelQA, load_parallel
from xlutils.datasets.scenarios import PIVOT, Scenario, make_scenarios
from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.models.encoder import Encoder
from xlutils.models.weights import name_of
from xlutils.results.record import find_records, read_record
from xlutils.results.rows import metric_label

_TASKS = {
    "mixed-retrieval": "retrieval",
    "semantic-affinity": "sentence-similarity",
    "concept-alignment": "sentence-similarity",
}
_SHOWN = (
    *("sa", "overall", "mean/multi/complete@10", "mean/multi/max@r", "mean/multi/max@r_norm/mean-rank"),
    *("mean/multi/own-first", "mean/mono-same/ndcg@1", "mean/mono-cross/ndcg@1", "mean/mining/margin-accuracy"),
)


def export_trec(
    model: str, dataset: str, languages: Sequence[str], kinds: Sequence[str], folder: str, depth: int
) -> list[Path]:
    """Rank the passages of a data set by a model, both given by name; see `write_trec`.

    :param languages: Those beside English.
    :param kinds: Of scenarios, as for `make_scenarios`.
    """
    scenarios = make_scenarios(kinds, languages)
    return write_trec(load_model(model), load_parallel(dataset, [PIVOT, *languages]), scenarios, folder, depth)


def write_trec(
    encoder: Encoder, data: ParallelQA, scenarios: Sequence[Scenario], folder: str | Path, depth: int = 100
) -> list[Path]:
    """Rank the passages and write a run and its judgements per scenario, for ir_measures, ranx and trec_eval.

    :param encoder: The model.
    :param data: Questions and passages; each passage is in the pool once.
    :param scenarios: Pools and languages of queries.
    :param folder: Folder for the files.
    :param depth: Documents to write per question.
    :return: Paths, one `.run` and one `.qrels` per scenario.
    """
    asked = dict.fromkeys(scenario.query for scenario in scenarios)
    pooled = dict.fromkeys(code for scenario in scenarios for code in scenario.pool)
    queries = {code: encoder.encode(data.queries[code], role="query") for code in asked}
    passages = {code: encoder.encode(data.passages[code], role="passage") for code in pooled}
    paths = []
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for scenario in scenarios:
            documents = np.concatenate([passages[code] for code in scenario.pool])
            stem = str(Path(folder, scenario.name.replace("/", ".")))
            run = _run(data, scenario, queries[scenario.query], documents, depth)
            paths.append(_write(f"{stem}.run", (f"{line} {_token(encoder.name)}" for line in run)))
            paths.append(_write(f"{stem}.qrels", _judgements(data, scenario)))
    except OSError as error:
        raise XlError(f"cannot write into {folder} ({error.strerror}); name another folder") from None
    return paths


def _write(path: str, lines: Iterator[str]) -> Path:
    Path(path).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return Path(path)


def _run(
    data: ParallelQA, scenario: Scenario, queries: NDArray[np.float32], documents: NDArray[np.float32], depth: int
) -> Iterator[str]:
    names = [_document(code, passage) for code in scenario.pool for passage in data.passage_ids]
    for query, vector, gold in zip(data.query_ids, queries, data.gold, strict=True):
        scores = documents @ vector
        order = np.argsort(-scores, kind="stable")
        if scenario.kind == "multi-1":  # the gold document in the language of the query is not in the pool
            removed = scenario.pool.index(scenario.query) * len(data.passage_ids) + gold
            order = order[order != removed]
        for rank, place in enumerate(order[:depth], 1):
            yield f"{_token(query)} Q0 {names[place]} {rank} {scores[place]:.8f}"


def _judgements(data: ParallelQA, scenario: Scenario) -> Iterator[str]:
    for query, gold in zip(data.query_ids, data.gold, strict=True):
        for code in scenario.golds:
            yield f"{_token(query)} 0 {_document(code, data.passage_ids[gold])} 1"


def _document(code: str, passage: str) -> str:
    return f"{code}:{_token(passage)}"


def _token(name: str) -> str:
    """Return a name without blanks, which would end it."""
    return quote(name, safe="/:+@")


def card_metadata(records_dir: str | Path, model: str) -> str:
    """Return a model's results as metadata of a model card: YAML to paste into its head.

    :param records_dir: Top folder of the records.
    :param model: Name of the model in records, or its folder.
    :raises XlError: If there is no record of it.
    """
    from huggingface_hub import EvalResult
    from huggingface_hub.repocard_data import eval_results_to_model_index

    model, contents = name_of(model), [read_record(path) for path in find_records(records_dir)]
    results = [
        EvalResult(**result)
        for content in contents
        if content["model"]["name"] == model and content["experiment"] in _TASKS
        for result in _results(content)
    ]
    if not results:
        raise XlError(f"no record of {model} in {records_dir}; run a chapter with it first")
    index = eval_results_to_model_index(model, results)
    return str(yaml.safe_dump({"model-index": index}, sort_keys=False, allow_unicode=True))


def _results(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    data = content["dataset"]
    rows = {metric_label(row): row for row in content["metrics"].to_dict("records")}
    for metric, row in ((metric, rows[metric]) for metric in _SHOWN if metric in rows):
        interval = "" if np.isnan(row["low"]) else f", 95% interval {row['low']:.4g} to {row['high']:.4g}"
        yield {
            "task_type": _TASKS[content["experiment"]],
            "dataset_type": data["name"],
            "dataset_name": f"{data['name']} ({', '.join(data['languages'])})",
            "dataset_config": content["params"].get("protocol"),
            "dataset_revision": data["sha256"],
            "metric_type": metric,
            "metric_value": row["value"],
            "metric_name": f"{metric}{interval}",
        }
