from dataclasses import replace
from pathlib import Path

import pytest
from boards import retrieval_record, sa_record

from xlutils.results.leaderboard.advice import advice, board_tables, board_text
from xlutils.results.leaderboard.read import CONCEPTS, read_board
from xlutils.results.record import write_record


def board(folder, *records):
    for record in records:
        write_record(folder, record)
    return read_board([folder])


def words(name, value, half):
    record = sa_record(name, value, half, CONCEPTS)
    return [replace(record, experiment="concept-alignment", metrics=record.metrics.assign(metric="overall"))]


def test_the_leader_is_named_with_its_interval(tmp_path):
    measured = board(tmp_path, *words("good", 0.7, 0.01), *words("bad", 0.5, 0.01))
    assert advice(measured) == [
        "To match words and short phrases across languages: **good** (0.700, 95% interval 0.690 to 0.710) leads in "
        "*Concept alignment*, ahead of 1 other."
    ]


def test_models_that_cannot_be_told_apart_are_named_together(tmp_path):
    measured = board(tmp_path, *words("one", 0.6, 0.05), *words("two", 0.61, 0.05))
    (line,) = advice(measured)
    assert "**two**" in line
    assert "**one**" in line
    assert "cannot be told apart in *Concept alignment*." in line


def mining(folder, **models):
    """The sentence about mining, for models with these scores by language, in percent and one point uncertain."""
    found = advice(board(folder, *(retrieval_record(name, values) for name, values in models.items())))
    return next(line.split(": ", 1)[1] for line in found if line.startswith("To mine"))


@pytest.mark.parametrize(("good", "bad"), [("one", "two"), ("two", "one")])
def test_a_worse_model_is_never_called_better(tmp_path, good, bad):
    line = mining(tmp_path, **{good: {"zh": 80.0, "th": 90.0}, bad: {"zh": 70.0, "th": 80.0}})
    assert line.startswith(f"**{good}** (0.850, 95% interval 0.840 to 0.860) leads in")
    assert bad not in line


@pytest.mark.parametrize(("good", "bad"), [("one", "two"), ("two", "one")])
def test_a_language_in_which_the_leader_is_behind_is_named(tmp_path, good, bad):
    line = mining(tmp_path, **{good: {"zh": 80.0, "th": 90.0}, bad: {"zh": 84.0, "th": 60.0}})
    assert line.startswith(f"**{good}** ")
    assert line.endswith(f"ahead of 1 other. In Chinese, **{bad}** is ahead.")


def test_what_could_be_chance_is_no_lead_in_a_language_either(tmp_path):
    line = mining(tmp_path, one={"zh": 80.0, "th": 90.0}, two={"zh": 81.0, "th": 60.0})
    assert line.startswith("**one** ")
    assert "two" not in line
    both = mining(tmp_path, one={"zh": 80.0, "th": 90.0}, two={"zh": 81.0, "th": 90.0})
    assert "cannot be told apart in" in both
    assert "ahead" not in both


def test_a_mean_over_languages_that_a_model_never_learned_is_named(tmp_path):
    line = mining(tmp_path, **{"some/model": {"vi": 90.0}, "use-multilingual-v3": {"vi": 10.0}})
    assert line.endswith("**use-multilingual-v3** never learned Vietnamese, which the mean includes.")


def test_a_single_model_does_not_lead(tmp_path):
    assert "is the only one measured in" in mining(tmp_path, one={"zh": 80.0})


def test_the_terminal_shows_every_measure_within_its_width(records):
    measured = read_board([records])
    tables = board_tables(measured)
    assert [name for table in tables for name in table][:3] == [
        "Complete@10, mixed pool",
        "Mining, margin accuracy",
        "Question's language first",
    ]
    first = tables[0]["Complete@10, mixed pool"].tolist()
    assert first == ["1. 85.0 (84.0 to 86.0)", "2. 70.5 (69.5 to 71.5)", "2. 70.0 (69.0 to 71.0)"]
    assert max(map(len, board_text(measured).splitlines())) <= 120


def test_controls_and_reported_models_are_never_recommended(tmp_path):
    assert advice(board(tmp_path, *words("control-random", 0.5, 0.01))) == []


def test_the_models_of_the_book_are_advised_by_task():
    """What the front page and the FAQ say; if a new record changes it, these lines change too."""
    lines = advice(read_board([Path(__file__).parents[3] / "book/records"]))
    first = {line.split(": ")[0]: line.split("**")[1] for line in lines}
    e5, use = "multilingual-e5-small-q4", "use-multilingual-v3"
    assert first == {
        "To search documents in the language of the question": e5,
        "To search documents in another language": e5,
        "To find one right answer in a pool of two languages": e5,
        "To find the answer in both languages of the pool": use,
        "To find it in both, after the means of the languages are subtracted": e5,
        "To treat all languages alike, as published": use,
        "To mine translations, or find the same text in two languages": e5,
        "To match words and short phrases across languages": use,
    }
    assert all("leads in" in line for line in lines)
    (mining,) = (line for line in lines if line.startswith("To mine"))
    assert f"In Chinese, **{use}** is ahead." in mining
    assert mining.endswith(f"**{use}** never learned Vietnamese, which the mean includes.")
