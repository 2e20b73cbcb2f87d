import getpass
import json
import math
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xlutils import load_lexicon, load_model
from xlutils.errors import XlError
from xlutils.results.record import (
    Record,
    describe_dataset,
    describe_model,
    find_records,
    read_items,
    read_record,
    record_path,
    tabulate_records,
    write_record,
)
from xlutils.results.rows import COLUMNS, metric_table

MODEL = {"name": "org/model", "revision": "abc", "source": "org/model", "fingerprint": "0123456789abcdef"}
DATASET = {"name": "everyday", "sha256": "0" * 64, "languages": ["en", "zh"], "size": 3}
SA = {"kind": "all", "metric": "sa", "value": 0.66, "low": 0.65, "high": 0.67}
ITEMS = pd.DataFrame({"concept": ["a", "b", "水"], "sa": [0.1, 0.2, 0.3]})


def make(**changes):
    values = {
        "experiment": "semantic-affinity",
        "model": MODEL,
        "dataset": DATASET,
        "params": {"seed": 1},
        "metrics": pd.DataFrame([SA, {"kind": "multi", "pool": "en+zh", "query": "zh", "metric": "max@r", "value": 3}]),
    }
    return Record(**{**values, **changes})


def only(**changes):
    """Metrics of a single row."""
    return pd.DataFrame([SA | changes])


def test_what_is_written_is_read(tmp_path):
    path = write_record(tmp_path, make(), ITEMS)
    assert path == tmp_path / "semantic-affinity/org__model/everyday.json"
    content = read_record(path)
    rows = [("all", "", "", "", "sa", 0.66, 0.65, 0.67, ""), ("multi", "en+zh", "zh", "", "max@r", 3, None, None, "")]
    pd.testing.assert_frame_equal(content["metrics"], metric_table(pd.DataFrame(rows, columns=COLUMNS)))
    assert json.loads(path.read_text())["metrics"][0] == SA
    assert content["items"] == "everyday.parquet"
    assert content["environment"]["packages"]["numpy"]
    pd.testing.assert_frame_equal(read_items(path), ITEMS)


@pytest.mark.parametrize("damage", [lambda data: data[:-10], lambda data: b"x" * len(data), lambda data: b""])
def test_damaged_items_are_one_clear_line(tmp_path, damage):
    path = write_record(tmp_path, make(), ITEMS)
    items = path.with_suffix(".parquet")
    items.write_bytes(damage(items.read_bytes()))
    with pytest.raises(XlError, match=r"everyday\.parquet cannot be read .*; measure it again"):
        read_items(path)


def test_names_that_no_file_may_have_are_changed(tmp_path):
    record = make(variant="paper", dataset={**DATASET, "name": "my data/§ 1.csv"})
    assert record_path(tmp_path, record).name == "my_data_1.csv.paper.json"
    escape = make(model={**MODEL, "name": "../../etc"}, dataset={**DATASET, "name": ".."})
    assert record_path(tmp_path, escape).resolve().is_relative_to(tmp_path)


def test_the_same_measurement_is_the_same_record_except_for_its_date(tmp_path):
    first = write_record(tmp_path / "a", make(metrics=only(value=0.1 + 0.2, low=0.1)), ITEMS)
    second = write_record(tmp_path / "b", make(metrics=only(value=0.3, low=0.1)), ITEMS)
    contents = [{**json.loads(path.read_text()), "created": None} for path in (first, second)]
    assert contents[0] == contents[1]
    assert first.with_suffix(".parquet").read_bytes() == second.with_suffix(".parquet").read_bytes()


def test_a_full_disk_leaves_the_old_record_whole(small_disk):
    path = write_record(small_disk, make(), ITEMS)
    before, noise = path.read_bytes(), np.random.default_rng(0).random(200_000)
    with pytest.raises(XlError, match=r"cannot write the record everyday\.json \(.+\); check records_dir"):
        write_record(small_disk, make(params={"seed": 2}), pd.DataFrame({"concept": noise, "sa": noise}))
    assert path.read_bytes() == before
    pd.testing.assert_frame_equal(read_items(path), ITEMS)
    assert len(list(path.parent.iterdir())) == 2  # and nothing half-written


def test_a_new_record_without_items_removes_the_old_items(tmp_path):
    path = write_record(tmp_path, make(), ITEMS)
    write_record(tmp_path, make())
    assert not path.with_suffix(".parquet").exists()
    with pytest.raises(XlError, match="no per-item values"):
        read_items(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metrics": only(value=math.nan)}, r"metrics\.0\.value: input should be a finite number \(got nan\)"),
        ({"metrics": only(value=math.inf)}, r"metrics\.0\.value: .* \(got inf\)"),
        ({"metrics": only()[:0]}, "metrics: "),
        ({"metrics": only(metric="Not Plain")}, r"metrics\.0\.metric: .*got 'Not Plain'"),
        ({"metrics": only(kind="guess")}, r"metrics\.0\.kind: .*got 'guess'"),
        ({"metrics": only(low=0.9, high=0.1)}, r"metrics\.0: sa has its bounds the wrong way round"),
        ({"metrics": only(low=math.nan)}, r"metrics\.0: sa has one bound without the other"),
        ({"metrics": pd.concat([only(), only(value=0.1)])}, "metrics: two rows have the same key: all, sa"),
        ({"experiment": "guesswork"}, "experiment: input should be 'concept-alignment', .*got 'guesswork'"),
        ({"dataset": {**DATASET, "languages": ["en", "en"]}}, "dataset.languages: names a language twice"),
        ({"dataset": {**DATASET, "sha256": "short"}}, "dataset.sha256"),
        ({"model": {**MODEL, "fingerprint": ""}}, "model.fingerprint"),
    ],
)
def test_impossible_values_are_refused_and_the_old_record_stays(tmp_path, changes, message):
    path = write_record(tmp_path, make(), ITEMS)
    before = path.read_bytes()
    with pytest.raises(XlError, match=message) as caught:
        write_record(tmp_path, make(**changes))
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda content: content | {"schema": 1},
            "other.json: this is a record of schema 1, not 2; measure it again",
        ),
        (lambda content: content | {"extra": 1}, "extra: extra inputs are not permitted"),
        (lambda content: {key: value for key, value in content.items() if key != "model"}, "model: field required$"),
        (lambda content: content | {"items": "../elsewhere.parquet"}, "items"),
        (lambda content: content | {"metrics": [SA | {"value": 10**400}]}, r"metrics\.0\.value"),
        (lambda _: [], "other.json: the content: input should be a valid dictionary"),
    ],
)
def test_a_foreign_record_is_refused(tmp_path, change, message):
    content = json.loads(write_record(tmp_path, make()).read_text())
    (tmp_path / "other.json").write_text(json.dumps(change(content)))
    with pytest.raises(XlError, match=message):
        read_record(tmp_path / "other.json")


def test_a_file_that_is_not_a_record_is_refused(tmp_path):
    (tmp_path / "half.json").write_text('{"schema": 1, ')
    with pytest.raises(XlError, match="half.json is not JSON"):
        read_record(tmp_path / "half.json")


def test_records_become_one_table(tmp_path):
    write_record(tmp_path, make())
    write_record(tmp_path, make(variant="b", metrics=only(low=0.5)))
    write_record(tmp_path, make(experiment="concept-alignment", metrics=only(metric="overall")))
    table = tabulate_records(find_records(tmp_path))
    assert len(table) == 4
    row = table[(table["metric"] == "sa") & (table["variant"] == "")].iloc[0]
    assert row[["model", "dataset", "value", "low", "high"]].tolist() == ["org/model", "everyday", 0.66, 0.65, 0.67]
    assert set(table["variant"]) == {"", "b"}
    assert len(find_records(tmp_path, "concept-alignment")) == 1
    assert tabulate_records([]).columns.tolist() == table.columns.tolist()


def test_descriptions_of_a_model_and_a_lexicon_are_valid(tmp_path):
    lexicon = load_lexicon("concepts-core", ["en", "zh"])
    model, dataset = describe_model(load_model("control-random")), describe_dataset(lexicon, len(lexicon.concepts))
    content = read_record(write_record(tmp_path, make(model=model, dataset=dataset)))
    assert content["model"]["name"] == "control-random"
    assert content["dataset"]["languages"] == ["en", "zh"]


def test_the_environment_names_no_user_or_machine(tmp_path):
    text = json.dumps(read_record(write_record(tmp_path, make()))["environment"]).lower()
    assert getpass.getuser() not in text.split('"')
    assert socket.gethostname().lower() not in text


_WRITE_FOR_EVER = """
import sys
sys.path.insert(0, sys.argv[2])
import pandas as pd
from test_record import make, only, write_record

number = 0
while True:
    number += 1
    record = make(metrics=only(value=number, low=0, high=number))
    write_record(sys.argv[1], record, pd.DataFrame({"n": [number] * 1000}))
    print(number, flush=True)
"""


@pytest.mark.slow
def test_a_killed_writer_leaves_a_whole_record_or_none(tmp_path):
    here = Path(__file__).parent
    for records in (3, 4, 6, 8, 10, 12, 15, 17):
        process = subprocess.Popen([sys.executable, "-c", _WRITE_FOR_EVER, tmp_path, here], stdout=subprocess.PIPE)
        for number in range(1, records + 1):
            assert process.stdout.readline() == b"%d\n" % number
        process.kill()
        process.wait()
        for path in find_records(tmp_path):
            content = read_record(path)
            assert (read_items(path)["n"] == content["metrics"]["value"].item()).all()
