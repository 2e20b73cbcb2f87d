"""Related words from the Open Multilingual Wordnet and other wordnets that the package `wn` has installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from xlutils.datasets.languages import language_code, language_codes
from xlutils.datasets.relations import TextPairs
from xlutils.errors import XlError, require

_RELATIONS = {"hypernym": "hypernym", "part": "holo_part"}  # by group: the relation of a wordnet from first to second
_OPPOSITES = "antonym"


def load_wordnet(languages: Sequence[str], count: int = 100, seed: int = 42) -> TextPairs:
    """Draw pairs of related words that all of some languages have.

    The relations are those of the first language: "hypernym" (a kind of), "part" (a part of) and "antonym". The words
    of the others come through the interlingual index; of several words for one concept, the first is taken.

    :param languages: Tags or names, the one with relations first, such as English. Their wordnets must be installed:
        `python -m wn download oewn:2024 omw-de:1.4`.
    :param count: Number of pairs, at most, of each relation.
    :param seed: Seed of the draw.
    :raises XlError: If a wordnet is missing, or no pair has words in all languages.
    """
    require("wn", "wordnet")
    import wn

    installed = {language_code(lexicon.language): lexicon.specifier() for lexicon in wn.lexicons()}
    codes = language_codes(languages)
    for code in codes:
        if code not in installed:
            known = ", ".join(sorted(filter(None, installed))) or "none"
            raise XlError(f"no wordnet of {code} is installed (of these languages: {known}); see python -m wn download")
    wordnets = {code: wn.Wordnet(installed[code], expand="") for code in codes}
    ids, groups = [], []
    columns: list[dict[str, list[str]]] = [{code: [] for code in codes} for _ in range(2)]
    draws = np.random.default_rng(seed)
    for group in (*_RELATIONS, _OPPOSITES):
        candidates = [*_pairs(wordnets[codes[0]], group)]
        kept = 0
        for place in draws.permutation(len(candidates)):
            sides = [[_word(wordnets[code], concept) for code in codes] for concept in candidates[place]]
            if kept == count:
                break
            if all(map(all, sides)):
                kept += 1
                ids.append(f"{group}-{kept}")
                groups.append(group)
                for column, words in zip(columns, sides, strict=True):
                    for code, word in zip(codes, words, strict=True):
                        column[code].append(word)
    if not ids:
        raise XlError(f"the wordnets of {', '.join(codes)} share no related words; name fewer languages")
    first, second = ({code: tuple(words) for code, words in column.items()} for column in columns)
    return TextPairs("relations", "wordnet", tuple(ids), tuple(groups), ("",) * len(ids), first, second)


def _pairs(wordnet: Any, group: str) -> Iterator[tuple[str, str]]:
    """Yield the concepts of related words, by their numbers in the interlingual index."""
    seen = set()
    if group == _OPPOSITES:
        found = ((sense.synset(), other.synset()) for sense in wordnet.senses() for other in sense.get_related(group))
    else:
        found = ((one, other) for one in wordnet.synsets() for other in one.get_related(_RELATIONS[group])[:1])
    for one, other in found:
        pair = one.ili, other.ili
        if all(pair) and pair not in seen and pair[::-1] not in seen:
            seen.add(pair)
            yield pair


def _word(wordnet: Any, concept: str) -> str:
    lemmas = [lemma for synset in wordnet.synsets(ili=concept) for lemma in synset.lemmas()]
    return str(lemmas[0]).replace("_", " ") if lemmas else ""
