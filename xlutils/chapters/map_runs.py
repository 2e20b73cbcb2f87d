"""Chapter 7: the experiments that its page runs by itself, and those of the shipped records."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from xlutils.chapters.corrections import study_corrections
from xlutils.chapters.map_pairs import LANGUAGES_30, study_pairs
from xlutils.chapters.map_spaces import study_spaces
from xlutils.chapters.map_ways import WAYS
from xlutils.chapters.maps import SIZES, MapStudy, study_maps
from xlutils.chapters.supervision import study_supervision
from xlutils.chapters.tables import each_model
from xlutils.datasets.files import local_folder
from xlutils.datasets.lexicon import load_lexicon
from xlutils.datasets.relations import TextPairs, load_relations
from xlutils.datasets.sentences import load_sentences
from xlutils.errors import XlError
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, write_record

_WAYS = ("centred", "procrustes", "ridge-shrunk")  # that the page runs by itself
_SIZES = (5, 100, 500)


def run_maps(
    models: Sequence[str],
    dataset: str,
    load: Callable[[str], Encoder],
    records_dir: str | Path,
    *,
    languages: Sequence[str],
    onto: Sequence[str] = (),
    pivot: str = "en",
    seed: int = 42,
    full: bool = False,
) -> tuple[dict[str, MapStudy], dict[tuple[str, str], Record], dict[str, str], list[Path]]:
    """Map languages onto the pivot within each model, and the spaces of the models onto others.

    :param dataset: A lexicon by name or as a CSV.
    :param load: Loads a model by name.
    :param onto: Models whose spaces the others are mapped onto; by default all of them.
    :param full: Whether to run everything that the shipped records have, or what the page shows of a few languages.
    :return: Studies by model; records of maps between spaces by source and target; reasons by model that could not be
        measured; paths of the records.
    """
    codes = [pivot, *(code for code in languages if code != pivot)]
    if len(codes) < 2:
        raise XlError(f"languages: name one besides the pivot {pivot}")
    lexicon, relations = load_lexicon(dataset, codes), _relations(codes)
    draws = 5 if full else 1
    paths = []

    def measure(name: str) -> MapStudy:
        how = {"sizes": SIZES, "ways": WAYS} if full else {"sizes": _SIZES, "ways": _WAYS}
        study = study_maps(load(name), lexicon, relations, codes[1:], pivot, seed, draws, everything=full, **how)
        paths.append(write_record(records_dir, study.record()))
        for record in _more(study, dataset) if full else ():
            paths.append(write_record(records_dir, record))
        return study

    studies, failures = each_model(models, measure)
    encoders = {name: study.encoder for name, study in studies.items()}
    if others := [name for name in onto if name not in models]:
        loaded, more = each_model(others, load)
        encoders, failures = encoders | loaded, failures | more
    spaces = {}
    for name, target in itertools.product(studies, [name for name in onto or studies if name in encoders]):
        if name != target:
            record = study_spaces(encoders[name], encoders[target], lexicon, codes, pivot, seed, draws, everything=full)
            spaces[name, target] = record
            paths.append(write_record(records_dir, record))
    return studies, spaces, failures, paths


def _relations(codes: Sequence[str]) -> TextPairs | None:
    """Return the pairs of related words in those languages that they are written in, or nothing without the pivot."""
    known = load_relations("relations").languages
    wanted = [code for code in codes if code in known]
    return load_relations("relations", wanted) if codes[0] in wanted and len(wanted) > 1 else None


def _more(study: MapStudy, dataset: str) -> Iterator[Record]:
    """Yield the records beside the first one: corrections, names against sentences, and all pairs of languages."""
    yield study_corrections(study)
    codes = [str(study.params["pivot"]), *study.splits]
    names = ["udhr", *(["sib200"] if local_folder("sib200") else [])]
    yield study_supervision(study, [load_sentences(name, codes) for name in names])
    if dataset == "cldr":
        many = list(dict.fromkeys([codes[0], *LANGUAGES_30]))
        yield study_pairs(study.encoder, load_lexicon(dataset, many), many, codes[0])
