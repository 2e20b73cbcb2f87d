"""Which model to use, said from records."""

from boards import retrieval_record, sa_record

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
    found = board(tmp_path, *words("good", 0.7, 0.01), *words("bad", 0.5, 0.01))
    assert advice(found) == [
        "To compare single words across languages: **good** (0.700, 95% interval 0.695 to 0.705) leads in *SA*, "
        "ahead of 1 other."
    ]


def test_who_cannot_be_told_apart_is_named_together(tmp_path):
    found = board(tmp_path, *words("one", 0.6, 0.05), *words("two", 0.61, 0.05))
    (line,) = advice(found)
    assert "**two**" in line
    assert "**one**" in line
    assert "cannot be told apart in *SA*." in line


def test_controls_and_reported_models_are_no_advice(tmp_path):
    assert advice(board(tmp_path, *words("control-random", 0.5, 0.01))) == []


def test_centring_is_added_and_the_fastest_named(tmp_path):
    timing = {"texts-per-second": 50.0}
    plain = retrieval_record("slow", {"zh": 80.0}, **timing)
    other = retrieval_record("fast", {"zh": 40.0}, **{"texts-per-second": 90.0})
    for record, gain in ((plain, 5.0), (other, 50.0)):
        record.metrics["change/centring/complete@10"] = gain
        record.ci95["change/centring/complete@10"] = (gain - 1, gain + 1)
    lines = advice(board(tmp_path, plain, other))
    assert any("**slow** (80.0, 95% interval 79.0 to 81.0) leads in *Complete@10*" in line for line in lines)
    assert any("becomes: fast 90.0, slow 85.0." in line for line in lines)
    assert any("**fast** is the fastest" in line and "slow 50" in line for line in lines)
