"""Data: readers, one per kind, and what ships with the package."""

from xlutils.datasets.lexicon import Lexicon, load_lexicon
from xlutils.datasets.parallel import ParallelQA, load_parallel
from xlutils.datasets.sentences import Sentences, load_sentences
from xlutils.datasets.triples import Triple, Triples, load_english_pairs, load_triples

__all__ = [
    "Lexicon",
    "ParallelQA",
    "Sentences",
    "Triple",
    "Triples",
    "load_english_pairs",
    "load_lexicon",
    "load_parallel",
    "load_sentences",
    "load_triples",
]
