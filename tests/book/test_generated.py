"""The sentences and tables of the front page follow the records, whatever they hold."""

import re

import generated
import pandas as pd
import pytest

from xlutils.results.leaderboard.read import FIRST_SET
from xlutils.results.leaderboard.scores import Board, Column, Row, Score
from xlutils.results.record import Record, write_record
from xlutils.results.rows import Key

E5 = "multilingual-e5-small-q4"


def plant(folder, monkeypatch, gain, half=1.0):
    """Records of remedies that all change Complete@10 by the same number of points, from 50."""
    rows = []
    for metric, start, scale in (("complete@10", 50.0, 1.0), ("ndcg@1", 0.5, 0.01)):
        rows.append(Key("multi", metric, state="as published")._asdict() | {"value": start})
        for name in generated._FREE:
            after = {"value": start + scale * gain}
            change = {"value": scale * gain, "low": scale * (gain - half), "high": scale * (gain + half)}
            rows.append(Key("multi", metric, state=name)._asdict() | after)
            rows.append(Key("multi", metric, state=f"{name}, change")._asdict() | change)
    model = {"name": E5, "revision": "1", "source": E5, "fingerprint": "0" * 16}
    dataset = {"name": "xquad", "sha256": "a" * 64, "languages": ["en", "zh"], "size": 1190}
    write_record(folder, Record("remedies", model, dataset, {"k": 10}, pd.DataFrame(rows), variant="unique"))
    monkeypatch.setattr(generated, "RECORDS", folder)


@pytest.mark.parametrize("gain", [-20.0, -0.5, 0.5, 20.0])
def test_the_sentences_about_remedies_follow_the_records(tmp_path, monkeypatch, gain):
    plant(tmp_path, monkeypatch, gain)
    headline, remedies = generated.headline(), generated.remedies_list()
    assert "1,190 questions" in headline
    assert re.findall(r"[\d.]+ %", headline) == ["50.0 %", *[f"{50 + gain:.1f} %"] * 3]
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
