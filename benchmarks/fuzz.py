"""Thousands of damaged files and odd parameters: each is read, or refused with one line, and nothing else.

python benchmarks/fuzz.py [--cases 10000] [--save]

Every case starts from a valid file, of which some values or bytes are changed.
"""

from __future__ import annotations

import argparse
import copy
import gzip
import importlib
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import save
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from xlutils.datasets import load_lexicon, load_parallel, load_sentences, load_triples
from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.results.check import check_records
from xlutils.results.leaderboard.page import board_html
from xlutils.results.leaderboard.read import read_board
from xlutils.results.record import read_items, tabulate_records
from xlutils.runs.execute import defaults, find_chapter
from xlutils.runs.lists import load_list
from xlutils.runs.parameters import SCHEMAS

Target = tuple[st.SearchStrategy[bytes], str, dict[str, bytes]]  # contents, name of the file, valid files beside it
_ODD = st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**301) | st.floats() | st.text(max_size=20)
_VALUES = _ODD | st.lists(_ODD, max_size=3) | st.dictionaries(st.text(max_size=5), _ODD, max_size=3)
_LONGEST = 1000  # characters of a message
_MEMORY = 8 * 2**30  # bytes; a damaged configuration may ask for any number of weights
_NOT_JSON = [b"[" * 100_000, b"1" * 5000, b"null", b"", b"\xff\xfe", b'"\\ud800"', b"NaN"]

LEXICON = '# to be broken\nid,category,en,zh,ar\na,x,water,水,ماء\nb,x,fire|flame,火,نار\n#c,,tree,树,\nd,,"sun",日,\n'
QUESTIONS = [{"id": f"q{number}", "question": f"question {number}?"} for number in range(2)]
SQUAD = [{"version": "1", "data": [{"title": "t", "paragraphs": [{"context": "text", "qas": QUESTIONS}]}]}]
BELEBELE = [
    {"link": link, "flores_passage": f"text of {link}", "question": "why?", "question_number": 1} for link in "ab"
]
PAIRS = [{"id": "a", "query": "why?", "passage": "so"}, {"id": "b", "query": "how?", "passage": "thus"}]
TRIPLES = [{"query_en": f"why {n}?", "passage_en": "so", "passage_tgt": "所以", "lang": "zh"} for n in range(2)]
SENTENCES = "id,topic,en,yo\n1,a,All are free.,Gbogbo ni ominira.\n2,b,Nobody is a slave.,Ko si eru.\n"
LISTS = Path(__file__).resolve().parents[1] / "runs"
RECORDS = Path(__file__).resolve().parents[1] / "book/records"
RECORD = "semantic-affinity/control-random/culture.json"
ITEMS = "semantic-affinity/control-random/culture.parquet"
MODEL_PARTS = ("config.json", "tokenizer.json", "modules.json")


def as_lines(rows: list[Any]) -> bytes:
    """Write rows of JSON, one on each line."""
    return b"\n".join(json.dumps(row).encode() for row in rows)


@st.composite
def changed(draw: Any, rows: list[Any]) -> Any:
    """Change a few values anywhere in some rows, or remove them."""
    rows = copy.deepcopy(rows)
    for _ in range(draw(st.integers(1, 3))):
        place: Any = rows
        while place:
            key = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]  # further inside
                continue
            if draw(st.booleans()):
                place[key] = draw(_VALUES)
            else:
                del place[key]
            break
    return rows


@st.composite
def scarred(draw: Any, content: bytes) -> bytes:
    """Cut out some bytes and insert others."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        stop = draw(st.integers(start, min(start + 40, len(content))))
        content = content[:start] + draw(st.binary(max_size=12)) + content[stop:]
    return content


def broken(rows: list[Any]) -> st.SearchStrategy[bytes]:
    """Files with changed values, with changed bytes, or with something else in them."""
    return changed(rows).map(as_lines) | scarred(as_lines(rows)) | st.sampled_from(_NOT_JSON)


def parameters() -> st.SearchStrategy[bytes]:
    """Name and parameters of a chapter: its defaults, of which a few are replaced, and sometimes one more."""
    texts = st.sampled_from(["en,zh", "all", "en,en", "klingon", "random", "use-multilingual-v3", "multi", "jsd+nce"])
    likely = texts | st.booleans() | st.integers(0, 50) | st.floats(0, 1)
    cases = []
    for chapter in SCHEMAS:
        known = defaults(find_chapter(chapter))
        replaced = st.dictionaries(st.sampled_from([*known, "modles"]), likely | _VALUES, min_size=1, max_size=2)
        cases.append(st.tuples(st.just(chapter), replaced.map(known.__or__)))
    return st.one_of(cases).map(as_lines)


def small_model() -> dict[str, bytes]:
    """Return the files of a model of two layers by their paths in its folder."""
    sys.path.append(str(RECORDS.parents[1] / "tests/training"))
    make_tiny_model = importlib.import_module("tiny").make_tiny_model
    with tempfile.TemporaryDirectory() as folder:
        make_tiny_model(Path(folder)).save_pretrained(folder, create_model_card=False)
        return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def targets() -> dict[str, Target]:
    """List the damaged files by their kind."""
    record, items = ((RECORDS / name).read_bytes() for name in (RECORD, ITEMS))
    model = small_model()
    zipped = gzip.compress(as_lines(TRIPLES), mtime=0)
    return {
        "lexicon": (scarred(LEXICON.encode()), "own.csv", {}),
        "squad": (broken(SQUAD), "own.zh.json", {"own.en.json": as_lines(SQUAD)}),
        "belebele": (broken(BELEBELE), "zho_Hans.jsonl", {"eng_Latn.jsonl": as_lines(BELEBELE)}),
        "eval": (broken(PAIRS), "eval.zh.jsonl", {"eval.en.jsonl": as_lines(PAIRS)}),
        "triples": (broken(TRIPLES), "own.jsonl", {}),
        "sentences": (scarred(SENTENCES.encode()), "own.csv", {}),
        "run list": (scarred((LISTS / "table-3.toml").read_bytes()), "own.toml", {}),
        "gzip": (scarred(zipped), "own.jsonl.gz", {}),
        "records": (broken([json.loads(record)]), RECORD, {ITEMS: items}),
        "items": (scarred(items), ITEMS, {RECORD: record}),
        "parameters": (parameters(), "parameters.jsonl", {}),
        "weights": (scarred(model["model.safetensors"]), "model.safetensors", model),
        **{name: (broken([json.loads(model[name])]), name, model) for name in MODEL_PARTS},
    }


def use(kind: str, path: Path, folder: Path) -> None:
    """Read a file in every way there is."""
    match kind:
        case "lexicon":
            lexicon = load_lexicon(path)
            lexicon.rows(), lexicon.shared_words(), lexicon.same_spellings()
        case "squad" | "belebele" | "eval":
            load_parallel(folder, ["zh", "en"]), load_parallel(folder, ["zh"])
        case "triples" | "gzip":
            load_triples(path, ["zh"]).examples()
        case "sentences":
            load_sentences(path).comparable("en", "yo")
        case "run list":
            load_list(path).cells({})
        case "records":
            board_html(read_board([folder]), str), tabulate_records([path]), check_records(folder)
        case "items":
            read_items(folder / RECORD), check_records(folder)
        case "parameters":
            chapter, values = map(json.loads, path.read_text(encoding="utf-8").splitlines())
            SCHEMAS[chapter].check(values)
        case _:
            load_model(str(folder), cached=False).encode(["the sea", "a boat"])


def try_cases(kind: str, target: Target, count: int) -> dict[str, int]:
    """Read many files of a kind and return how many there were, and how many were refused."""
    cases, name, others = target
    counts = {"cases": 0, "refused": 0}

    @seed(0)
    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases)
    def attempt(content: bytes) -> None:
        counts["cases"] += 1
        with tempfile.TemporaryDirectory() as folder:
            for file, written in {**others, name: content}.items():
                path = Path(folder, file)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(written)
            try:
                use(kind, path, Path(folder))
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
    parser.add_argument("--save", action="store_true", help="write the counts to the page of the book")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    started, kinds, results = time.perf_counter(), targets(), {}
    for kind, target in kinds.items():
        results[kind] = try_cases(kind, target, options.cases // len(kinds))
        print(kind, results[kind], flush=True)
    if options.save:
        save("fuzz", {"targets": results, "seconds": round(time.perf_counter() - started)}, ["hypothesis"])


if __name__ == "__main__":
    main()
