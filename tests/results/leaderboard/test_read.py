import json
from dataclasses import replace

import pandas as pd
import pytest
from boards import HOSTILE, retrieval_record, sa_record
from click.testing import CliRunner

from xlutils.cli import main
from xlutils.results.leaderboard.read import read_board
from xlutils.results.record import write_record


def column(board, key):
    return next(each for each in board.columns if each.key == key)


def by_label(board, found):
    return {board.rows[number].label: each for number, each in found.items()}


def test_a_board_of_records(records):
    board = read_board([records])
    measured = [row.label for row in board.rows if row.kind == "measured"]
    assert set(measured) == {"LaBSE", "bge-m3", "org/new", HOSTILE}
    assert by_label(board, board.ranks(column(board, "sa"))) == {"LaBSE": 1, "bge-m3": 1, "org/new": 3, HOSTILE: 4}
    assert by_label(board, board.ranks(column(board, "xquad.unique/zh/complete@10"))) == {
        "org/new": 1,
        "bge-m3": 1,
        "LaBSE": 3,
    }
    assert board.sets[0] == "xquad.unique"
    assert board.left_out == ()


def test_reported_rows_are_set_apart(records):
    board = read_board([records])
    reported = [row for row in board.rows if row.kind == "reported"]
    assert {row.label for row in reported} >= {"LaBSE", "USE (distiluse)", "bge-m3", "bge-m3, trained"}
    for row in reported:
        assert "Reported in" in row.revision
    number = {row.label: number for number, row in enumerate(board.rows) if row.kind == "reported"}
    score = board.scores(column(board, "sa"))[number["LaBSE"]]
    assert (score.value, score.records) == (0.70, ())
    assert number["LaBSE"] not in board.scores(column(board, "sa/everyday"))  # a mean says nothing of its parts
    assert board.scores(column(board, "xquad.paper/zh/complete@10"))[number["bge-m3"]].low is None
    assert not any(number for number in board.ranks(column(board, "sa")) if board.rows[number].kind == "reported")


def test_two_versions_of_a_model_are_two_rows(records):
    write_record(records, sa_record("LaBSE", 0.9, fingerprint="f" * 16, lexicon="culture"))
    board = read_board([records])
    labels = {row.label for row in board.rows if row.kind == "measured" and row.name == "LaBSE"}
    assert labels == {"LaBSE (012345)", "LaBSE (ffffff)"}


def test_a_later_folder_counts_more(records, tmp_path):
    write_record(tmp_path / "mine", sa_record("LaBSE", 0.8))
    board = read_board([records, tmp_path / "mine"])
    assert by_label(board, board.scores(column(board, "sa/everyday")))["LaBSE"].value == 0.8


def test_other_data_do_not_mix(records):
    write_record(records, sa_record("org/other", 0.99, sha="c" * 64))
    write_record(records, retrieval_record("org/other", {"zh": 99.0}))
    board = read_board([records])
    assert "org/other" not in {row.label for row in board.rows}
    assert len(board.left_out) == 2
    assert all("org/other" in text and "other data" in text for text in board.left_out)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda content: content | {"schema": 1}, "schema 1, not 2; measure it again"),
        (lambda content: content | {"extra": 1}, "extra"),
        (lambda content: content | {"metrics": [{**content["metrics"][0], "value": float("nan")}]}, "metrics.0.value"),
    ],
)
def test_a_broken_record_is_named_and_the_rest_stands(records, change, says):
    path = records / "semantic-affinity/LaBSE/everyday.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    board = read_board([records])
    assert len(board.left_out) == 1
    assert "everyday.json" in board.left_out[0]
    assert says in board.left_out[0]
    assert any(row.label == "bge-m3" for row in board.rows)


def test_without_a_valid_record_there_is_what_others_reported(tmp_path):
    (tmp_path / "semantic-affinity/a").mkdir(parents=True)
    (tmp_path / "semantic-affinity/a/everyday.json").write_text("null")
    board = read_board([tmp_path])
    assert {row.kind for row in board.rows} == {"reported"}
    assert board.left_out[0].startswith("everyday.json: ")


def test_the_command(records, tmp_path):
    html, table = tmp_path / "out/board.html", tmp_path / "out/board.csv"
    given = ["leaderboard", "--records", str(records), "--html", str(html), "--csv", str(table)]
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 0, result.output
    assert "org/new" in result.output
    assert "70.5 (69.5 to 71.5)" in result.output  # the mean of 91 and 50
    assert "<table>" in html.read_text()
    assert "semantic-affinity/LaBSE/everyday.json" in table.read_text()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--records", "nowhere"], "no folder of records here: nowhere"),
        (["--questions", "squad"], "unknown question set 'squad'"),
        (["--html", "/proc/board.html"], "name another place"),
    ],
)
def test_bad_input_gets_one_line(records, given, says):
    there = [] if "--records" in given else ["--records", str(records)]
    result = CliRunner().invoke(main, ["leaderboard", *there, *given])
    assert result.exit_code == 1
    assert says in result.output.splitlines()[-1]
    assert "Traceback" not in result.output


def test_languages_that_a_model_never_learned_are_named_and_left_out_of_a_column(tmp_path):
    use, unknown = "use-multilingual-v3", "some/model"
    for name in (use, unknown):
        record = retrieval_record(name, {"zh": 80.0, "th": 60.0, "vi": 10.0})
        pairs = record.metrics[record.metrics["pool"].notna()]
        write_record(tmp_path, replace(record, metrics=pd.concat([record.metrics, pairs.assign(query="en")])))
    board = read_board([tmp_path])
    notes = {row.name: board.never_learned(number) for number, row in enumerate(board.rows)}
    assert notes[use] == "never learned: Vietnamese"
    assert notes[unknown] == ""
    columns = {column.key: column for column in board.columns}
    rows = {row.name: number for number, row in enumerate(board.rows)}
    everything, learned = (board.scores(columns[f"xquad.unique/{key}"]) for key in ("complete@10", "learned"))
    assert everything[rows[use]].value == pytest.approx(50)
    assert learned[rows[use]].value == pytest.approx(70)
    assert learned[rows[unknown]].value == pytest.approx(50)
