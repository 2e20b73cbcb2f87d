"""Steps run in order, show one line each, and stop the build when one fails."""

import json
import threading

import pytest
from steps import Step, read_seconds, run_steps


def test_a_step_that_did_something_is_timed_and_shown(capsys):
    took = run_steps([Step("one", lambda: None), Step("two", lambda: False)], {"one": 3})
    assert list(took) == ["one"]
    assert sorted(capsys.readouterr().out.splitlines()) == ["one: 0 s", "two: unchanged"]


def test_several_run_at_a_time():
    meeting = threading.Barrier(2, timeout=10)
    assert set(run_steps([Step(name, meeting.wait) for name in "ab"], {}, at_once=2)) == {"a", "b"}


def test_a_failed_step_stops_the_waiting_ones(capsys):
    ran = []

    def fail():
        raise SystemExit("no chapter 1")

    with pytest.raises(SystemExit, match="no chapter 1"):
        run_steps([Step("fails", fail), *(Step(str(n), lambda: ran.append(1)) for n in range(50))], {})
    assert not ran
    assert capsys.readouterr().out == "fails: failed\n"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": {"b": {"step": "x"}}}', '{"a": 1}'])
def test_unreadable_times_are_ignored(tmp_path, text):
    path = tmp_path / "times.json"
    assert read_seconds(path, "a", "b") == {}
    path.write_text(text)
    assert read_seconds(path, "a", "b") == {}
    path.write_text(json.dumps({"a": {"b": {"step": 3}}}))
    assert read_seconds(path, "a", "b") == {"step": 3.0}
