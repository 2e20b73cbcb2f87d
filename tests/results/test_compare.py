import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from xlutils.cli import main
from xlutils.errors import XlError
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.results.compare import both_items, change_table, changed_most, find_pairs
from xlutils.results.record import Record, write_record

DATA = {"name": "toy", "sha256": "0" * 64, "languages": ["en", "de"], "size": 6}


def put(folder, model, values, **changes):
    """A record of six questions on three passages, in two scenarios; the second has ten times the values."""
    table = pd.DataFrame({"question": [f"q{n}" for n in range(6)], "passage": [0, 0, 1, 1, 2, 2]})
    items = pd.concat(
        [
            table.assign(scenario=name, **{"max@r": np.array(values, float) * factor})
            for name, factor in (("multi/en+de/en", 1), ("multi/en+de/de", 10))
        ]
    )
    about = {"name": model, "revision": "1", "source": model, "fingerprint": "0" * 16}
    metrics = pd.DataFrame([{"kind": "all", "metric": "m", "value": 1.0}])
    params = {"protocol": "unique", "k": 10}
    record = Record("mixed-retrieval", about, {**DATA, **changes}, params, metrics, variant="unique")
    return write_record(folder, record, items.sample(frac=1, random_state=0))


@pytest.fixture
def records(tmp_path):
    put(tmp_path, "a/one", [1, 2, 3, 4, 5, 6])
    put(tmp_path, "two", [1, 2, 3, 4, 5, 16])
    return tmp_path


def test_items_are_matched_by_name_and_not_by_place(records):
    (pair,) = find_pairs(records, "a/one", "two")
    assert pair.name == "mixed-retrieval/toy.unique"
    items = both_items(pair)
    changed = items[items["max@r", "change"] != 0]
    assert {(row[0], row[1]) for row in changed.index} == {("q5", "multi/en+de/en"), ("q5", "multi/en+de/de")}


def test_the_difference_is_paired_and_draws_whole_passages(records):
    (pair,) = find_pairs(records, "a/one", "two")
    table = change_table(pair, seed=7)
    change = np.array([0, 0, 0, 0, 0, 10.0])
    low, high = bootstrap_ci(change, seed=7, clusters=np.array([0, 0, 1, 1, 2, 2]))
    row = table.loc["multi/en+de/en/max@r"]
    assert row.tolist() == pytest.approx([3.5, 31 / 6, 10 / 6, low, high])
    assert table.loc["multi/en+de/de/max@r", "change"] == pytest.approx(100 / 6)


def test_what_changed_most_comes_first(records):
    (pair,) = find_pairs(records, "a/one", "two")
    first = changed_most(pair, 2).iloc[0]
    assert first.name == "q5"
    assert first["change"] == pytest.approx((10 + 100) / 2)


def test_only_what_was_measured_alike_is_compared(records, tmp_path):
    put(tmp_path, "three", [1] * 6, sha256="1" * 64)
    with pytest.raises(XlError, match="no record of the same data, measured in the same way"):
        find_pairs(records, "two", "three")
    with pytest.raises(XlError, match="no record of four; there are records of a__one, three, two"):
        find_pairs(records, "two", "four")
    (tmp_path / "four").mkdir()
    with pytest.raises(XlError, match=r"no record of four@[0-9a-f]{6}; "):  # a folder has its name in records
        find_pairs(records, "two", str(tmp_path / "four"))


def test_on_the_command_line(records):
    result = CliRunner().invoke(main, ["compare", "a/one", "two", "--records", str(records)])
    assert result.exit_code == 0, result.output
    assert "mixed-retrieval/toy.unique" in result.output
    assert "second - first (95% interval)" in result.output
    assert "   1.667 (0.000 to " in result.output
    assert result.output.split("changed most:")[1].split()[0] == "q5"
