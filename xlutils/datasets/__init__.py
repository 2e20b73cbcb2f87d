"""Data: readers, one per kind, and what ships with the package."""

from xlutils.datasets import parallel, sentences
from xlutils.datasets.lexicon import Lexicon, lexicon_names, load_lexicon
from xlutils.datasets.parallel import ParallelQA, load_parallel
from xlutils.datasets.relations import TextPairs, load_minimal_pairs, load_relations, load_senses
from xlutils.datasets.sentences import Sentences, load_sentences
from xlutils.datasets.triples import Triple, Triples, load_english_pairs, load_triples

__all__ = [
    "Lexicon",
    "ParallelQA",
    "Sentences",
    "TextPairs",
    "Triple",
    "Triples",
    "describe_datasets",
    "load_english_pairs",
    "load_lexicon",
    "load_minimal_pairs",
    "load_parallel",
    "load_relations",
    "load_senses",
    "load_sentences",
    "load_triples",
]

_PLACES = {"mini": "ships with the package", "udhr": "ships with the package", "debian": "from $XL_DATA"}


def describe_datasets() -> list[str]:
    """Return one line for each data set that can be loaded by name."""
    lines = []
    for lexicon in map(load_lexicon, lexicon_names()):
        count = len(lexicon.languages)
        languages = ", ".join(lexicon.languages) if count < 20 else f"{count} languages"
        lines.append(f"{lexicon.name:20}  {len(lexicon.concepts):4} concepts in {languages}")
    for kind, names in (("questions", parallel.NAMES), ("sentences", sentences.NAMES)):
        for name in names:
            lines.append(f"{name:20}       parallel {kind}, {_PLACES.get(name, 'from $XL_DATA or the hub')}")
    return lines
