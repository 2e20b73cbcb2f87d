"""Paraphrases of training questions, from a file."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from xlutils.datasets.files import read_json_lines
from xlutils.datasets.tables import read_table
from xlutils.datasets.triples import Triples
from xlutils.errors import XlError

_FIELDS = ("text", "paraphrase")


def load_paraphrases(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Read paraphrases by text.

    :param path: A CSV with the columns `text` and `paraphrase`, or JSON lines with these fields (`.jsonl`, may be
        gzipped). A text may have several rows.
    :raises XlError: If the file is missing or not such a table, or a row says nothing.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise XlError(f"{path.name} is missing; give a CSV or JSON lines with the columns text and paraphrase")
    if ".json" in path.name:
        rows = [(row["text"], row["paraphrase"]) for row in read_json_lines(path, _FIELDS)]
    else:
        header, table = read_table(path, _FIELDS)
        if missing := [name for name in _FIELDS if name not in header]:
            raise XlError(f"{path.name} has no column {missing[0]!r}; it needs text and paraphrase")
        rows = [(row[header.index("text")], row[header.index("paraphrase")]) for row in table]
    result: dict[str, tuple[str, ...]] = {}
    for number, (text, paraphrase) in enumerate(rows, 1):
        if not text.strip() or not paraphrase.strip() or text == paraphrase:
            raise XlError(f"{path.name} row {number}: a text is empty or its own paraphrase; fill it or drop the row")
        result[text] = (*result.get(text, ()), paraphrase)
    return result


def paraphrased(triples: Triples, paraphrases: dict[str, tuple[str, ...]], chance: float, seed: int = 42) -> Triples:
    """Replace each English question, with some chance, by one of its paraphrases; a question without one stays.

    :raises XlError: If no question has a paraphrase.
    """
    if not any(row.query_en in paraphrases for row in triples.rows):
        raise XlError(f"{triples.name}: no question has a paraphrase; give the questions as they are in the triples")
    draw = random.Random(seed)  # noqa: S311 - no secret
    rows = []
    for row in triples.rows:
        others, is_chosen = paraphrases.get(row.query_en, ()), draw.random() < chance
        rows.append(replace(row, query_en=draw.choice(others)) if others and is_chosen else row)
    return Triples(triples.name, tuple(rows))
