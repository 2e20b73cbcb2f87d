"""The page Reproduce shows the run lists and what is recorded, from planted records."""

import re
from pathlib import Path

import pandas as pd
import pytest
import reproduce

from xlutils import load_lexicon, load_model
from xlutils.chapters.affinity import study_affinity
from xlutils.chapters.claims import NOT_REPRODUCED, REPRODUCED, Claim, claim_table
from xlutils.chapters.paper_tables import LEXICONS, TABLES, with_records
from xlutils.errors import XlError
from xlutils.results.record import write_record
from xlutils.runs.lists import load_list

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The parts of the page from records of one control on all lexicons."""
    folder = tmp_path_factory.mktemp("page")
    for name in LEXICONS:
        study = study_affinity(load_model("control-random"), load_lexicon(name, ["en", "zh"]))
        write_record(folder / "records", study.record(seed=42), study.items())
    reproduce.write_reproduce(folder, folder / "records")
    return [(folder / name).read_text(encoding="utf-8") for name in ("lists.html", "papers.md", "claims.md")]


def test_every_list_has_a_row_with_its_command(written):
    lists, *_ = written
    for path in reproduce.LISTS.glob("*.toml"):
        assert f"<code>xl sweep runs/{path.name}</code>" in lists
    row = next(line for line in lists.splitlines() if "semantic-affinity.toml" in line)
    for part in ("0 of 52 runs", "<td>control-random</td>", "the hub", "OPENAI_API_KEY", "GEMINI_API_KEY"):
        assert part in row


def test_a_list_of_trainings_counts_models_that_were_trained():
    rows = [("a", "reported"), ("b", "measured"), ("c", "measured"), ("c", "measured, nce.seed-1 on the target alone")]
    table = pd.DataFrame({"x": 1.0}, pd.MultiIndex.from_tuples(rows, names=["model", "source"]))
    part = reproduce.read_part(reproduce.LISTS / "table-3.toml", reproduce.RECORDS)
    assert "<td>c</td>" in reproduce.lists_table([part], {"ablation": table})
    part = reproduce.read_part(reproduce.LISTS / "tables-1-4.toml", reproduce.RECORDS)
    assert "<td>b, c</td>" in reproduce.lists_table([part], {"mixed": table, "asked": table[:1]})


def test_only_tables_with_a_measured_value_are_shown(written):
    _, papers, _ = written
    assert papers.count("### ") == 1
    assert '<th scope="rowgroup" colspan="6">control-random</th>' in papers
    assert "<td>0.500<small>" in papers
    assert '<span class="reported">0.70</span>' in papers


def test_claims_without_a_record_are_not_testable(written):
    *_, claims = written
    assert claims.startswith("All verdicts together: ")
    for page in ("03_mixed_language_retrieval", "04_finetune_alignment"):
        count = "0 reproduced, 0 not reproduced, 1 not testable here"
        assert f"{count}. {{doc}}`How they are measured </notebooks/{page}>`" in claims
    assert "<td>not testable here</td><td>they come from the hub</td>" in claims


def test_verdicts_are_counted_and_names_are_shown_as_they_are():
    good = Claim("<i>near</i>", "a gap above 0", "0.5 (0.4 to 0.6)", REPRODUCED, "the interval is above 0")
    table = claim_table([("<b>", good), ("b", good._replace(verdict=NOT_REPRODUCED)), ("c", good)])
    assert reproduce.count_verdicts(table) == "2 reproduced, 1 not reproduced, 0 not testable here"
    text = reproduce.claims_html(table, 'a "label"')
    assert text.count('scope="rowgroup"') == 1
    assert "&lt;i&gt;near&lt;/i&gt;<small>a gap above 0</small>" in text
    assert '<th scope="row">&lt;b&gt;</th><td>0.5 (0.4 to 0.6)</td><td>reproduced</td>' in text
    assert 'aria-label="Claims: a &quot;label&quot;"' in text
    text = reproduce.claim_sections({"concepts": table, "training": table[:0]})
    assert text.count("### ") == 1


def test_every_table_has_a_title():
    assert [*reproduce.TITLES] == [*TABLES]


def test_languages_and_data_without_a_measured_value_are_left_out():
    names = ["model", "language", "source"]
    index = [("a", "Greek", "reported"), ("a", "Thai", "reported"), ("<b>", "Thai", "measured, x.seed-1 on de+es")]
    columns = pd.MultiIndex.from_tuples([("xquad", "Base"), ("belebele", "Base")], names=["data", "state"])
    cells = [["1", "2"], ["3", "4"], ["5 (4 to 6)", ""]]
    table = pd.DataFrame(cells, pd.MultiIndex.from_tuples(index, names=names), columns)
    shown = with_records(table)
    assert shown.to_numpy().tolist() == [["3"], ["5 (4 to 6)"]]
    text = reproduce.paper_html(shown, 'a "label"')
    for part in (
        '<span class="reported">3</span>',
        "&lt;b&gt;",
        "<td>measured<small>x.seed-1 on de+es</small></td><td>5<small>4 to 6</small></td>",
        'aria-label="a &quot;label&quot;"',
    ):
        assert part in text
    assert not len(with_records(table[:2]))


def test_lists_on_pages_exist_and_the_example_is_one(tmp_path):
    pages = [ROOT / "README.md", *(ROOT / "book").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    names = set(re.findall(r"xl sweep (runs/\S+\.toml)", text))
    assert len(names) >= 2
    assert [name for name in names if not (ROOT / name).exists()] == []
    example = re.search(r"```toml\n(.*?)```", (ROOT / "book/sweeps.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    path = tmp_path / "mine.toml"
    path.write_text(example, encoding="utf-8")
    assert len(load_list(path).cells({})) == 4
    path.write_text(example.replace("temperature", "temperatur"), encoding="utf-8")
    with pytest.raises(XlError, match="did you mean temperature"):
        load_list(path)
