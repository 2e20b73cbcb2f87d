from boards import sa_record

from xlutils.results.leaderboard.advice import advice
from xlutils.results.leaderboard.read import LEXICONS, read_board
from xlutils.results.record import write_record


def board(folder, *records):
    for record in records:
        write_record(folder, record)
    return read_board([folder])


def words(name, value, half):
    return [sa_record(name, value, half, lexicon) for lexicon in LEXICONS]


def test_the_leader_is_named_with_its_interval(tmp_path):
    measured = board(tmp_path, *words("good", 0.7, 0.01), *words("bad", 0.5, 0.01))
    assert advice(measured) == [
        "To compare single words across languages: **good** (0.700, 95% interval 0.695 to 0.705) leads in *SA*, "
        "ahead of 1 other."
    ]


def test_models_that_cannot_be_told_apart_are_named_together(tmp_path):
    measured = board(tmp_path, *words("one", 0.6, 0.05), *words("two", 0.61, 0.05))
    (line,) = advice(measured)
    assert "**two**" in line
    assert "**one**" in line
    assert "cannot be told apart in *SA*." in line


def test_controls_and_reported_models_are_never_recommended(tmp_path):
    assert advice(board(tmp_path, *words("control-random", 0.5, 0.01))) == []
