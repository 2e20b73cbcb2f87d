"""The page of the leaderboard in a real browser, from disk and without a network."""

import base64
import csv
import io

import pytest
from boards import HOSTILE, sa_record

from xlutils.results.leaderboard.page import board_csv, whole_page
from xlutils.results.leaderboard.read import read_board
from xlutils.results.record import write_record


@pytest.fixture
def page(records, browser, troubles_of, tmp_path):
    path = tmp_path / "board.html"
    path.write_text(whole_page(read_board([records]), lambda record: record), encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    trouble = troubles_of(page)
    page.goto(f"file://{path}")
    yield page
    assert trouble == []
    assert page.title() == "Leaderboard"
    context.close()


def models(page):
    return page.locator("tbody tr:visible th").all_inner_texts()


def column(page, heading):
    """Texts of a column, row by row."""
    heads = page.locator("thead th:visible").all_inner_texts()
    place = next(n for n, text in enumerate(heads) if text.strip("\u2191\u2193 ") == heading)
    return [row.locator("> :visible").nth(place).inner_text() for row in page.locator("tbody tr:visible").all()]


def test_it_opens_sorted_with_shared_ranks(page):
    assert models(page)[:3] == ["bge-m3", "org/new", "LaBSE"]
    assert column(page, "Rank")[:4] == ["1", "2", "2", "-"]
    assert column(page, "Complete@10, mixed pool")[0] == "85.0\n84.0 to 86.0"
    assert "by Complete@10, mixed pool" in page.locator(".board-count").inner_text()


def test_sorting(page):
    page.get_by_role("button", name="Semantic Affinity", exact=True).click()
    assert models(page)[0] == "LaBSE"
    assert column(page, "Rank")[:4] == ["1", "-", "1", "-"]  # measured 0.700, the same reported, 0.695, reported
    page.get_by_role("button", name="Semantic Affinity", exact=True).click()
    assert models(page)[0] == HOSTILE
    page.get_by_role("button", name="Model").click()
    assert models(page) == sorted(models(page), key=str.lower)
    page.get_by_role("button", name="Texts/s").click()
    assert models(page)[0] == "LaBSE"  # the others, of which it is not known, come last
    assert page.locator("th[aria-sort]").all_inner_texts() == ["Texts/s"]


def test_filtering(page):
    page.get_by_label("Search").fill("BGE")
    assert models(page)[0] == "bge-m3"
    assert all("bge-m3" in name for name in models(page))
    page.get_by_label("Search").fill("no such model")
    assert models(page) == []
    assert page.locator(".board-count").inner_text().startswith("0 of ")
    page.get_by_label("Search").fill("")
    page.get_by_label("Show").select_option("reported")
    assert all("reported" in name for name in models(page))
    assert any(name.replace("\xa0", " ").startswith("USE (distiluse) reported") for name in models(page))
    page.get_by_label("Show").select_option("measured")
    assert len(models(page)) == 4
    page.get_by_label("leave out models").check()
    assert models(page) == ["LaBSE"]  # the others saw SQuAD, or nobody knows
    page.get_by_label("leave out models").uncheck()
    page.get_by_label("At most").fill("500")
    assert models(page) == ["LaBSE"]  # of the others one is larger and two are of unknown size


def test_a_task_sorts_by_its_measure_in_the_language_chosen(page):
    page.get_by_label("Task").select_option("mixed pool, all versions")
    assert page.locator("th[aria-sort]").inner_text().strip() == "Complete@10, mixed pool"
    page.get_by_label("Thai").check()
    assert page.locator("th[aria-sort]").inner_text().strip() == "Complete@10, mixed pool, Thai"
    assert column(page, "Complete@10, mixed pool, Thai")[0].startswith("80.0")


def test_my_languages_are_ranked_by_their_mean(page):
    """LaBSE 80 and 60, bge-m3 90 and 80, org/new 91 and 50: ranks of the means are those of the board for all."""
    page.get_by_label("Chinese").check()
    page.get_by_label("Thai").check()
    page.get_by_label("Task").select_option("deduplication, mining translations")
    heading = "Mean of Chinese, Thai"
    assert page.locator("th[aria-sort]").inner_text().strip() == heading
    assert models(page) == ["bge-m3", "org/new", "LaBSE"]
    assert column(page, heading) == ["0.850\n0.840 to 0.860", "0.705\n0.695 to 0.715", "0.700\n0.690 to 0.710"]
    assert column(page, "Rank") == ["1", "2", "2"]
    assert not page.get_by_role("button", name="Complete@10, mixed pool").first.is_visible()  # not of this task
    page.get_by_label("Thai").uncheck()
    assert page.locator("th[aria-sort]").inner_text().strip() == "Mining, margin accuracy, Chinese"
    assert column(page, "Rank") == ["1", "1", "3"]
    page.get_by_label("Questions").select_option("xquad.paper")
    page.get_by_label("Task").select_option("mixed pool, all versions")
    page.get_by_label("Thai").check()
    assert page.locator("tbody tr:visible td:nth-of-type(2) .board-hollow").count() == len(models(page)) == 8
    assert set(column(page, "Rank")) == {"-"}


def test_what_a_model_costs_is_shown(page):
    page.get_by_label("Search").fill("LaBSE")
    assert column(page, "Dimensions")[0] == "768"
    assert column(page, "Longest text (tokens)")[0] == "256"


def test_languages_and_question_sets(page):
    assert page.get_by_role("button", name="Complete@10, mixed pool, Thai").count() == 0
    page.get_by_label("Thai").check()
    page.get_by_role("button", name="Complete@10, mixed pool, Thai").click()
    assert column(page, "Complete@10, mixed pool, Thai")[:3] == [
        "80.0\n79.0 to 81.0",
        "60.0\n59.0 to 61.0",
        "50.0\n49.0 to 51.0",
    ]
    page.get_by_label("Questions").select_option("xquad.paper")
    assert any(name.startswith("bge-m3, trained reported") for name in models(page))
    assert page.get_by_label("Vietnamese").is_visible()
    page.get_by_label("Semantic Affinity by word list").check()
    assert page.get_by_role("button", name="Semantic Affinity, culture").is_visible()


def test_a_cell_leads_to_its_record(page, records):
    cell = page.locator("tbody tr", has=page.get_by_text("LaBSE", exact=True)).first
    links = cell.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert str(records / "mixed-retrieval/LaBSE/xquad.unique.json") in links
    assert str(records / "semantic-affinity/LaBSE/culture.json") in links


def test_reported_models_are_there_from_the_start(page):
    names = [name for name in models(page) if "reported" in name]
    assert len(names) == 11
    assert sum("a copy of the passage per question" in name for name in names) == 8
    assert sum("other word lists" in name for name in names) == 3
    values = column(page, "Complete@10, with copies")
    assert sum(value != "-" for value in values) == 8


def test_reported_numbers_look_different(page):
    page.get_by_label("Show").select_option("reported")
    assert page.locator("tbody tr:visible .board-hollow:visible").count() == len(models(page))
    page.get_by_label("Show").select_option("measured")
    assert page.locator("tbody tr:visible .board-hollow").count() == 0


def test_the_download_holds_every_score(page, records):
    address = page.get_by_role("link", name="All scores as CSV").get_attribute("href")
    text = base64.b64decode(address.split(",", 1)[1]).decode()
    assert text == board_csv(read_board([records]), str)
    rows = list(csv.DictReader(io.StringIO(text)))
    found = [row for row in rows if row["model"] == "org/new" and row["measure"] == "xquad.unique/zh/complete@10"]
    assert [(row["value"], row["low"], row["rank"]) for row in found] == [("91.0", "90.0", "1")]


def test_a_spreadsheet_runs_nothing(records):
    write_record(records, sa_record("=HYPERLINK(1)", 0.5))
    rows = list(csv.DictReader(io.StringIO(board_csv(read_board([records]), str))))
    assert "'=HYPERLINK(1)" in {row["model"] for row in rows}
