"""Pairs of texts in many languages: related words, sentences and their distractors, senses and their sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xlutils.datasets.files import BUILTIN, content_hash
from xlutils.datasets.languages import LANGUAGES, language_code, language_codes, no_language
from xlutils.datasets.tables import read_table
from xlutils.datasets.text import are_in_script
from xlutils.errors import XlError, unknown

_FOLDER = BUILTIN / "relations"
_ENDINGS = {"relations": ("_1", "_2"), "minimal-pairs": ("", "_distractor"), "senses": ("", "_sentence")}
Columns = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class TextPairs:
    """n pairs of texts, aligned across languages by position; "" where a language lacks one.

    :param kind: "relations", "minimal-pairs" or "senses".
    :param name: Name in records.
    :param ids: n ids, all different.
    :param groups: What each pair is an example of: a relation, a phenomenon, or an ambiguous word.
    :param labels: More about each pair: its category, or the number of the sense.
    :param first: For each language the first texts: a word, a sentence, or the translation of a sense.
    :param second: The second texts: the related word, the distractor, or a sentence with that sense.
    """

    kind: str
    name: str
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    first: Columns
    second: Columns

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags of the languages, in the order of the file or as requested."""
        return tuple(self.first)

    @property
    def sha256(self) -> str:
        """Hash of everything."""
        return content_hash([self.ids, self.groups, self.labels, self.first, self.second])

    def only(self, languages: Sequence[str]) -> TextPairs:
        """Return the pairs in some of the languages, in the order given."""
        for code in languages:
            if code not in self.first:
                raise no_language(self.name, code, self.languages)
        first, second = ({code: side[code] for code in languages} for side in (self.first, self.second))
        return replace(self, first=first, second=second)

    def take(self, rows: Sequence[int]) -> TextPairs:
        """Return the pairs at some positions, in the order given."""
        ids, groups, labels = (tuple(one[row] for row in rows) for one in (self.ids, self.groups, self.labels))
        first, second = (
            {code: tuple(column[row] for row in rows) for code, column in side.items()}
            for side in (self.first, self.second)
        )
        return replace(self, ids=ids, groups=groups, labels=labels, first=first, second=second)

    def rows(self, group: str, *languages: str) -> list[int]:
        """Return the positions of the pairs of a group that are whole in all of these languages."""
        sides = [side[code] for code in languages for side in (self.first, self.second)]
        return [row for row, name in enumerate(self.groups) if name == group and all(side[row] for side in sides)]

    def missing(self) -> dict[str, int]:
        """Return for each language the number of pairs that are not whole."""
        pairs = {code: zip(self.first[code], self.second[code], strict=True) for code in self.first}
        return {code: sum(not all(pair) for pair in column) for code, column in pairs.items()}


def load_relations(name_or_path: str | Path = "relations", languages: Sequence[str] | None = None) -> TextPairs:
    """Load pairs of related words.

    :param name_or_path: "relations" (ships with the package), "wordnet" (see `load_wordnet`; it takes languages), or a
        CSV with the column `relation`, if need be `category`, and for each language the columns `<tag>_1` and
        `<tag>_2`.
    :param languages: Tags, codes or English names to keep, in this order; by default all languages of the file.
    :raises XlError: If the file is not such a table, or a category has one member.
    """
    if name_or_path == "wordnet":
        from xlutils.datasets.wordnet import load_wordnet

        if languages is None:
            raise XlError("wordnet: name the languages, such as en,de; it has no list of its own")
        return load_wordnet(languages)
    header, rows = _read(name_or_path, ("relation", "category"), ("relation",))
    groups, labels = _column(header, rows, "relation"), _column(header, rows, "category")
    pairs = _pairs("relations", name_or_path, _numbered(groups), groups, labels, (header, rows), languages)
    sizes = Counter(label for group, label in zip(groups, labels, strict=True) if group == "category")
    for category, size in sizes.items():
        if size == 1:
            raise XlError(f"{pairs.name}: the category {category!r} has one member; give it two or more, or drop it")
    return pairs


def load_minimal_pairs(name_or_path: str | Path = "minimal-pairs", languages: Sequence[str] | None = None) -> TextPairs:
    """Load sentences, each with a distractor that differs from it in one respect.

    :param name_or_path: "minimal-pairs" (ships with the package), or a CSV with the columns `phenomenon` and `id`, and
        for each language `<tag>` and `<tag>_distractor`, both empty where the language lacks the phenomenon.
    :param languages: As in `load_relations`.
    :raises XlError: If the file is not such a table, or a distractor equals its sentence.
    """
    header, rows = _read(name_or_path, ("phenomenon", "id"), ("phenomenon", "id"))
    ids, groups = _column(header, rows, "id"), _column(header, rows, "phenomenon")
    pairs = _pairs("minimal-pairs", name_or_path, ids, groups, [""] * len(ids), (header, rows), languages)
    for code, first in pairs.first.items():
        for key, text, distractor in zip(pairs.ids, first, pairs.second[code], strict=True):
            if text and text == distractor:
                raise XlError(f"{pairs.name}: row {key!r} has a distractor in {code} that equals its sentence; mend it")
    return pairs


def load_senses(name_or_path: str | Path = "senses", languages: Sequence[str] | None = None) -> TextPairs:
    """Load ambiguous words: for each sense its translation and a sentence with it.

    :param name_or_path: "senses" (ships with the package), or a CSV with the columns `word` and `senses` (how many a
        large dictionary lists), two rows for each word, and for each language `<tag>`, a translation, and
        `<tag>_sentence`. In the language of the word, the translation is the word itself in both rows.
    :param languages: As in `load_relations`.
    :raises XlError: If the file is not such a table, or a word has not two rows.
    """
    header, rows = _read(name_or_path, ("word", "senses"), ("word", "senses"))
    words, numbers = _column(header, rows, "word"), _column(header, rows, "senses")
    for word, count in Counter(words).items():
        if count != 2:
            raise XlError(f"{Path(name_or_path).stem}: {word!r} has {count} rows; give it two, one for each sense")
    return _pairs("senses", name_or_path, _numbered(words), words, numbers, (header, rows), languages)


def _read(name_or_path: str | Path, notes: Sequence[str], needed: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    name, path = str(name_or_path), Path(name_or_path).expanduser()
    names = [*sorted(file.stem for file in _FOLDER.glob("*.csv")), "wordnet"]
    if name in names[:-1]:
        path = _FOLDER / f"{name}.csv"
    elif not path.is_file():
        raise unknown("pairs of texts", name, [*names, "a CSV file"])
    header, rows = read_table(path, notes)
    for title in needed:
        if title not in header:
            raise XlError(f"{path.name} has no column {title!r}; it has {', '.join(header)[:80]}")
    return header, rows


def _column(header: list[str], rows: list[list[str]], title: str) -> list[str]:
    position = header.index(title) if title in header else None
    return ["" if position is None else row[position].strip() for row in rows]


def _numbered(names: Sequence[str]) -> list[str]:
    """Return ids such as "antonym-1": each name with the number of its row among those of that name."""
    seen = Counter[str]()
    ids = []
    for name in names:
        seen[name] += 1
        ids.append(f"{name}-{seen[name]}")
    return ids


def _pairs(
    kind: str,
    name_or_path: str | Path,
    ids: Sequence[str],
    groups: Sequence[str],
    labels: Sequence[str],
    table: tuple[list[str], list[list[str]]],
    languages: Sequence[str] | None,
) -> TextPairs:
    """Build the pairs from the columns of each language, which are told apart by their endings."""
    name, endings, (header, rows) = Path(name_or_path).stem, _ENDINGS[kind], table
    for key, count in Counter(ids).items():
        if count > 1 or not key:
            raise XlError(f"{name}: {count} rows have the id {key!r}; give each a different one")
    sides: tuple[Columns, Columns] = ({}, {})
    for side, ending in zip(sides, endings, strict=True):
        for title in header:
            code = language_code(title.removesuffix(ending)) if title.endswith(ending) else None
            if code:
                side[code] = tuple(_column(header, rows, title))
    codes = [code for code in sides[0] if code in sides[1]]
    if not codes:
        raise XlError(
            f"{name} has no language; it needs two columns for each, such as en{endings[0]} and en{endings[1]}"
        )
    _check_scripts(name, ids, sides, codes)
    first, second = ({code: side[code] for code in codes} for side in sides)
    pairs = TextPairs(kind, name, tuple(ids), tuple(groups), tuple(labels), first, second)
    return pairs if languages is None else pairs.only(language_codes(languages))


def _check_scripts(name: str, ids: Sequence[str], sides: tuple[Columns, Columns], codes: Sequence[str]) -> None:
    for code in codes:
        for texts in (sides[0][code], sides[1][code]):
            fits = are_in_script(texts, LANGUAGES[code].script)
            if not all(fits):
                row, script = ids[fits.index(False)], LANGUAGES[code].script
                raise XlError(f"{name}: row {row!r} is not in the script {script} of {code}; check the cell or the tag")
