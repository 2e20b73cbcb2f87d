import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from xlutils.cli import main
from xlutils.errors import XlError
from xlutils.results.check import check_published, check_records
from xlutils.results.record import Record, write_record
from xlutils.results.rows import Key

SHIPPED = Path(__file__).resolve().parents[2] / "book/records"


@pytest.mark.slow
def test_what_ships_may_be_published():
    assert check_records(SHIPPED) > 10


@pytest.fixture
def path(tmp_path):
    items = pd.DataFrame({"concept": ["a", "b"], "sa_value": [0.5, 0.7]})
    model = {"name": "LaBSE", "revision": "1", "source": "LaBSE", "fingerprint": "0" * 16}
    dataset = {"name": "everyday", "sha256": "a" * 64, "languages": ["en", "zh"], "size": 2}
    metrics = pd.DataFrame([{"kind": "all", "metric": "sa", "value": 0.6, "low": 0.59, "high": 0.61}])
    record = Record("semantic-affinity", model, dataset, {}, metrics)
    path = write_record(tmp_path, record, items)
    check_published(path)
    return path


MIXED = Key("multi", "max@r", "en+zh", "zh")


def add(path, key, **numbers):
    """Change the row of a record that has a key, or add one."""
    content = json.loads(path.read_text())
    row = {name: cell for name, cell in key._asdict().items() if cell}
    others = [other for other in content["metrics"] if other["metric"] != key.metric]
    content["metrics"] = [*others, row | numbers]
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("key", "numbers", "says"),
    [
        (Key("all", "sa"), {"value": 1.2}, "value of sa is 1.2, outside of 0 to 1"),
        (Key("all", "sa"), {"value": 0.6, "low": 0.5, "high": 1.5}, "high of sa is 1.5, outside of 0 to 1"),
        (MIXED._replace(metric="complete@10"), {"value": 101}, "value of multi/en+zh/zh/complete@10 is 101, outside"),
        (MIXED, {"value": 0.5}, "outside of 1 to inf"),
        (MIXED._replace(metric="max@r_norm/mean-rank"), {"value": -3}, "outside of 0 to 100"),
        (Key("language", "similarity", language="zh"), {"value": -1.5}, "outside of -1 to 1"),
        (Key("all", "sa"), {"value": 0.61}, "but the mean of its items is 0.6"),
    ],
)
def test_impossible_values_are_refused(path, key, numbers, says):
    add(path, key, **numbers)
    with pytest.raises(XlError) as caught:
        check_published(path)
    assert says in str(caught.value)
    assert "everyday.json" in str(caught.value)


def test_a_change_may_have_any_sign(path):
    add(path, Key("multi", "complete@10", state="change"), value=-3.0)
    add(path, MIXED._replace(metric="max@r-gap"), value=-5.0)
    check_published(path)


def test_a_record_in_the_place_of_another_is_refused(path):
    wrong = path.parent.parent / "bge-m3" / path.name
    wrong.parent.mkdir()
    path.rename(wrong)
    with pytest.raises(XlError, match=r"this is a record for semantic-affinity/LaBSE/everyday\.json"):
        check_published(wrong)


def test_items_that_are_missing_or_hold_text_are_refused(path):
    items = path.with_suffix(".parquet")
    table = pd.read_parquet(items)
    table.assign(passage="copyrighted").to_parquet(items)
    with pytest.raises(XlError, match="a text column passage"):
        check_published(path)
    table.assign(concept="a whole passage " * 20).to_parquet(items)
    with pytest.raises(XlError, match="hold long texts in concept"):
        check_published(path)
    items.unlink()
    with pytest.raises(XlError, match="are not next to it"):
        check_published(path)


def test_the_command_says_how_many(path):
    folder = str(path.parents[2])
    result = CliRunner().invoke(main, ["leaderboard", "--check", "--records", folder])
    assert (result.exit_code, result.output) == (0, f"1 records in {folder} may be published\n")
