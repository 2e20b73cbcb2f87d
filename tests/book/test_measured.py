"""The benchmarks page shows what was measured and names tests that exist."""

import re
from pathlib import Path

import measured
import pytest
from common import growth, times_as_fast, times_the_limit

ROOT = Path(__file__).resolve().parents[2]
ABOUT = {
    "environment": {"cpu": "A <CPU>", "gpu": None, "python": "3.11", "packages": {"numpy": "2"}},
    "created": "2026-01-02T03:04:05+00:00",
}


def line(**changes):
    return {
        "area": "Ranking",
        "what": "a <b>",
        "peer": "faiss",
        "ratios": [4.0, 5.0, 9.0],
        "is_limit": False,
        "promise": 4.5,
        "seconds": 1.234,
        "mib": 12.3,
        "note": "same & equal; as size^0.95",
        "ratio": 5.0,
        "holds": True,
        **changes,
    }


def test_a_row_says_whether_its_promise_holds():
    (table,) = [measured.area_table([line()])]
    for part in (
        "<strong>5</strong> × as fast",
        "4 to 9",
        "at least 4.5: <strong>holds",
        "1.23 s",
        "12 MiB",
        "a &lt;b&gt;",
        "&amp; equal; as size<sup>0.95</sup>",
    ):
        assert part in table
    assert "at most 4.5: <strong>does not hold" in measured.area_table([line(is_limit=True, holds=False)])
    assert "least" not in measured.area_table([line(promise=None)])


def test_the_chart_has_one_row_per_promise():
    chart = measured.ratio_chart([line(), line(peer="numpy"), line(is_limit=True)])
    assert [len(axis.get_yticks()) for axis in chart.axes] == [2, 1]
    assert measured.ratios_in_words([line()]).endswith("Ranking against faiss: 5, promised 4.5.")


def test_the_sentences_contain_the_numbers():
    samples = [{"minute": 30.0, "this process": 100.0}, {"minute": 60.0, "this process": 101.0}]
    soak = {"results": {"samples": samples, "cells": 9, "vectors": 2000, "middle_mib": 100.0, "last_mib": 101.0}}
    assert "60 minutes, 2 rounds, 9 cells, 2,000 vectors" in measured.soak_sentence(soak)
    assert "+1.0%, or 341 KiB for each cell" in measured.soak_sentence(soak)  # 1 MiB over a third of nine cells
    fuzz = {"results": {"targets": {"a": {"cases": 7, "refused": 5}, "b": {"cases": 3, "refused": 1}}, "seconds": 60}}
    assert measured.fuzz_sentence({**fuzz, **ABOUT}).startswith("10 cases in 1 minutes. A <CPU>, 2026-01-02")
    assert "<td>7</td><td>5</td>" in measured.fuzz_table(fuzz["results"]["targets"])


def test_the_steps_of_a_first_build_are_sorted_by_time():
    results = {"cold": {"pages": 25.0, "chapter": 75.0, "all": 100.0}, "warm": {"pages": 20.0, "all": 22.0}}
    table = measured.steps_table({**results, "limits": "ISA=<AVX2>"})
    assert table.index("all") < table.index("chapter") < table.index("pages")
    assert "<td>75 s</td><td>75 %</td><td>–</td>" in table
    assert "<td>25 s</td><td>25 %</td><td>20 s</td>" in table
    assert "ISA=&lt;AVX2&gt;" in table
    assert "(AVX2)" in measured.origin({**ABOUT, "environment": {**ABOUT["environment"], "features": "AVX2"}})


def test_a_benchmark_knows_its_median_and_whether_it_holds():
    fast = times_as_fast("a", "b", "c", [(1.0, 4.0), (1.0, 6.0), (2.0, 18.0)], promise=6)
    assert (fast.ratios, fast.ratio, fast.seconds, fast.holds) == ((4, 6, 9), 6, 1, True)
    assert times_as_fast("a", "b", "c", [(1.0, 5.0)], promise=6).holds is False
    limit = times_the_limit("a", "b", "c", [(3.0, 2.0)], promise=1.4)
    assert (limit.ratio, limit.holds) == (1.5, False)
    assert times_the_limit("a", "b", "c", [(3.0, 2.0)]).holds is None


def test_growth_is_the_exponent():
    sizes = [10, 20, 80]
    assert growth(sizes, [3 * size**2 for size in sizes]) == pytest.approx(2)


def test_the_page_names_tests_that_exist():
    names = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "book/benchmarks.md").read_text())
    assert len(names) >= 10
    for file, name in names:
        assert f"def {name}(" in (ROOT / file).read_text()
