"""The benchmarks page shows what was measured and names tests that exist."""

import re
from dataclasses import asdict
from pathlib import Path

import measured
from common import compare

ROOT = Path(__file__).resolve().parents[2]


def line(pairs=((1.0, 4.0), (2.0, 10.0), (1.0, 9.0)), **fields):
    """A line as a benchmark saves it."""
    measured_line = compare("Ranking", "a <b>", "faiss", pairs, **{"promise": 4.5, **fields})
    return {**asdict(measured_line), "ratio": measured_line.ratio, "holds": measured_line.holds}


def test_a_row_says_whether_its_promise_holds():
    table = measured.area_table([line(mib=12.3, note="same & equal; as size^0.95")])
    for part in (
        "<strong>5</strong> × as fast",
        "4 to 9",
        "at least 4.5: <strong>holds",
        "1 s",
        "12 MiB",
        "a &lt;b&gt;",
        "&amp; equal; as size<sup>0.95</sup>",
    ):
        assert part in table
    assert "at least 5.5: <strong>does not hold" in measured.area_table([line(promise=5.5)])
    limit = {"pairs": [(3.0, 2.0)], "is_limit": True}
    assert "<strong>1.5</strong> × the limit" in measured.area_table([line(**limit)])
    assert "at most 1.5: <strong>holds" in measured.area_table([line(**limit, promise=1.5)])
    assert "at most 1.4: <strong>does not hold" in measured.area_table([line(**limit, promise=1.4)])
    assert "hold" not in measured.area_table([line(promise=None)])


def test_the_chart_has_one_row_per_promise():
    chart = measured.ratio_chart([line(), line(promise=7), line(is_limit=True), line(promise=None)])
    assert [len(axis.get_yticks()) for axis in chart.axes] == [2, 1]
    assert measured.ratios_in_words([line()]).endswith("Ranking against faiss: 5, promised 4.5.")


def test_the_sentences_contain_the_numbers():
    samples = [{"minute": minute, "this process": 60.0, "worker 0": 40.0} for minute in (20.0, 40.0, 60.0)]
    samples[-1]["worker 0"] = 41.0
    sentence = measured.soak_sentence({"results": {"samples": samples, "cells": 9, "vectors": 2000}})
    assert sentence.startswith("60 minutes, 3 rounds, 9 cells, 2,000 vectors")
    assert sentence.endswith("+1.0%, or 341 KiB for each cell run in between.")  # 1 MiB over a third of nine cells
    fuzz = {"targets": {"a": {"cases": 7, "refused": 5}, "b": {"cases": 3, "refused": 1}}, "seconds": 60}
    environment = {"cpu": "A <CPU>", "gpu": None, "features": "AVX2", "python": "3.11", "packages": {"numpy": "2"}}
    part = {"results": fuzz, "environment": environment, "created": "2026-01-02T03:04:05+00:00"}
    expected = "10 cases in 1 minutes. A <CPU> (AVX2), 2026-01-02, Python 3.11, numpy 2."
    assert measured.fuzz_sentence(part) == expected
    assert "<td>7</td><td>5</td>" in measured.fuzz_table(fuzz["targets"])


def test_the_steps_of_a_first_build_are_sorted_by_time():
    cold, warm = {"pages": 25.0, "chapter": 75.0, "all": 100.0}, {"pages": 20.0, "all": 22.0}
    table = measured.steps_table({"cold": cold, "warm": warm})
    assert table.index("all") < table.index("chapter") < table.index("pages")
    assert "<td>75 s</td><td>75 %</td><td>–</td>" in table
    assert "<td>25 s</td><td>25 %</td><td>20 s</td>" in table


def test_the_page_names_tests_that_exist():
    names = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "book/benchmarks.md").read_text())
    assert len(names) >= 10
    for file, name in names:
        assert f"def {name}(" in (ROOT / file).read_text()
