"""The built site, in files and in a real browser."""

import base64
import csv
import io
import re
from pathlib import Path

import html5lib
import nbformat
import pytest
import yaml
from api import ROOMS
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from PIL import Image, ImageStat

from xlutils.results.leaderboard.read import read_board
from xlutils.results.record import read_record

ROOT = Path(__file__).resolve().parents[2]
SLIDES = ("slides/00_tour", "slides/03_mixed_language_retrieval")
SERIOUS = ("serious", "critical")
SOURCES = (
    "arXiv:2601.09732",
    "Hong, Jang, Lee, Moon and Lim",
    "Hong et al.",
    "Cross-Lingual Knowledge Alignment Analysis",
)
CHAPTERS = ("01_concept_alignment", "02_semantic_affinity", "03_mixed_language_retrieval", "04_finetune_alignment")


def pages():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    sections = [section for chapter in chapters for section in chapter.get("sections", ())]
    return [toc["root"], *(each["file"] for each in (*chapters, *sections))]


def soup_of(site, page):
    return BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


def test_the_index_leads_to_the_first_page(site):
    assert "book/intro.html" in (site / "index.html").read_text()


@pytest.mark.parametrize("page", pages())
def test_a_page_has_content_and_no_debris(site, page):
    article = soup_of(site, page).find("article")
    text = article.get_text()
    assert len(text) > 500
    for debris in ("Traceback", "Warning", str(ROOT), "/tmp/", "{doc}", "it/s]"):
        assert debris not in text
    for image in article.find_all("img"):
        assert len(image["alt"]) > 20
        assert (site / page).parent.joinpath(image["src"]).is_file()


def test_the_tour_was_executed(site):
    article = BeautifulSoup((site / "notebooks/00_tour.html").read_text(encoding="utf-8"), "html.parser").find(
        "article"
    )
    assert len(article.find_all("img")) == 1
    assert "the gap is" in article.get_text()
    assert len(article.select("div.cell_output table")) >= 2


def test_internal_links_lead_somewhere(site):
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_open_from_disk_without_a_network(site, browser, troubles_of, scheme, width):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}, offline=True)
    for name in pages():
        page = context.new_page()
        trouble = troubles_of(page)
        page.goto(f"file://{site}/{name}.html")
        for figure in page.locator("[id^=figure-]").all():
            figure.locator(".main-svg").first.wait_for(timeout=20_000)  # plotly has drawn
        page.wait_for_timeout(300)
        assert not trouble, name
        assert page.locator("article").is_visible()
        broken = "images => images.filter(image => !image.naturalWidth).length"
        assert page.locator("article img").evaluate_all(broken) == 0
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, f"{name} is {overflow} pixels wider than a window of {width}"
        assert not barriers(page, structure=scheme == "light"), name  # nothing but colours changes in the dark
        brightness = Image.open(io.BytesIO(page.screenshot())).convert("L")
        (mean,) = ImageStat.Stat(brightness).mean
        assert mean > 200 if scheme == "light" else mean < 90, (name, mean)
        assert len(brightness.getcolors()) > 20, f"{name} is blank"
        page.close()
    context.close()


MARK_COLOURS = """() => {
  const seen = new Set();
  for (const node of document.querySelectorAll("body *")) {
    if (![...node.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.data.trim())) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(node);
    const look = [color, fontSize, fontWeight];
    for (let outer = node; outer; outer = outer.parentElement) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(outer);
      look.push(backgroundColor, backgroundImage, opacity);
      if (!backgroundColor.endsWith(", 0)")) break;  // nothing shines through
    }
    if (!seen.has(look.join())) node.dataset.colours = "";
    seen.add(look.join());
  }
}"""


def barriers(page, structure=True):
    """Return the rules of axe that a page breaks, each with the first element that does.

    Contrast is checked on one element per combination of text and background: a table of two thousand cells has ten.
    """
    page.evaluate(MARK_COLOURS)
    runs = [("[data-colours]", {"runOnly": ["color-contrast"]})]
    if structure:
        runs.append(("html", {"rules": {"color-contrast": {"enabled": False}}}))
    found = []
    for part, options in runs:
        answer = Axe().run(page, {"include": [part]}, {"resultTypes": ["violations"], **options})
        found += [rule for rule in answer.response["violations"] if rule["impact"] in SERIOUS]
    return [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found]


def test_text_that_is_too_pale_is_a_barrier(site, browser):
    page = browser.new_page()
    page.goto(f"file://{site}/book/models.html")
    assert not barriers(page)
    page.add_style_tag(content="tbody tr:nth-child(2) td { color: #bbb }")
    assert [rule for rule, _ in barriers(page)] == ["color-contrast"]
    page.close()


def test_the_site_is_light(site, browser):
    """The landing page with all that it loads, and the whole site, in megabytes."""
    page, sizes = browser.new_page(), {}
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))
    page.goto(f"file://{site}/book/intro.html")
    page.wait_for_timeout(500)
    page.close()
    assert len(sizes) > 10
    assert sum(sizes.values()) < 1.5e6, sizes
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 25e6


def test_every_page_is_valid_html(site):
    for path in sorted(site.rglob("*.html")):
        parser = html5lib.HTMLParser()
        parser.parse(path.read_text(encoding="utf-8"))
        assert not parser.errors, (path.name, parser.errors[:3])


def test_formulas_need_no_script(site):
    formulas = soup_of(site, "book/glossary").find_all("math")
    assert len(formulas) >= 5
    assert not soup_of(site, "book/glossary").find_all("script", src=re.compile("(?i)mathjax"))


def test_search_finds_a_page_without_a_network(site, browser):
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(f"file://{site}/search.html?q=procrustes")
    page.locator("#search-results li a").first.wait_for(timeout=10_000)
    assert any(
        "background" in link for link in page.locator("#search-results a").evaluate_all("all => all.map(a => a.href)")
    )
    context.close()


@pytest.mark.parametrize("name", SLIDES)
def test_slides_can_be_shown_without_a_network(site, browser, troubles_of, name):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page = context.new_page()
    trouble = troubles_of(page)
    page.goto(f"file://{site}/{name}.html")
    assert page.locator("h1").is_visible()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("Reveal.getIndices().h === 1")
    cells = nbformat.read(ROOT / f"notebooks/{Path(name).name}.ipynb", as_version=4).cells
    texts = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    stacks = len(re.findall(r"^#{1,3} ", re.sub(r"(?s)```.*?```", "", texts), re.MULTILINE))
    assert page.evaluate("Reveal.getHorizontalSlides().length") == stacks > 6
    broken = "images => images.filter(image => !image.naturalWidth || !image.alt).length"
    assert page.locator("section img").evaluate_all(broken) == 0
    assert not trouble
    assert not barriers(page)
    context.close()


def test_the_landing_page_shows_what_the_records_hold(site):
    page = soup_of(site, "book/intro")
    board = read_board([ROOT / "book/records"])
    column = next(each for each in board.columns if each.key == "xquad.unique/complete@10")
    scores = board.scores(column)
    best = max((number for number in scores if board.rows[number].kind == "measured"), key=lambda n: scores[n].value)
    first = page.select(".wide-table tbody tr")[0]
    assert first.find("th").get_text() == board.rows[best].label
    assert f"{scores[best].value:.1f}" in first.get_text()
    trained = read_record(
        ROOT / "book/records/finetune/multilingual-e5-small-q4/xquad.jsd+nce+keep.seed-42.unique.json"
    )
    alt = page.find("img", src=re.compile("depth"))["alt"]
    for part in ("before", "after"):
        assert f"{trained['metrics'][f'{part}/multi/en+zh/zh/max@r']:.0f}" in alt.split("Chinese:")[1].split(".")[0]


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
    for name in ("models.load_model", "metrics.affinity.semantic_affinity", "metrics.ranking.gold_ranks",
                 "training.losses.AlignmentLoss", "results.record.write_record"):  # fmt: skip
        assert f'id="xlutils.{name}"' in text
