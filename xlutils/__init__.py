"""Measure whether a multilingual embedding model puts the same meaning in the same place.

The names below are loaded on first use, so that `import xlutils` is quick.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "CATALOGUE": "xlutils.models.catalogue",
    "Encoder": "xlutils.models.encoder",
    "EmbeddingStore": "xlutils.models.store",
    "Lexicon": "xlutils.datasets.lexicon",
    "ParallelQA": "xlutils.datasets.parallel",
    "Record": "xlutils.results.record",
    "Sentences": "xlutils.datasets.sentences",
    "TextPairs": "xlutils.datasets.relations",
    "XlError": "xlutils.errors",
    "load_lexicon": "xlutils.datasets",
    "load_minimal_pairs": "xlutils.datasets",
    "load_model": "xlutils.models",
    "load_parallel": "xlutils.datasets",
    "load_relations": "xlutils.datasets",
    "load_senses": "xlutils.datasets",
    "load_sentences": "xlutils.datasets",
    "load_triples": "xlutils.datasets",
    "write_record": "xlutils.results.record",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'xlutils' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
