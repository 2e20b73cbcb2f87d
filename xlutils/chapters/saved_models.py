"""Chapter 4: trained models on disk, each with a card that tells how it was trained and what that changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from xlutils.chapters.training_runs import Comparison, Run, model_folder
from xlutils.chapters.wording import with_interval
from xlutils.datasets.scenarios import PIVOT
from xlutils.models import adapters
from xlutils.models.catalogue import find_card
from xlutils.models.sentence_transformer import quiet
from xlutils.results.rows import metric_label

_CARD = """---
{head}---

# {name}: trained for cross-lingual alignment

Trained from {base} on {triples}. A triple is an English question, an English passage that answers it, and that passage
in another language ({languages}). The method follows Hong, Jang, Lee, Moon and Lim, *Improving Semantic Proximity in
Information Retrieval through Cross-Lingual Alignment*.

Scores on {questions}, whose passages were not trained on. Changes are paired and have a 95% interval. Max@R should
fall, everything else should rise.

| metric | before | after | change |
|---|---:|---:|---|
{rows}

| setting | value |
|---|---|
{recipe}
"""


def save_model(run: Run, save_to: str | Path, seed: int) -> Path:
    """Save a trained model to a new folder, with a card that holds its scores before and after.

    :param save_to: Parent of the folder, which is named after the model and its training.
    :raises XlError: If the folder is not empty.
    """
    folder = model_folder(save_to, run.comparison.before.retrieval.name, run.comparison.name)
    with quiet():
        adapters.save_model(run.model, folder)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    (folder / "README.md").write_text(_card(run.comparison, files, seed), encoding="utf-8")
    return folder


def _card(comparison: Comparison, files: list[str], seed: int) -> str:
    study, exam, change = comparison.before.retrieval, comparison.before.retrieval.exam, comparison.change
    data: dict[str, Any] = change["trained_on"]
    head: dict[str, Any] = {"library_name": "sentence-transformers", "pipeline_tag": "sentence-similarity"}
    head |= {"tags": ["cross-lingual", "retrieval"], "language": [PIVOT, *data["languages"]]}
    known = find_card(study.name)
    if known and known.licence not in ("unknown", "proprietary"):
        head["license"] = known.licence.lower()
    head["files"] = files  # loading checks that none is missing
    changes = comparison.changes(seed).query(f"metric in ['max@r', 'max@r-gap', 'complete@{exam.k}', 'ndcg@1', 'sa']")
    rows = [
        f"| {metric_label({**row, 'state': ''})} | {row['before']:.4g} | {row['after']:.4g} | "
        f"{with_interval(row['value'], row['low'], row['high'], digits=3)} |"
        for row in changes.to_dict("records")
    ]
    return _CARD.format(
        head=yaml.safe_dump(head, sort_keys=False),
        base=f"{study.name} (revision {study.model['revision']})",
        name=comparison.name,
        triples=f"{data['size']} triples of {data['name']} (SHA-256 {data['sha256']})",
        languages=", ".join(data["languages"]),
        questions=f"{len(exam.data.query_ids)} questions of {exam.data.name}, protocol {exam.protocol}",
        rows="\n".join(rows),
        recipe="\n".join(f"| {name} | {value} |" for name, value in change["recipe"].items()),
    )
