"""The built site, in files and in a real browser."""

import base64
import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
KNOWN_MESSAGES = ("THEBE_JS_URL",)  # sphinx-thebe declares it twice


def pages():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def soup_of(site, page):
    return BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The HTML, built the way `make book` does, warnings as errors."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "book/build.py", "--into", str(folder)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return folder / "_build/html"


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
        assert not [line for line in trouble if not any(known in line for known in KNOWN_MESSAGES)], name
        assert page.locator("article").is_visible()
        broken = "images => images.filter(image => !image.naturalWidth).length"
        assert page.locator("article img").evaluate_all(broken) == 0
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, f"{name} is {overflow} pixels wider than a window of {width}"
        page.close()
    context.close()
