"""The sentences and tables of the front page follow the records, whatever they hold."""

import re
from pathlib import Path

import generated
import pandas as pd
import pytest

from xlutils.metrics.drift import loss_p_value
from xlutils.models.catalogue import CATALOGUE
from xlutils.results.leaderboard.read import FIRST_SET
from xlutils.results.leaderboard.scores import Board, Column, Row, Score
from xlutils.results.record import Record, write_record
from xlutils.results.rows import Key

ROOT = Path(__file__).resolve().parents[2]
E5 = "multilingual-e5-small-q4"


def plant(folder, monkeypatch, gain, half=1.0):
    """Records of remedies that all change Complete@10 and, without translations, the first place by as many points."""
    for experiment, variant, kinds in (
        ("remedies", "unique", {"multi": ("complete@10", "ndcg@1")}),
        ("pools", "unique+debian", {"untranslated": ("ndcg@1",)}),
    ):
        rows = []
        for kind, metric in ((kind, metric) for kind, metrics in kinds.items() for metric in metrics):
            scale = 1.0 if metric == "complete@10" else 0.01
            published = {"value": scale * 50, "low": scale * 49, "high": scale * 51}
            rows.append(Key(kind, metric, state="as published")._asdict() | published)
            for name in generated._FREE:
                after = {"value": scale * (50 + gain), "low": scale * (49 + gain), "high": scale * (51 + gain)}
                change = {"value": scale * gain, "low": scale * (gain - half), "high": scale * (gain + half)}
                rows.append(Key(kind, metric, state=name)._asdict() | after)
                rows.append(Key(kind, metric, state=f"{name}, change")._asdict() | change)
        model = {"name": E5, "revision": "1", "source": E5, "fingerprint": "0" * 16}
        dataset = {"name": "xquad", "sha256": "a" * 64, "languages": ["en", "zh"], "size": 1190}
        write_record(folder, Record(experiment, model, dataset, {"k": 10}, pd.DataFrame(rows), variant=variant))
    monkeypatch.setattr(generated, "RECORDS", folder)


@pytest.mark.parametrize("gain", [-20.0, -0.5, 0.5, 20.0])
def test_the_sentences_about_remedies_follow_the_records(tmp_path, monkeypatch, gain):
    plant(tmp_path, monkeypatch, gain)
    headline, remedies = generated.headline(), generated.remedies_list()
    assert "1,190 questions" in headline
    values = [*["50.0"] * 2, *[f"{50 + gain:.1f}"] * 6]
    assert re.findall(r"([\d.]+) \(", headline) == values
    assert headline.count(", worse |") == (3 if gain < -1 else 0)
    assert remedies.count(f"{gain:.1f} ({gain - 1:.1f} to {gain + 1:.1f})") == 3
    assert remedies.count("), unclear") == (6 if abs(gain) < 1 else 0)
    for claim in ("better", "gains", "improves"):
        assert claim not in headline + remedies


def table(*values):
    """The front table of models a, b, ... with a value and an interval of 0.02 to both sides each."""
    rows = tuple(Row(name, name, "measured", "1") for name in "abcdefg"[: len(values)])
    source = ("mixed-retrieval", FIRST_SET, Key("mining", "margin-accuracy"))
    column = Column(f"{FIRST_SET}/mining", "Mining <b>", 'says "what"', (source,), form=".2f", questions=FIRST_SET)
    parts = {source: {n: Score(value, value - 0.02, value + 0.02) for n, value in enumerate(values)}}
    return generated.top_rows(Board(rows, (column,), (FIRST_SET,), parts, ()))


def test_models_are_counted_by_where_their_numbers_are_from():
    kinds = {"multilingual-e5-small-q4": "measured", "mine@123": "measured", "r": "control", "x": "reported"}
    rows = tuple(Row(name, name, kind, "1") for name, kind in kinds.items())
    text = generated.counts(Board(rows, (), (), {}, ()))
    assert "so far: 1 models of its list (multilingual-e5-small-q4) and 1 others, beside 1 controls" in text
    assert text.endswith("not measured here: 1.")


@pytest.mark.parametrize(
    ("values", "names", "bold"),
    [
        ((0.5, 0.8), ["b", "a"], ["0.80"]),
        ((0.8, 0.5), ["a", "b"], ["0.80"]),
        ((0.80, 0.79), ["a", "b"], ["0.80", "0.79"]),  # cannot be told apart
    ],
)
def test_the_front_table_marks_the_models_that_nothing_is_surely_ahead_of(values, names, bold):
    text = table(*values)
    assert re.findall(r'<th scope="row">(\w)</th>', text) == names
    assert re.findall(r"<b>([\d.]+)</b>", text) == bold
    assert '<th scope="col" title="says &quot;what&quot;">Mining &lt;b&gt;</th>' in text


def test_the_table_of_models_names_the_objective_of_each():
    rows = re.findall(r"<tr>.*?</tr>", generated.models_table())
    assert ">Objective<" in rows[0]
    for name, card in CATALOGUE.items():
        (row,) = [row for row in rows if f">{name}</th>" in row]
        assert f"<td>{card.objective}</td>" in row


def test_nobody_is_told_that_thirteen_models_were_measured_here():
    """The benchmark of chapter 2 measured them, not this book."""
    for path in (*ROOT.glob("book/*.md"), *ROOT.glob("notebooks/*.ipynb"), ROOT / "README.md"):
        for sentence in re.split(r"(?<=[.!?])\s", path.read_text(encoding="utf-8")):
            assert not re.search(r"\b(thirteen|13) models\b", sentence) or "cite:t" in sentence, path.name


def test_the_table_of_canaries_has_the_least_loss_that_is_noticed():
    header, _, *rows = generated.canaries_table().splitlines()
    assert header == "| Canaries | 1 language | 10 languages | 116 languages |"
    for count, judged, column in ((20, 1, 1), (60, 10, 2), (100, 116, 3)):
        cells = next(row.split(" | ") for row in rows if row.startswith(f"| {count} "))
        lost = int(re.match(r"\d+", cells[column])[0])
        level = 0.05 / 2 / (judged * 4)
        p_values = [loss_p_value([-1.0] * few + [0.0] * (count - few), 0.02) for few in (lost - 1, lost)]
        assert p_values[0] > level >= p_values[1]
