"""The built site in a real browser."""

import io
import json
import re
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageStat
from sitemap import pages

ROOT = Path(__file__).resolve().parents[2]
SLIDES = ("slides/00_tour", "slides/03_mixed_language_retrieval")
SERIOUS = ("serious", "critical")
ONE_OF_EACH = ("book/intro", "notebooks/02_semantic_affinity", "book/leaderboard", "book/benchmarks", "book/api/plots")


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_open_from_disk_without_a_network(site, browser, troubles_of, width):
    context = browser.new_context(color_scheme="light", viewport={"width": width, "height": 800}, offline=True)
    for name in pages():
        page = context.new_page()
        trouble = troubles_of(page)
        page.goto(f"file://{site}/{name}.html")
        for figure in page.locator("div[id^=figure-]").all():
            figure.locator(".main-svg").first.wait_for(timeout=20_000)  # plotly has drawn
        page.add_style_tag(content="* { transition: none !important }")  # a colour half-way is too pale
        page.wait_for_timeout(200)
        assert page.locator("article").is_visible()
        broken = "images => images.filter(image => !image.naturalWidth).length"
        assert page.locator("article img").evaluate_all(broken) == 0
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, f"{name} is {overflow} pixels wider than a window of {width}"
        mean, shades = brightness(page)
        assert mean > 200, name
        assert shades > 20, f"{name} is blank"
        is_kind = name in ONE_OF_EACH
        if width == 1280 or is_kind:  # what is peculiar to a narrow page, all of its kind have
            page.emulate_media(color_scheme="dark")
            page.wait_for_timeout(100)
            assert brightness(page)[0] < 90, name
            for figure in page.locator("div[id^=figure-]").all():  # a map has no light box around it
                behind = "figure => getComputedStyle(figure.parentElement).backgroundColor"
                assert figure.evaluate(behind) == "rgba(0, 0, 0, 0)", name
        assert not trouble, name  # axe, below, reads style sheets again, which a page from a disk may not
        if is_kind or (width == 1280 and "/api/" not in name):  # pages of the reference are made by one template
            assert not barriers(page), name
        if name.startswith("notebooks/") or is_kind:  # prose has the same few colours everywhere
            page.emulate_media(color_scheme="light")
            assert not barriers(page, structure=False), name  # nothing but colours has changed
        page.close()
    context.close()


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_page_opened_in_the_dark_is_dark(site, browser, name):
    page = browser.new_page(color_scheme="dark")
    page.goto(f"file://{site}/{name}.html")
    assert brightness(page)[0] < 90
    page.close()


def brightness(page):
    """Mean brightness of what a window shows, of 255, and its number of shades."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("L")
    return ImageStat.Stat(picture).mean[0], len(picture.getcolors())


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
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 41e6


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
    headings = re.findall(r"^#{1,3} (.*)", re.sub(r"(?s)```.*?```", "", texts), re.MULTILINE)
    stacks = len([heading for heading in headings if heading != "Exercises"])  # these are not on slides
    assert page.evaluate("Reveal.getHorizontalSlides().length") == stacks > 6
    broken = "images => images.filter(image => !image.naturalWidth || !image.alt).length"
    assert page.locator("section img").evaluate_all(broken) == 0
    assert not trouble
    assert not barriers(page)
    context.close()


def test_every_figure_of_every_slide_is_there(site):
    figures = {
        path.parent / source
        for path in (site / "slides").glob("*.html")
        for source in re.findall(r'<img src="([^"]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(figures) > 50
    assert not [path.name for path in figures if not path.is_file()]


def test_the_fonts_of_the_book_have_every_letter_of_its_maps(site):
    page = (site / "notebooks/02_semantic_affinity.html").read_text(encoding="utf-8")
    maps = [json.loads(figure) for figure in re.findall(r"const figure = (.*);\n", page)]
    letters = {letter for figure in maps for letter in json.dumps(figure, ensure_ascii=False) if ord(letter) >= 0x2E80}
    rules = (site / "_static/fonts.css").read_text(encoding="utf-8")
    covered = {chr(int(code, 16)) for code in re.findall(r"U\+([0-9A-F]+)", rules)}
    assert len(letters) > 1000
    assert letters <= covered
