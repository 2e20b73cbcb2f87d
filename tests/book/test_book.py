"""The files of the built site."""

import base64
import csv
import io
import re
from pathlib import Path

import html5lib
import pytest
from api import ROOMS
from bs4 import BeautifulSoup
from sitemap import pages

from xlutils.results.leaderboard.read import read_board
from xlutils.results.record import read_record
from xlutils.results.rows import Key, value_of

ROOT = Path(__file__).resolve().parents[2]
E5 = "multilingual-e5-small-q4"
SOURCES = (
    "arXiv:2601.09732",
    "Hong, Jang, Lee, Moon and Lim",
    "Hong et al.",
    "Cross-Lingual Knowledge Alignment Analysis",
)
CHAPTERS = (
    *("01_concept_alignment", "02_semantic_affinity", "03_mixed_language_retrieval", "04_finetune_alignment"),
    *("05_language_atlas", "06_relations", "07_maps", "08_production"),
)


def soup_of(site, page):
    return BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("page", pages())
def test_a_page_has_content_and_no_debris(site, page):
    article = soup_of(site, page).find("article")
    text = article.get_text()
    assert len(text) > 500
    for debris in ("Traceback", "Warning", str(ROOT), "/tmp/", "/root/", "/home/", "{doc}", "it/s"):
        assert debris not in text
    images = article.find_all("img")
    assert images or not page.startswith("notebooks/")
    for image in images:
        assert len(image["alt"]) > 20
        assert (site / page).parent.joinpath(image["src"]).is_file()


def test_the_tour_prints_nothing_and_draws_one_figure(site):
    article = soup_of(site, "notebooks/00_tour").find("article")
    assert len(article.find_all("img")) == 1
    assert not article.select(".output.stream")
    assert "the gap is" in article.get_text()


def test_internal_links_lead_somewhere(site):
    assert "book/intro.html" in (site / "index.html").read_text()
    for page in pages():
        for link in soup_of(site, page).find_all("a", href=True):
            target, _, anchor = link["href"].partition("#")
            if "://" in target or target.startswith(("mailto:", "data:")):
                continue
            file = (site / page).parent / target if target else site / f"{page}.html"
            assert file.resolve().is_file(), (page, link["href"])
            if anchor:
                html = file.read_text(encoding="utf-8")
                assert f'id="{anchor}"' in html, (page, link["href"])


def test_the_csv_of_the_leaderboard_names_records_of_the_site(site):
    link = soup_of(site, "book/leaderboard").find("a", download=True)
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(link["href"].split(",", 1)[1]).decode())))
    records = {path for row in rows for path in row["records"].split()}
    assert len(records) > 10
    assert all((site / "book" / path).is_file() and not path.startswith("/") for path in records)


def test_every_page_is_valid_html(site):
    for path in sorted(site.rglob("*.html")):
        parser = html5lib.HTMLParser()
        parser.parse(path.read_text(encoding="utf-8"))
        assert not parser.errors, (path.name, parser.errors[:3])


def test_formulas_need_no_script(site):
    page = soup_of(site, "book/glossary")
    assert len(page.find_all("math")) >= 5
    assert not page.find_all("script", src=re.compile("(?i)mathjax"))


def test_the_landing_page_shows_what_the_records_hold(site):
    page = soup_of(site, "book/intro")
    board = read_board([ROOT / "book/records"])
    column = next(each for each in board.columns if each.key == "xquad.unique/one")
    scores = board.scores(column)
    best = max((number for number in scores if board.rows[number].kind == "measured"), key=lambda n: scores[n].value)
    first = page.select(".wide-table tbody tr")[0]
    assert first.find("th").get_text() == board.rows[best].label
    assert f"{scores[best].value:.3f}" in first.get_text()
    (mining,) = (each for each in board.columns if each.key == "xquad.unique/mining")
    assert all(f"{board.scores(mining)[number].value:.3f}" in page.get_text() for number in board.ranks(mining))
    text, mended = page.get_text(), read_record(ROOT / "book/records/remedies" / E5 / "xquad.unique.json")["metrics"]
    for state in ("as published", "interleaved", "query side, 32 questions", "both sides"):
        assert f"{value_of(mended, Key('multi', 'complete@10', state=state)):.1f} (" in text
    trained = read_record(ROOT / "book/records/finetune" / E5 / "xquad.jsd+nce+keep.seed-42.unique.json")
    alt = page.find("img", src=re.compile("depth"))["alt"]
    for part in ("before", "after"):
        rank = value_of(trained["metrics"], Key("multi", "max@r", "en+zh", "zh", state=part))
        assert f"{rank:.0f}" in alt.split("Chinese:")[1].split(".")[0]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_says_what_it_takes_and_ends_with_exercises(site, name):
    article = soup_of(site, f"notebooks/{name}").find("article")
    opening = article.select_one("section").get_text()[:1500]
    for part in ("The question.", "You will learn", "You need", "It takes", "minutes"):
        assert part in opening
    assert [heading.get_text().rstrip("#") for heading in article.find_all("h2")][-2:] == ["Exercises", "Wrap-up"]
    assert len(article.select("div.exercise")) >= 2
    assert len(article.select("div.solution.dropdown")) == len(article.select("div.exercise"))


def test_what_is_reported_names_its_source(site):
    found = 0
    for name in CHAPTERS:
        for section in soup_of(site, f"notebooks/{name}").select("article section section"):
            outputs = section.select(":scope > .cell .cell_output")
            shown = " ".join(each.get_text() + " ".join(i["alt"] for i in each.find_all("img")) for each in outputs)
            if "reported" in shown.lower():
                found += 1
                around = section.get_text() + section.parent.get_text()
                assert any(source in around for source in SOURCES), (name, section.get("id"))
    assert found >= 2


def test_every_public_function_is_in_the_reference(site):
    text = "".join((site / f"book/api/{room}.html").read_text(encoding="utf-8") for room in ROOMS)
    functions = ("models.load_model", "metrics.affinity.semantic_affinity", "metrics.ranking.gold_ranks")
    for name in (*functions, "training.losses.AlignmentLoss", "results.record.write_record"):
        assert f'id="xlutils.{name}"' in text
