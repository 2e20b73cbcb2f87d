"""Thousands of damaged files and odd parameters: each is read, or refused with one line, and nothing else.

python benchmarks/fuzz.py [--cases 10000] [--only records] [--save]

Every case starts from a valid file, of which some values or bytes are changed.
"""

from __future__ import annotations

import argparse
import copy
import gzip
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from results import save

from xlutils.datasets import load_lexicon, load_parallel, load_triples
from xlutils.errors import XlError
from xlutils.results.check import check_records
from xlutils.results.leaderboard.page import board_html
from xlutils.results.leaderboard.read import read_board
from xlutils.results.record import Record, read_items, tabulate_records, write_record
from xlutils.runs.execute import defaults, find_chapter
from xlutils.runs.parameters import SCHEMAS

Reader = Callable[[Any, Path], object]
_ODD = st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**301) | st.floats() | st.text(max_size=20)
_VALUES = _ODD | st.lists(_ODD, max_size=3) | st.dictionaries(st.text(max_size=5), _ODD, max_size=3)
_LONGEST = 1000  # characters of a message
_NOT_JSON = [b"[" * 100_000, b"1" * 5000, b"null", b"", b"\xff\xfe", b'"\\ud800"', b"NaN"]

LEXICON = "# made to be broken\nconcept,category,en,zh,ar\na,x,water,水,ماء\nb,x,fire|flame,火,نار\nc,,tree,树,\n"
QUESTIONS = [{"id": f"q{number}", "question": f"question {number}?"} for number in range(2)]
SQUAD = {"version": "1", "data": [{"title": "t", "paragraphs": [{"context": "text", "qas": QUESTIONS}]}]}
BELEBELE = [
    {"link": "http://a", "flores_passage": "text", "question": "why?", "question_number": 1},
    {"link": "http://b", "flores_passage": "other", "question": "how?", "question_number": 1},
]
PAIRS = [{"id": "a", "query": "why?", "passage": "so"}, {"id": "b", "query": "how?", "passage": "thus"}]
TRIPLES = [{"query_en": "why?", "passage_en": "so", "passage_tgt": "所以", "lang": "zh"} for _ in range(2)]


def json_lines(rows: list[Any]) -> bytes:
    """Write JSON lines."""
    return "\n".join(map(json.dumps, rows)).encode()


def as_json(content: Any) -> bytes:
    """Write JSON."""
    return json.dumps(content).encode()


def steps(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List the path to every value inside."""
    for key in content if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ():
        yield (*path, key)
        yield from steps(content[key], (*path, key))


@st.composite
def changed(draw: Any, content: Any) -> Any:
    """Change a few values of some JSON, or remove them."""
    new = copy.deepcopy(content)
    for *path, last in draw(st.lists(st.sampled_from(list(steps(content))), min_size=1, max_size=3)):
        place = new
        try:
            for step in path:
                place = place[step]
            if draw(st.booleans()):
                place[last] = draw(_VALUES)
            else:
                del place[last]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change removed it
    return new


@st.composite
def scarred(draw: Any, content: bytes) -> bytes:
    """Cut out some bytes and insert others."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        stop = draw(st.integers(start, min(start + 40, len(content))))
        content = content[:start] + draw(st.binary(max_size=12)) + content[stop:]
    return content


def broken(content: Any, write: Callable[[Any], bytes] = as_json) -> st.SearchStrategy[bytes]:
    """Files with changed values, with changed bytes, or with something else in them."""
    return changed(content).map(write) | scarred(write(content)) | st.sampled_from(_NOT_JSON)


def read_lexicon(content: bytes, folder: Path) -> object:
    """Read a lexicon and use it."""
    (folder / "own.csv").write_bytes(content)
    lexicon = load_lexicon(folder / "own.csv")
    return lexicon.sha256, lexicon.rows(), lexicon.shared_words(), lexicon.same_spellings()


def parallel_reader(name: str, good: bytes) -> Reader:
    """Return a reader of parallel data in which the second language is broken."""

    def read(content: bytes, folder: Path) -> object:
        (folder / name.format("en", "eng_Latn")).write_bytes(good)
        (folder / name.format("zh", "zho_Hans")).write_bytes(content)
        return load_parallel(folder, ["zh", "en"]).sha256, load_parallel(folder, ["zh"]).sha256

    return read


def triples_reader(name: str) -> Reader:
    """Return a reader of triples in a file of that name."""

    def read(content: bytes, folder: Path) -> object:
        (folder / name).write_bytes(content)
        triples = load_triples(folder / name, ["zh"])
        return triples.sha256, triples.examples()

    return read


def sample_record(folder: Path) -> tuple[Path, dict[str, Any], bytes]:
    """Write a valid record with items and return its path, its content, and its items."""
    about = {"kind": "multi", "pool": "en+zh", "query": "zh"}
    metrics = [
        {**about, "metric": "max@r", "value": 2.0, "low": 1.0, "high": 3.0},
        {**about, "metric": "complete@10", "value": 50.0},
    ]
    record = Record(
        "mixed-retrieval",
        {"name": "m", "revision": "1", "source": "pypi", "fingerprint": "f" * 16},
        {"name": "xquad", "sha256": "0" * 64, "languages": ["en", "zh"], "size": 2},
        {"protocol": "unique", "k": 10},
        pd.DataFrame(metrics),
        {"done": 1.0},
        "unique",
    )
    items = pd.DataFrame({"question": ["a", "b"], "scenario": ["multi/en+zh/zh"] * 2, "max@r": [1.0, 3.0]})
    path = write_record(folder, record, items)
    return path, json.loads(path.read_text(encoding="utf-8")), path.with_suffix(".parquet").read_bytes()


def read_folder(content: bytes, folder: Path) -> object:
    """Read a folder with a broken record in every way there is."""
    path, _, _ = sample_record(folder)
    path.write_bytes(content)
    board_html(read_board([folder]), str)
    tabulate_records([path])
    return check_records(folder)


def read_broken_items(content: bytes, folder: Path) -> object:
    """Read a record whose items are damaged."""
    path, _, _ = sample_record(folder)
    path.with_suffix(".parquet").write_bytes(content)
    return read_items(path), check_records(folder)


def parameter_cases() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Parameters of a chapter: the defaults, of which a few are replaced, and sometimes one more."""
    texts = st.sampled_from(["en,zh", "all", "en,en", "klingon", "random", "use-multilingual-v3", "multi", "jsd+nce"])
    likely = texts | st.booleans() | st.integers(0, 50) | st.floats(0, 1)
    cases = []
    for chapter in SCHEMAS:
        known = defaults(find_chapter(chapter))
        replaced = st.dictionaries(st.sampled_from([*known, "modles"]), likely | _VALUES, min_size=1, max_size=2)
        cases.append(st.tuples(st.just(chapter), st.builds(lambda new, known=known: known | new, replaced)))
    return st.one_of(cases)


def check_parameters(case: tuple[str, dict[str, Any]], _: Path) -> object:
    """Check parameters against the schema of their chapter."""
    return SCHEMAS[case[0]].check(case[1])


def targets(folder: Path) -> dict[str, tuple[st.SearchStrategy[Any], Reader]]:
    """List the cases and their readers by name."""
    _, record, items = sample_record(folder)
    return {
        "lexicon": (scarred(LEXICON.encode()), read_lexicon),
        "squad": (broken(SQUAD), parallel_reader("own.{0}.json", as_json(SQUAD))),
        "belebele": (broken(BELEBELE, json_lines), parallel_reader("{1}.jsonl", json_lines(BELEBELE))),
        "eval": (broken(PAIRS, json_lines), parallel_reader("eval.{0}.jsonl", json_lines(PAIRS))),
        "triples": (broken(TRIPLES, json_lines), triples_reader("own.jsonl")),
        "gzip": (scarred(gzip.compress(json_lines(TRIPLES), mtime=0)), triples_reader("own.jsonl.gz")),
        "records": (broken(record), read_folder),
        "items": (scarred(items), read_broken_items),
        "parameters": (parameter_cases(), check_parameters),
    }


def try_cases(cases: st.SearchStrategy[Any], reader: Reader, count: int) -> dict[str, int]:
    """Read many cases and return how many there were, and how many were refused."""
    counts = {"cases": 0, "refused": 0}

    @seed(0)
    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases)
    def attempt(case: Any) -> None:
        counts["cases"] += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                reader(case, Path(folder))
            except XlError as error:
                counts["refused"] += 1
                message = str(error)
                if "\n" in message or not message.strip() or len(message) > _LONGEST:
                    raise AssertionError(f"not a message of one line: {message!r}") from None

    attempt()
    return counts


def main() -> None:
    """Try all targets and print how many cases each had."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000, help="cases over all targets")
    parser.add_argument("--only", help="one target")
    parser.add_argument("--save", action="store_true", help="write the counts to the page of the book")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        chosen = {name: target for name, target in targets(Path(folder)).items() if options.only in (None, name)}
    results = {}
    started = time.perf_counter()
    for name, (cases, reader) in chosen.items():
        results[name] = try_cases(cases, reader, -(-options.cases // len(chosen)))
        print(f"{name:12}{results[name]['cases']:7,} cases, {results[name]['refused']:7,} refused", flush=True)
    if options.save:
        save("fuzz", {"targets": results, "seconds": round(time.perf_counter() - started)})


if __name__ == "__main__":
    main()
