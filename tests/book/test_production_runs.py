"""The script that makes the records of chapter 8: one run for each record, and the same numbers again."""

import json
from pathlib import Path

import pandas as pd
import production
import pytest

SHIPPED = production.ROOT / "book/records/production"


def test_every_record_of_the_chapter_has_one_run():
    runs = [f"{model}/{file}" for (model, file), _ in production.all_runs(Path())]
    records = [path.relative_to(SHIPPED).as_posix().removesuffix(".json") for path in SHIPPED.glob("*/*.json")]
    assert sorted(runs) == sorted(records)


def test_a_run_makes_its_record_again_and_keeps_one_that_is_there(tmp_path, capsys):
    arguments = ["--names", "leaks", "--models", production.CONTROL, "--into", str(tmp_path)]
    production.main([*arguments, "--dry-run"])
    assert capsys.readouterr().out == (
        "control-ngram-hash/cldr.leaks: missing\ncontrol-ngram-hash/sib200.leaks: missing\n"
    )
    production.main(arguments)
    again, shipped = (
        json.loads((folder / "control-ngram-hash/cldr.leaks.json").read_text(encoding="utf-8"))
        for folder in (tmp_path / "production", SHIPPED)
    )
    for key in ("dataset", "params"):
        assert again[key] == shipped[key]
    tables = (pd.DataFrame(one["metrics"]) for one in (again, shipped))
    pd.testing.assert_frame_equal(*tables, rtol=0, atol=0.01)  # on another processor, an item may be on the other side
    capsys.readouterr()
    production.main(arguments)
    assert "cldr.leaks: recorded 20" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--names", "--models"])
def test_an_unknown_part_or_model_is_refused_with_those_that_exist(option):
    with pytest.raises(SystemExit, match=r"^unknown: nothing; choose from .*(leaks|control-ngram-hash)"):
        production.main([option, "nothing", "--dry-run"])
