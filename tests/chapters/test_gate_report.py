"""What the gate writes: each format has the same verdict, and texts of canaries can do no harm in it."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import html5lib
import numpy as np
import pytest

from xlutils.chapters.gate import compare_sides
from xlutils.chapters.gate_live import with_drift
from xlutils.chapters.gate_record import history, record_of, release_lines
from xlutils.chapters.gate_report import report_html, report_json, report_junit, report_text
from xlutils.chapters.gate_sides import side_of
from xlutils.datasets.canaries import QUESTION, Canaries
from xlutils.datasets.vectors import VectorTable
from xlutils.errors import XlError
from xlutils.results.record import write_record

COUNT = 40
NASTY = "<script>alert(1)</script>\x1b[31m\x0b &\ud7ff"
IDS = tuple(f"{number}{NASTY}" for number in range(COUNT))
TEXTS = {code: [f"{key} {code}" for key in IDS] for code in ("en", "sw", "yo")}
TEXTS["yo"] = [text if row < 10 else "" for row, text in enumerate(TEXTS["yo"])]
CANARIES = Canaries("mine", IDS, (QUESTION,) * COUNT, ("",) * COUNT, TEXTS, TEXTS)
KEYS = [(key, code, role) for role in ("query", "passage") for code in TEXTS for key in IDS]


def table(name, lost=""):
    """Vectors that know every translation, but not those of one language."""
    rng = np.random.default_rng(0)
    meanings = dict(zip(IDS, rng.standard_normal((COUNT, 16)), strict=True))
    rows = [rng.standard_normal(16) if code == lost else meanings[key] for key, code, _ in KEYS]
    missing = {("yo", key) for key in IDS[10:]}
    kept = [number for number, (key, code, _) in enumerate(KEYS) if (code, key) not in missing]
    return VectorTable(name, np.array(rows, np.float32)[kept], [KEYS[number] for number in kept])


@pytest.fixture(scope="module")
def sides():
    return [side_of(table(name, lost), CANARIES) for name, lost in (("old", ""), ("new", "sw"))]


@pytest.fixture(scope="module")
def worse(sides):
    return compare_sides(*sides, CANARIES)


def test_the_terminal_shows_the_verdict_first_then_the_numbers_and_a_lost_canary(worse):
    first, second, *rest = report_text(worse).splitlines()
    assert first == "WORSE: 1 of 3 languages got worse: Swahili"
    assert second == "old -> new, on mine; margin 0.02"
    text = "\n".join(rest)
    assert "across 1.00 -> 0.0" in text
    assert "lost: " in text
    assert "Yoruba (yo): fewer than 20 canaries" in text
    assert all(letter.isprintable() for letter in text.replace("\n", ""))


def test_html_escapes_the_texts_and_is_well_formed(worse):
    page = report_html(worse)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(page)


def test_json_has_every_canary_before_and_after(worse):
    content = json.loads(report_json(worse))
    assert content["exit_code"] == 1
    assert {code: language["verdict"] for code, language in content["languages"].items()} == {
        "en": "not worse",
        "sw": "worse",
        "yo": "could not judge",
    }
    across = content["languages"]["sw"]["measures"]["across"]
    assert across["canaries"] == list(IDS)
    assert np.mean(across["values_after"]) == pytest.approx(across["after"], abs=1e-3)
    assert across["low"] <= across["change"] <= across["high"] < -0.5
    assert across["example"]["key"] in IDS


def test_junit_has_a_case_per_language_with_failures_and_errors(worse):
    suite = ElementTree.fromstring(report_junit(worse))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "1")
    outcome = {case.get("name"): [child.tag for child in case] for case in suite}
    assert outcome == {
        "English (en)": [],
        "Swahili (sw)": ["failure"],
        "Yoruba (yo)": ["error"],
        "all together": ["failure"],
    }
    unasked = ElementTree.fromstring(report_junit(replace(worse, asked=False)))
    assert [child.tag for case in unasked for child in case] == ["failure", "skipped", "failure"]


def test_a_verdict_is_safe_only_if_every_language_was_judged(sides):
    base = sides[0]
    assert report_text(compare_sides(base, base, CANARIES)).startswith(
        "COULD NOT JUDGE Yoruba; no other language got worse (2 judged, 1 not)"
    )
    safe = report_text(compare_sides(base, base, CANARIES, ["sw"]))
    assert safe.startswith("SAFE: no language got worse by more than 0.02 (1 judged)\n")


def test_a_loss_of_the_pivot_is_pointed_at():
    lost_english = [side_of(table(name, lost), CANARIES) for name, lost in (("old", ""), ("new", "en"))]
    assert "all are compared with English" in report_text(compare_sides(*lost_english, CANARIES))


def test_drift_is_in_every_format(sides):
    base = sides[0]
    keys = [("1", "sw", "passage")] * 30
    live = VectorTable("live", np.random.default_rng(3).standard_normal((30, 16)).astype(np.float32) + 5, keys)
    outcome = with_drift(compare_sides(base, base, CANARIES, ["sw"]), live, base)
    assert report_text(outcome).startswith("WORSE: live vectors drifted in Swahili")
    assert "MMD" in report_html(outcome)
    assert json.loads(report_json(outcome))["drift"][0]["is_drift"]
    assert ElementTree.fromstring(report_junit(outcome)).get("failures") == "1"


def test_records_show_the_comparisons_over_time(worse, sides, tmp_path):
    for moment in ("1", "2"):
        write_record(tmp_path, record_of(worse, *sides, 42, moment))
    lines = history(tmp_path).splitlines()
    assert sum("old -> new" in line for line in lines) == 2
    assert "  worse: Swahili, all together (within); not judged: 1" in lines
    assert any(line.endswith("at worst, in Swahili") for line in lines)
    lines_of = release_lines(tmp_path, "within")
    assert list(lines_of) == ["Swahili", "English"]  # the one that lost most comes first
    assert [name.split("\n")[0] for name in lines_of["Swahili"].index] == ["0. old", "1. new", "2. new"]
    assert lines_of["Swahili"]["value"].is_monotonic_decreasing
    with pytest.raises(XlError, match="no record of a gate"):
        history(tmp_path / "empty")
