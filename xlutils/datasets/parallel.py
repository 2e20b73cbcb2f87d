"""Parallel question answering: the same questions and passages in several languages."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xlutils.datasets.files import BUILTIN, content_hash, find_file, load_hub, local_folder, read_json_lines, read_text
from xlutils.datasets.languages import LANGUAGES, language_codes, no_language
from xlutils.datasets.text import as_text, parse_json
from xlutils.errors import XlError, unknown

NAMES = ("mini", "xquad", "belebele", "debian")
XQUAD = ("google/xquad", "51adfef1c1287aab1d2d91b5bead9bcfb9c68583")
BELEBELE = ("facebook/belebele", "75b399394a9803252cfec289d103de462763db7c")
_BELEBELE_FIELDS = ("link", "question_number", "flores_passage", "question")


@dataclass(frozen=True)
class Question:
    """A question in one language with the passage that answers it."""

    id: str
    query: str
    passage_id: str
    passage: str


@dataclass(frozen=True)
class ParallelQA:
    """Questions and passages, aligned across languages by position.

    :param name: Name in records.
    :param query_ids: n ids.
    :param passage_ids: m ids.
    :param queries: For each language its n questions.
    :param passages: For each language its m passages.
    :param gold: int64 [n]: for each question the position of its passage.
    """

    name: str
    query_ids: tuple[str, ...]
    passage_ids: tuple[str, ...]
    queries: dict[str, tuple[str, ...]]
    passages: dict[str, tuple[str, ...]]
    gold: np.ndarray

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages, in the order requested."""
        return tuple(self.queries)

    @property
    def sha256(self) -> str:
        """Hash of the ids and texts."""
        return content_hash([self.query_ids, self.passage_ids, self.queries, self.passages, self.gold.tolist()])

    def only(self, languages: Sequence[str]) -> ParallelQA:
        """Return the data in some of the languages, in the order given."""
        queries, passages = ({code: texts[code] for code in languages} for texts in (self.queries, self.passages))
        return replace(self, queries=queries, passages=passages)

    def part(self, passages: Sequence[int], name: str) -> ParallelQA:
        """Return some of the passages with their questions.

        :param passages: Positions of the passages, all different.
        :param name: Name of the part in records.
        :raises XlError: If no question is left.
        """
        new_position = {old: new for new, old in enumerate(passages)}
        kept = [number for number, passage in enumerate(self.gold.tolist()) if passage in new_position]
        if not kept:
            raise XlError(f"{name}: none of these passages has a question")
        return ParallelQA(
            name,
            tuple(self.query_ids[number] for number in kept),
            tuple(self.passage_ids[old] for old in passages),
            {code: tuple(texts[number] for number in kept) for code, texts in self.queries.items()},
            {code: tuple(texts[old] for old in passages) for code, texts in self.passages.items()},
            np.array([new_position[int(self.gold[number])] for number in kept]),
        )


def load_parallel(name_or_path: str | Path, languages: Sequence[str]) -> ParallelQA:
    """Load parallel questions and passages.

    :param name_or_path: "mini" (ships with the package), "xquad", "belebele", "debian", or a folder of SQuAD files
        `<name>.<lang>.json`, Belebele files `<code>.jsonl`, or `eval.<lang>.jsonl`, each of which may be gzipped.
        A name is looked up in `$XL_DATA/<name>`, then on the hub.
    :param languages: Codes or English names.
    :raises XlError: If the data could not be loaded, or the languages are not parallel.
    """
    codes = language_codes(languages)
    name = str(name_or_path)
    if name in NAMES:
        label, folder = name, BUILTIN / "mini" if name == "mini" else local_folder(name)
    elif Path(name).expanduser().is_dir():
        folder = Path(name).expanduser()
        label = folder.resolve().name
    else:
        raise unknown("dataset", name, [*NAMES, "a folder"])
    return _align(label, _read_folder(folder, codes) if folder else _read_hub(name, codes))


def _find_files(folder: Path) -> tuple[dict[str, Path], Callable[[Path], list[Question]]]:
    """Return the files of a folder by language, and what reads them."""
    squad = next((path.name.split(".")[0] for path in sorted(folder.glob("*.*.json*"))), "xquad")
    formats: list[tuple[Callable[[str], str], Callable[[Path], list[Question]]]] = [
        (lambda code: f"{squad}.{code}.json", _read_squad),
        (lambda code: f"{LANGUAGES[code].flores}.jsonl", _read_belebele),
        (lambda code: f"eval.{code}.jsonl", _read_eval),
    ]
    for file_name, read in formats:
        if files := {code: path for code in LANGUAGES if (path := find_file(folder, file_name(code)))}:
            return files, read
    raise XlError(f"{folder} has no <name>.<lang>.json, <code>.jsonl or eval.<lang>.jsonl (each may end in .gz)")


def check_languages(folder: Path, codes: Sequence[str]) -> None:
    """Raise an XlError if a folder of parallel questions lacks a language."""
    files, _ = _find_files(folder)
    if missing := [code for code in codes if code not in files]:
        raise no_language(folder.name, missing[0], list(files))


def _read_folder(folder: Path, codes: Sequence[str]) -> dict[str, list[Question]]:
    check_languages(folder, codes)
    files, read = _find_files(folder)
    return {code: read(files[code]) for code in codes}


def _read_squad(path: Path) -> list[Question]:
    questions = []
    try:
        for number, article in enumerate(parse_json(read_text(path), path.name)["data"]):
            for position, paragraph in enumerate(article["paragraphs"]):
                passage_id = f"{number}.{position}"
                passage = as_text(paragraph["context"], f"{path.name}: passage {passage_id}")
                for item in paragraph["qas"]:
                    key, text = (as_text(item[field], f"{path.name}: {field}") for field in ("id", "question"))
                    questions.append(Question(key, text, passage_id, passage))
    except (KeyError, TypeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise XlError(f"{path.name} is not in SQuAD format ({reason})") from None
    return questions


def _read_belebele(path: Path) -> list[Question]:
    return _belebele_questions(read_json_lines(path, _BELEBELE_FIELDS))


def _read_eval(path: Path) -> list[Question]:
    rows = read_json_lines(path, ("id", "query", "passage"))
    return [Question(row["id"], row["query"], row["id"], row["passage"]) for row in rows]


def _read_hub(name: str, codes: Sequence[str]) -> dict[str, list[Question]]:
    if name == "xquad":
        repo, revision = XQUAD
        return {code: _xquad_questions(load_hub(repo, f"xquad.{code}", "validation", revision)) for code in codes}
    if name == "belebele":
        repo, revision = BELEBELE
        for code in codes:
            if not LANGUAGES[code].flores:
                raise no_language(name, code, [other for other, language in LANGUAGES.items() if language.flores])
        return {code: _belebele_questions(load_hub(repo, LANGUAGES[code].flores, "test", revision)) for code in codes}
    raise XlError(
        "debian is not on the hub: put its eval.<lang>.jsonl.gz files in a folder debian "
        "and set XL_DATA to the folder above it"
    )


def _xquad_questions(rows: Iterable[dict[str, str]]) -> list[Question]:
    """Convert the rows of the hub, where the questions on one passage are consecutive and repeat its text."""
    groups = itertools.groupby(rows, key=lambda row: row["context"])
    return [
        Question(row["id"], row["question"], str(number), context)
        for number, (context, group) in enumerate(groups)
        for row in group
    ]


def _belebele_questions(rows: Iterable[dict[str, str]]) -> list[Question]:
    """Convert rows to questions, sorted by id, since the files differ in their order.

    An article can have several passages, so the id of a passage is its article and its number there.
    """
    passages: dict[str, list[str]] = {}
    questions = []
    for row in rows:
        link, passage = row["link"], row["flores_passage"]
        texts = passages.setdefault(link, [])
        if passage not in texts:
            texts.append(passage)
        passage_id = f"{link}#{texts.index(passage)}"
        questions.append(Question(f"{passage_id}.{row['question_number']}", row["question"], passage_id, passage))
    return sorted(questions, key=lambda question: question.id)


def _align(name: str, by_language: dict[str, list[Question]]) -> ParallelQA:
    """Check that the languages are parallel, and number the passages."""
    first, reference = next(iter(by_language.items()))
    if not reference:
        raise XlError(f"{name} has no questions in {first}")
    positions = {key: number for number, key in enumerate(dict.fromkeys(row.passage_id for row in reference))}
    queries, passages = {}, {}
    for code, questions in by_language.items():
        texts = _passage_texts(f"{name}.{code}", questions)
        _check_parallel(f"{name} is not parallel in {first} and {code}", reference, questions)
        queries[code] = tuple(question.query for question in questions)
        passages[code] = tuple(texts[key] for key in positions)
    gold = np.array([positions[question.passage_id] for question in reference])
    return ParallelQA(name, tuple(row.id for row in reference), tuple(positions), queries, passages, gold)


def _passage_texts(label: str, questions: list[Question]) -> dict[str, str]:
    """Check the questions of one language, and return its passages by id."""
    ids: set[str] = set()
    texts: dict[str, str] = {}
    for question in questions:
        if question.id in ids:
            raise XlError(f"{label}: two questions have the id {question.id!r}; ids must differ")
        if not question.query.strip() or not question.passage.strip():
            raise XlError(f"{label}: question {question.id!r} or its passage is empty; fill or drop it")
        if texts.setdefault(question.passage_id, question.passage) != question.passage:
            raise XlError(f"{label}: passage {question.passage_id!r} has two texts; see question {question.id!r}")
        ids.add(question.id)
    return texts


def _check_parallel(problem: str, reference: list[Question], questions: list[Question]) -> None:
    for expected, question in itertools.zip_longest(reference, questions):
        if expected is None or question is None:
            counts = f"{len(reference)} questions against {len(questions)}"
            raise XlError(f"{problem}: {counts}, the first extra one is {(expected or question).id!r}")
        if (expected.id, expected.passage_id) != (question.id, question.passage_id):
            hint = "use languages with the same questions in the same order"
            raise XlError(f"{problem}: one has {expected.id!r} where the other has {question.id!r}; {hint}")
