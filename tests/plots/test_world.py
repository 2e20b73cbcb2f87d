"""The static map, and the interactive one in a real browser, from disk and without a network."""

import json
import re
from functools import partial

import numpy as np
import pytest
from browsing import assert_suits_both_looks
from made_up_languages import atlas

from xlutils import load_lexicon, plots
from xlutils.datasets.languages import LANGUAGES
from xlutils.plots import world

HOSTILE = "</script><img src=x onerror=alert(1)>"
E5, USE = "multilingual-e5-small-q4", f"use {HOSTILE}"


@pytest.fixture(scope="module")
def tables():
    tags = load_lexicon("cldr").languages
    table = atlas(tags, seed=1)
    table.loc["de", "name"] = HOSTILE
    return {E5: atlas(tags), USE: table}


def dots(axis):
    """The dots of a map in the order in which they are drawn: places, and values."""
    (drawn,) = [part for part in axis.collections if part.get_array() is not None]
    return drawn.get_offsets(), drawn.get_array()


def test_the_worst_languages_are_drawn_last_and_placeless_ones_counted(tables):
    axis, _ = plots.world_map(tables[E5], "Where?").axes
    placed = tables[E5].drop(index="en").dropna(subset=["latitude"])
    assert list(dots(axis)[1]) == sorted(placed["accuracy"], reverse=True)
    assert axis.texts[0].get_text() == "★ English, the pivot\nnot on the map: 8 languages\nwithout a known place"


def test_dots_do_not_cover_each_other():
    same = [tag for tag, language in LANGUAGES.items() if tag.split("-")[0] == "zh" and language.latitude]
    assert len({LANGUAGES[tag].latitude for tag in same}) < len(same)
    axis, _ = plots.world_map(atlas([*same, "yue", "ja"]), "Where?").axes
    places, _ = dots(axis)
    distances = np.linalg.norm(places[:, None] - places, axis=2) + np.eye(len(places))
    assert distances.min() > 0.06  # of a map 5.4 wide, with dots of 6.5 points


def test_a_language_is_on_its_continent():
    axis, _ = plots.world_map(atlas(["yo", "mi"]), "Where?").axes
    places, values = dots(axis)
    table = atlas(["yo", "mi"])
    at = {name: places[list(values).index(table.loc[name, "accuracy"])] for name in ("yo", "mi")}
    assert 0 < at["yo"][0] < 0.3
    assert at["mi"][0] > 2
    assert at["mi"][1] < 0 < at["yo"][1]


def test_land_is_on_both_sides_of_the_date_line_in_one_piece():
    axis, _ = plots.world_map(atlas(["yo"]), "Where?").axes
    steps = [np.abs(np.diff(path.vertices[:, 0])).max() for path in axis.collections[0].get_paths()]
    assert max(steps) < 0.6  # no line across the map


def content(html):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])


def test_data_cannot_break_out_of_the_map(tables):
    html = plots.interactive_atlas(tables, f"Which? {HOSTILE}").data
    assert html.count("</script>") == html.count("<script") == 2  # its own
    assert "<img" not in html
    assert html.isascii()
    data = content(html)
    assert [name for name, _ in data["models"]] == [E5, USE]
    expected = list(tables[E5].loc["fr", ["accuracy", "accuracy_low", "accuracy_high"]])
    assert data["models"][0][1]["fr"]["raw"] == pytest.approx(expected, abs=0.0005)
    assert len(data["languages"]) == 116
    assert html == plots.interactive_atlas(tables, f"Which? {HOSTILE}").data


@pytest.fixture
def opened(browser, troubles_of, tables, tmp_path):
    """Open the map, alone on a page, and make sure that it never complained."""
    path = tmp_path / "atlas.html"
    head = '<!doctype html><html lang="en"><head><title>Atlas</title>'
    path.write_text(f"{head}</head><body><main>{plots.interactive_atlas(tables, 'Which?').data}</main></body></html>")
    contexts, troubles = [], []

    def open_page(width=1280, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, offline=True, **options))
        page = contexts[-1].new_page()
        troubles.append(troubles_of(page))
        page.goto(f"file://{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not any(troubles)


def choose(page, name, *value, **options):
    page.locator(f".atlas select[name={name}]").select_option(*value, **options)


def labels(page):
    return page.locator(".atlas circle[role=option]").evaluate_all("all => all.map(dot => dot.ariaLabel)")


def facts(page):
    return dict(row.split("\n") for row in page.locator(".atlas-facts > div").all_inner_texts())


def test_a_script_and_a_model_are_chosen(opened, tables):
    page, table = opened(), tables[E5]
    placed = table.drop(index="en").dropna(subset=["latitude"])
    assert len(labels(page)) == len(placed)
    choose(page, "script", "Devanagari")
    chosen = placed[placed["script"] == "Deva"].sort_values("accuracy", ascending=False)
    assert labels(page) == [f"{row['name']}: {row.accuracy:.2f}" for _, row in chosen.iterrows()]
    count = page.locator(".atlas-count")
    verdicts = table[table["script"] == "Deva"]["verdict"].value_counts()
    assert count.inner_text().startswith(f"4 languages: {verdicts.get('known', 0)} known, ")
    choose(page, "model", label=USE)
    assert sorted(labels(page)) == sorted(f"{table.name[tag]}: {tables[USE].accuracy[tag]:.2f}" for tag in chosen.index)
    page.locator(".atlas [value=centred]").check()
    assert f"Hindi: {tables[USE].accuracy_centred['hi']:.2f}" in labels(page)
    choose(page, "script", "")
    assert len(labels(page)) == len(placed)


def test_pointing_at_a_dot_shows_its_language(opened, tables):
    page, row = opened(), tables[E5].loc["yo"]
    page.locator(".atlas circle[aria-label^=Yoruba]").hover()
    assert facts(page) == {
        "Language": "Yoruba (yo)",
        "Script": "Latin",
        "Speakers": "32 million",
        "Accuracy, raw vectors": f"{row.accuracy:.3f} ({row.accuracy_low:.3f} to {row.accuracy_high:.3f})",
        "Accuracy, centred": (
            f"{row.accuracy_centred:.3f} ({row.accuracy_centred_low:.3f} to {row.accuracy_centred_high:.3f})"
        ),
        "Control": f"{row.control:.3f} ({row.control_low:.3f} to {row.control_high:.3f})",
        "Verdict": "partly known" if row.verdict == "partly" else row.verdict,
        "Model card lists it": "yes",
    }
    assert page.locator(".atlas-tip").inner_text() == f"Yoruba {row.accuracy:.2f}"
    choose(page, "language", "chr")  # nobody knows where
    assert facts(page)["Language"] == "Cherokee (chr)"
    assert page.locator(".atlas-tip").is_hidden()


def test_the_map_works_with_the_keyboard_alone(opened):
    page = opened()
    page.locator(".atlas [value=raw]").focus()
    page.keyboard.press("Tab")
    name = "document.activeElement.ariaLabel"
    assert page.evaluate(name) in labels(page)  # one stop for all dots
    choose(page, "language", "yo")
    page.locator(".atlas circle[aria-selected=true]").focus()
    page.keyboard.press("ArrowDown")
    below = page.evaluate(name)
    assert not below.startswith("Yoruba")
    assert facts(page)["Language"].split(" (")[0] == below.split(": ")[0]
    x, y = (page.locator(".atlas circle[aria-selected=true]").get_attribute(axis) for axis in ("cx", "cy"))
    yoruba = page.locator(".atlas circle[aria-label^=Yoruba]")
    assert float(y) > float(yoruba.get_attribute("cy"))
    assert abs(float(x) - float(yoruba.get_attribute("cx"))) <= float(y) - float(yoruba.get_attribute("cy"))
    page.keyboard.press("Tab")
    assert page.evaluate(name) is None


@pytest.mark.parametrize("width", [1280, 390])
def test_the_map_suits_both_looks_and_widths(opened, width):
    assert_suits_both_looks(partial(opened, width), ".atlas", "dt, dd, label, p, select")


def test_a_region_is_larger_and_its_dots_are_not_much_larger(opened):
    page = opened(390)
    dot = page.locator(".atlas circle[aria-label^=Yoruba]")
    before = dot.bounding_box()
    choose(page, "region", label="Africa")
    after = dot.bounding_box()
    assert 6 < before["width"] < after["width"] < 3 * before["width"]
    frame = page.locator(".atlas svg").bounding_box()
    assert frame["x"] < after["x"] < frame["x"] + frame["width"]


def test_the_map_has_no_barriers(opened):
    from axe_playwright_python.sync_playwright import Axe

    for scheme in ("light", "dark"):
        page = opened(color_scheme=scheme)
        choose(page, "language", "yo")
        found = Axe().run(page, ".atlas").response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == []


def test_every_region_lies_on_the_map(tables):
    (_, whole), *regions = content(plots.interactive_atlas(tables, "Which?").data)["regions"]
    assert len(regions) == len(world._REGIONS) - 1
    for name, (left, top, width, height) in regions:
        assert 0 <= left < left + width <= 1000, name
        assert whole[1] <= top < top + height <= whole[1] + whole[3], name
