"""Results for other tools: rankings and judgements in TREC's format, and metadata for model cards of the hub."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import yaml

from xlutils.chapters.retrieval import RetrievalStudy
from xlutils.datasets.scenarios import Scenario
from xlutils.errors import XlError
from xlutils.results.record import find_records, read_record

_TASKS = {"mixed-retrieval": "retrieval", "semantic-affinity": "sentence-similarity",
          "concept-alignment": "sentence-similarity"}  # fmt: skip
_SHOWN = ("sa", "overall", "mean/multi/complete@10", "mean/multi/max@r", "mean/multi/max@r_norm/mean-rank",
          "mean/multi/own-first", "mean/mono-same/ndcg@1", "mean/mono-cross/ndcg@1")  # fmt: skip


def write_trec(study: RetrievalStudy, folder: str | Path, depth: int = 100) -> list[Path]:
    """Write a run and its judgements for each scenario: files that ir_measures, ranx and trec_eval read.

    :param study: What was measured; each passage stands in the pool once, whatever its protocol.
    :param folder: Where to.
    :param depth: Documents of a question to write.
    :return: Paths, a `.run` and a `.qrels` for each scenario.
    """
    folder, paths = Path(folder), []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for outcome in study.outcomes.values():
            scenario = outcome.scenario
            stem = scenario.name.replace("/", ".")
            for ending, lines in (("run", _run(study, scenario, depth)), ("qrels", _judgements(study, scenario))):
                path = folder / f"{stem}.{ending}"
                path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
                paths.append(path)
    except OSError as error:
        raise XlError(f"cannot write into {folder} ({error.strerror}); name another folder") from None
    return paths


def _run(study: RetrievalStudy, scenario: Scenario, depth: int) -> Iterable[str]:
    documents = np.concatenate([study.passages[code] for code in scenario.pool])
    names = [_document(code, each) for code in scenario.pool for each in study.data.passage_ids]
    tag, count = _token(study.name), len(study.data.passage_ids)
    for number, query in enumerate(study.data.query_ids):
        scores = documents @ study.queries[scenario.query][number]
        order = np.argsort(-scores, kind="stable")
        if scenario.kind == "multi-1":  # the gold in its own language is no document of the pool
            order = order[order != scenario.pool.index(scenario.query) * count + study.data.gold[number]]
        for rank, place in enumerate(order[:depth], 1):
            yield f"{_token(query)} Q0 {names[place]} {rank} {scores[place]:.8f} {tag}"


def _judgements(study: RetrievalStudy, scenario: Scenario) -> Iterable[str]:
    for query, gold in zip(study.data.query_ids, study.data.gold, strict=True):
        for code in scenario.golds:
            yield f"{_token(query)} 0 {_document(code, study.data.passage_ids[gold])} 1"


def _document(code: str, passage: str) -> str:
    return f"{code}:{_token(passage)}"


def _token(name: str) -> str:
    """Write a name without the blanks that would end it."""
    return quote(name, safe="/:+@")


def card_metadata(records_dir: str | Path, model: str) -> str:
    """Write a model's results as the metadata of a model card, YAML to paste into its head.

    :param records_dir: Top folder of the records.
    :param model: Name of the model in records.
    :raises XlError: If there is no record of it.
    """
    from huggingface_hub import EvalResult
    from huggingface_hub.repocard_data import eval_results_to_model_index

    results = []
    for path in find_records(records_dir):
        content = read_record(path)
        task = _TASKS.get(content["experiment"])
        if content["model"]["name"] != model or task is None:
            continue
        data = content["dataset"]
        for metric in (name for name in _SHOWN if name in content["metrics"]):
            low, high = content["ci95"].get(metric, (None, None))
            interval = "" if low is None else f", 95% interval {low:.4g} to {high:.4g}"
            results.append(EvalResult(
                task_type=task, dataset_type=data["name"], dataset_name=_dataset(data),
                dataset_config=content["params"].get("protocol"), dataset_revision=data["sha256"],
                metric_type=metric, metric_value=content["metrics"][metric], metric_name=f"{metric}{interval}",
            ))  # fmt: skip
    if not results:
        raise XlError(f"no record of {model} in {records_dir}; run a chapter with it first")
    index = eval_results_to_model_index(model, results)
    return str(yaml.safe_dump({"model-index": index}, sort_keys=False, allow_unicode=True))


def _dataset(data: Mapping[str, Any]) -> str:
    return f"{data['name']} ({', '.join(data['languages'])})"
