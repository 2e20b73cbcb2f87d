import pytest
from IPython.core.interactiveshell import InteractiveShell

from xlutils.errors import XlError, first_line, unknown


@pytest.mark.parametrize(
    ("given", "hint"),
    [("labse", "did you mean LaBSE?"), ("LaBS", "did you mean LaBSE?"), ("zzzzzz", "known: LaBSE, mBERT")],
)
def test_unknown_names_the_nearest(given, hint):
    assert hint in str(unknown("model", given, ["LaBSE", "mBERT"]))


def test_a_long_list_is_cut():
    message = str(unknown("number", "zzz", map(str, range(100))))
    assert message.endswith("38, 39 and 60 more")


def test_a_notebook_shows_one_line(capsys):
    shell = InteractiveShell()
    shell.run_cell("from xlutils.errors import XlError\nraise XlError('do this instead')")
    assert capsys.readouterr().out.strip() == "XlError: do this instead"


def test_it_is_no_value_error():
    assert not issubclass(XlError, ValueError)  # pydantic would swallow it


@pytest.mark.parametrize(
    ("said", "line"), [("\n no space\nleft", "no space"), ("x" * 900, "x" * 400), ("", "ValueError")]
)
def test_what_a_library_said_is_one_short_line(said, line):
    assert first_line(ValueError(said)) == line
