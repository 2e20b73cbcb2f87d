"""Chapter 4: save a trained model with a card that says what training changed."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from xlutils.chapters.finetuning import Comparison
from xlutils.chapters.training_runs import Run
from xlutils.chapters.wording import with_interval
from xlutils.errors import XlError
from xlutils.models.catalogue import find_card
from xlutils.models.sentence_transformer import quiet

_SHOWN = re.compile(r"(multi/.*/(max@r|complete@\d+)|mono-same/.*/ndcg@1|mean/.*/(max@r|complete@\d+|ndcg@1)|sa)")


def save_model(run: Run, folder: str | Path, seed: int) -> Path:
    """Save a trained model for sentence-transformers: safetensors, and a card with the table before and after.

    :param run: The training.
    :param folder: Where to; must be new or empty.
    :param seed: Seed of the intervals in the table.
    :raises XlError: If something lies there.
    """
    folder = Path(folder).expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise XlError(f"{folder.name} is not empty; save the model to a new folder")
    with quiet():
        run.model.save_pretrained(str(folder), create_model_card=False)
    (folder / "README.md").write_text(write_card(run.comparison, seed), encoding="utf-8")
    return folder


def write_card(comparison: Comparison, seed: int) -> str:
    """Write the card of a trained model.

    :param comparison: What was measured before and after its training.
    :param seed: Seed of the intervals.
    """
    base, done = comparison.before.retrieval, comparison.done
    known = find_card(base.name)
    data, recipe = done["trained_on"], done["recipe"]
    head = {
        "library_name": "sentence-transformers",
        "pipeline_tag": "sentence-similarity",
        "tags": ["sentence-transformers", "cross-lingual", "retrieval"],
        "language": ["en", *data["languages"]],
        **({"license": known.licence.lower()} if known and known.licence not in ("unknown", "proprietary") else {}),
    }
    rows = [
        f"| {name} | {row['before']:.4g} | {row['after']:.4g} | "
        f"{with_interval(row['change'], row['low'], row['high'], digits=3)} |"
        for name, row in comparison.table(seed).iterrows()
        if _SHOWN.fullmatch(str(name)) and "-" not in str(name).split("/")[2:3]
    ]
    settings = [f"| {name} | {value} |" for name, value in recipe.items()]
    return "\n".join([
        "---", yaml.safe_dump(head, sort_keys=False, allow_unicode=True).rstrip(), "---", "",
        f"# {base.name}, trained for alignment ({done['name']})", "",
        f"Made from {base.name} (revision {base.model['revision']}) with {data['size']} triples of {data['name']} "
        f"(SHA-256 {data['sha256']}): an English question, its English passage, and that passage in another language "
        f"({', '.join(data['languages'])}). The method follows Hong, Jang, Lee, Moon and Lim, *Improving Semantic "
        "Proximity in Information Retrieval through Cross-Lingual Alignment*.", "",
        "## Before and after", "",
        f"Measured on {base.data.name} ({len(base.data.query_ids)} questions, protocol {base.protocol}), none of whose "
        "passages it was trained on; the change is paired, with a 95% interval. Max@R should fall, all else rise.", "",
        "| metric | before | after | change |", "|---|---:|---:|---|", *rows, "",
        "## Recipe", "", "| setting | value |", "|---|---|", *settings, "",
    ])  # fmt: skip
