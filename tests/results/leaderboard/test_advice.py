from dataclasses import replace
from pathlib import Path

from boards import sa_record

from xlutils.results.leaderboard.advice import advice
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
        "*Concepts*, ahead of 1 other."
    ]


def test_models_that_cannot_be_told_apart_are_named_together(tmp_path):
    measured = board(tmp_path, *words("one", 0.6, 0.05), *words("two", 0.61, 0.05))
    (line,) = advice(measured)
    assert "**two**" in line
    assert "**one**" in line
    assert "cannot be told apart in *Concepts*." in line


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
        "To match words and short phrases across languages": use,
    }
    assert all("leads in" in line for line in lines)
