"""Parallel question answering: the same questions and passages in several languages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xlutils.datasets.files import (
    BUILTIN,
    content_hash,
    find_file,
    load_hub,
    local_folder,
    read_json,
    read_json_lines,
)
from xlutils.datasets.languages import LANGUAGES, language_codes
from xlutils.datasets.text import as_text
from xlutils.errors import XlError, unknown

NAMES = ("mini", "xquad", "belebele", "debian")
XQUAD = ("google/xquad", "51adfef1c1287aab1d2d91b5bead9bcfb9c68583")
BELEBELE = ("facebook/belebele", "75b399394a9803252cfec289d103de462763db7c")
_BELEBELE_FIELDS = ("link", "question_number", "flores_passage", "question")


@dataclass(frozen=True)
class Question:
    """A question of one language with the passage that answers it."""

    id: str
    query: str
    passage_id: str
    passage: str


Reader = Callable[[str], list[Question]]


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
        """Codes of the languages, in the order asked for."""
        return tuple(self.queries)

    @property
    def sha256(self) -> str:
        """Hash of the ids and texts held here."""
        return content_hash([self.query_ids, self.passage_ids, self.queries, self.passages, self.gold.tolist()])

    def only(self, languages: Sequence[str]) -> ParallelQA:
        """Keep some of the languages, in the order given."""
        queries, passages = ({code: texts[code] for code in languages} for texts in (self.queries, self.passages))
        return replace(self, queries=queries, passages=passages)

    def part(self, passages: Sequence[int], name: str) -> ParallelQA:
        """Keep some passages and the questions on them.

        :param passages: Positions of the passages, all different.
        :param name: Name of the part in records.
        :raises XlError: If no question is left.
        """
        place = {old: new for new, old in enumerate(passages)}
        kept = [number for number, passage in enumerate(self.gold.tolist()) if passage in place]
        if not kept:
            raise XlError(f"{name}: no question is on these passages")
        return ParallelQA(
            name,
            tuple(self.query_ids[number] for number in kept),
            tuple(self.passage_ids[old] for old in passages),
            {code: tuple(texts[number] for number in kept) for code, texts in self.queries.items()},
            {code: tuple(texts[old] for old in passages) for code, texts in self.passages.items()},
            np.array([place[int(self.gold[number])] for number in kept]),
        )


def load_parallel(name_or_path: str | Path, languages: Sequence[str]) -> ParallelQA:
    """Load parallel questions and passages.

    :param name_or_path: "mini" (ships with the package), "xquad", "belebele", "debian", or a folder of
        SQuAD files `<name>.<lang>.json`, Belebele files `<code>.jsonl`, or `eval.<lang>.jsonl`, each
        of which may be gzipped. A name is looked up in `$XL_DATA/<name>`, then on the hub.
    :param languages: Codes or English names.
    :return: The aligned data.
    :raises XlError: If the data cannot be had, or the languages are not parallel.
    """
    codes = language_codes(languages)
    name = str(name_or_path)
    if name in NAMES:
        folder = BUILTIN / "mini" if name == "mini" else local_folder(name)
        read, label = _folder_reader(folder, codes) if folder else _hub_reader(name), name
    elif Path(name).expanduser().is_dir():
        folder = Path(name).expanduser()
        read, label = _folder_reader(folder, codes), folder.resolve().name
    else:
        raise unknown("dataset", name, [*NAMES, "a folder"])
    return _align(label, {code: read(code) for code in codes})


def _folder_reader(folder: Path, codes: Sequence[str]) -> Reader:
    for kind, stem_of in (("SQuAD", _squad_stem(folder)), ("Belebele", _belebele_stem), ("eval", _eval_stem)):
        there = [code for code in LANGUAGES if find_file(folder, stem_of(code))]
        if not there:
            continue
        for code in codes:
            if code not in there:
                raise XlError(f"{folder.name} has no language {code}; it has {', '.join(there)}")
        parse = {"SQuAD": _read_squad, "Belebele": _read_belebele, "eval": _read_eval}[kind]
        return lambda code: parse(find_file(folder, stem_of(code)) or folder)
    raise XlError(f"{folder} holds no <name>.<lang>.json, <code>.jsonl or eval.<lang>.jsonl (each may end in .gz)")


def _squad_stem(folder: Path) -> Callable[[str], str]:
    names = sorted(path.name.split(".")[0] for path in folder.glob("*.??.json*"))
    return lambda code: f"{names[0] if names else 'xquad'}.{code}.json"


def _belebele_stem(code: str) -> str:
    return f"{LANGUAGES[code].flores}.jsonl"


def _eval_stem(code: str) -> str:
    return f"eval.{code}.jsonl"


def _read_squad(path: Path) -> list[Question]:
    questions = []
    try:
        for number, article in enumerate(read_json(path)["data"]):
            for position, paragraph in enumerate(article["paragraphs"]):
                passage_id = f"{number}.{position}"
                passage = as_text(paragraph["context"], f"{path.name}: passage {passage_id}")
                for item in paragraph["qas"]:
                    key, text = (as_text(item[part], f"{path.name}: {part}") for part in ("id", "question"))
                    questions.append(Question(key, text, passage_id, passage))
    except (KeyError, TypeError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise XlError(f"{path.name} is not in SQuAD format ({what})") from None
    return questions


def _read_belebele(path: Path) -> list[Question]:
    return _belebele_questions(read_json_lines(path, _BELEBELE_FIELDS))


def _read_eval(path: Path) -> list[Question]:
    rows = read_json_lines(path, ("id", "query", "passage"))
    return [Question(row["id"], row["query"], row["id"], row["passage"]) for row in rows]


def _hub_reader(name: str) -> Reader:
    if name == "xquad":
        repo, revision = XQUAD
        return lambda code: _grouped(load_hub(repo, f"xquad.{code}", "validation", revision))
    if name == "belebele":
        repo, revision = BELEBELE
        return lambda code: _belebele_questions(load_hub(repo, LANGUAGES[code].flores, "test", revision))
    raise XlError(
        "debian is on no hub: put its eval.<lang>.jsonl.gz files in a folder debian "
        "and set XL_DATA to the folder above it"
    )


def _grouped(rows: Iterable[dict[str, str]]) -> list[Question]:
    """SQuAD rows as the hub has them: questions of one passage follow each other and repeat its text."""
    questions: list[Question] = []
    passages = -1
    last = None
    for row in rows:
        passages += row["context"] != last
        last = row["context"]
        questions.append(Question(row["id"], row["question"], str(passages), row["context"]))
    return questions


def _belebele_questions(rows: Iterable[dict[str, str]]) -> list[Question]:
    """One article can give several passages, so a passage is its article and its place in it."""
    seen: dict[str, list[str]] = {}
    questions = []
    order: dict[str, int] = {}
    for row in rows:
        texts = seen.setdefault(row["link"], [])
        if row["flores_passage"] not in texts:
            texts.append(row["flores_passage"])
        passage_id = f"{row['link']}#{texts.index(row['flores_passage'])}"
        order[passage_id] = order.get(passage_id, 0) + 1
        questions.append(
            Question(f"{passage_id}.{row['question_number']}", row["question"], passage_id, row["flores_passage"])
        )
    return sorted(questions, key=lambda question: question.id)  # the files are not in one order


def _align(name: str, by_language: dict[str, list[Question]]) -> ParallelQA:
    """Hold the languages against the first one and number the passages."""
    (first, reference), *others = by_language.items()
    if not reference:
        raise XlError(f"{name} holds no question in {first}")
    _check_ids(name, first, reference)
    for code, questions in others:
        for mine, theirs in zip(reference, questions, strict=False):
            if (mine.id, mine.passage_id) != (theirs.id, theirs.passage_id):
                raise XlError(
                    f"{name} is not parallel in {first} and {code}: {mine.id!r} stands where {theirs.id!r} "
                    "does; use languages with the same questions in the same order"
                )
        if len(questions) != len(reference):
            longer = reference if len(reference) > len(questions) else questions
            raise XlError(
                f"{name} is not parallel in {first} and {code}: {len(reference)} questions against "
                f"{len(questions)}, the first extra one is {longer[min(len(reference), len(questions))].id!r}"
            )
    numbers = {passage_id: number for number, passage_id in enumerate(dict.fromkeys(q.passage_id for q in reference))}
    passages: dict[str, tuple[str, ...]] = {}
    for code, questions in by_language.items():
        texts = {question.passage_id: question.passage for question in questions}
        passages[code] = tuple(texts[passage_id] for passage_id in numbers)
        _check_texts(name, code, questions, texts)
    return ParallelQA(
        name,
        tuple(question.id for question in reference),
        tuple(numbers),
        {code: tuple(question.query for question in questions) for code, questions in by_language.items()},
        passages,
        np.array([numbers[question.passage_id] for question in reference]),
    )


def _check_ids(name: str, code: str, questions: list[Question]) -> None:
    seen = set()
    for question in questions:
        if question.id in seen:
            raise XlError(f"{name}.{code}: the question id {question.id!r} stands twice; ids must differ")
        seen.add(question.id)


def _check_texts(name: str, code: str, questions: list[Question], texts: dict[str, str]) -> None:
    for question in questions:
        if not question.query.strip() or not question.passage.strip():
            raise XlError(f"{name}.{code}: question {question.id!r} or its passage is empty; fill or drop it")
        if texts[question.passage_id] != question.passage:
            raise XlError(f"{name}.{code}: passage {question.passage_id!r} has two texts; question {question.id!r}")
