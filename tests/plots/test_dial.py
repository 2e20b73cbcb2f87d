"""The dial in a real browser, from disk and without a network."""

import json
import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
from browsing import assert_suits_both_looks

from xlutils import plots

HOSTILE = "</script><img src=x onerror=alert(1)>"
E5, USE = "multilingual-e5-small-q4", f"use {HOSTILE}"
TAGS = ["de", "ja", "sw", "yo", HOSTILE]
SHARES = np.linspace(0, 1, 11)
MEAN = "all languages (mean)"
SIDES = {"within": "x", "across": "y"}


def curves(tags, top=0.6):
    """Made-up tables: translations found rise and fall again, neighbours are lost."""
    rows = []
    for number, tag in enumerate(tags):
        across = top - 0.01 * number - 0.5 * (SHARES - 0.5 - 0.05 * number) ** 2
        within = 1 - (0.5 - 0.02 * number) * SHARES
        rows.append(pd.DataFrame({"language": tag, "share": SHARES, "across": across, "within": within}))
    table = pd.concat(rows, ignore_index=True)
    ends = {f"{name}{end}": table[name] + way for name in SIDES for end, way in (("_low", -0.02), ("_high", 0.02))}
    return table.assign(**ends)


@pytest.fixture(scope="module")
def tables():
    table = curves(TAGS)
    table.loc[(table["language"] == "yo") & table["share"].between(0.55, 0.75), "across"] = np.nan  # 60 % and 70 %
    table.loc[(table["language"] == "sw") & (table["share"] == 1), ["across_low", "across_high"]] = np.nan
    return {E5: table, USE: curves(TAGS[:2], top=0.9)}


def content(html):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])


def test_data_cannot_break_out_of_the_dial(tables):
    html = plots.interactive_dial(tables, f"How much? {HOSTILE}").data
    assert html.count("</script>") == html.count("<script") == 2  # its own
    assert "<img" not in html
    assert html.isascii()
    assert [model["name"] for model in content(html)] == [E5, USE]
    assert html == plots.interactive_dial(tables, f"How much? {HOSTILE}").data
    assert html != plots.interactive_dial(tables, "How much?").data


def test_the_mean_is_that_of_the_languages_measured_at_every_step(tables):
    mean, *languages = content(plots.interactive_dial(tables, "How much?").data)[0]["curves"]
    assert mean["name"] == MEAN
    assert mean["count"] == len(languages) - 1
    complete = tables[E5][tables[E5]["language"] != "yo"]
    for name in SIDES:
        expected = [complete.loc[complete["share"] == share, name].mean() for share in SHARES]
        assert [step[name][0] for step in mean["steps"]] == pytest.approx(expected, abs=0.0001)
        assert all(step[name][1:] == [None, None] for step in mean["steps"])


def test_steps_that_were_not_measured_are_left_out(tables):
    (model, _) = content(plots.interactive_dial(tables, "How much?").data)
    (yoruba,) = [curve for curve in model["curves"] if curve["tag"] == "yo"]
    assert [number for number, step in enumerate(yoruba["steps"]) if step is None] == [6, 7]
    rows = tables[E5][tables[E5]["language"] == "yo"].set_index("share")
    assert yoruba["best"] == pytest.approx(rows["across"].idxmax())
    nothing = tables[E5].assign(within=np.nan)
    assert content(plots.interactive_dial({E5: nothing}, "How much?").data) == []


@pytest.fixture
def opened(browser, troubles_of, tables, tmp_path):
    """Open dials on a page, and make sure that they never complained."""
    contexts, troubles = [], []

    def open_page(width=1280, shown=tables, copies=1, **options):
        path = tmp_path / "dial.html"
        head = '<!doctype html><html lang="en"><head><title>Dial</title>'
        dials = plots.interactive_dial(shown, "How much?").data * copies
        path.write_text(f"{head}</head><body><main>{dials}</main></body></html>")
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
    page.locator(f".dial select[name={name}]").select_option(*value, **options)


def turn(page, step):
    page.locator(".dial input").fill(str(step))


def facts(page):
    return dict(row.split("\n") for row in page.locator(".dial dl > div").all_inner_texts())


def place(page):
    """Where the large dot is, read from the numbers on both axes."""
    dot, found = page.locator(".dial-now"), {}
    for name, side in SIDES.items():
        ticks = page.locator(f".dial-{side}").evaluate_all("all => all.map(tick => tick.textContent)")
        lines = page.locator(f".dial line:has(+ .dial-{side})").evaluate_all(
            f"all => all.map(line => parseFloat(line.getAttribute('{side}1')))"
        )
        slope, start = np.polyfit(lines, [float(tick) for tick in ticks], 1)
        found[name] = start + slope * float(dot.get_attribute(f"c{side}"))
    return found


def row_of(table, tag, step):
    return table[table["language"] == tag].iloc[step]


def estimate(row, name):
    return f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"


def test_turning_the_dial_moves_the_dot_and_changes_the_facts(opened, tables):
    page = opened()
    choose(page, "language", "de")
    for step in (0, 4, 10):
        turn(page, step)
        row = row_of(tables[E5], "de", step)
        assert facts(page) == {
            "Share applied": f"{10 * step} %",
            "Translations found": estimate(row, "across"),
            "Neighbours kept": estimate(row, "within"),
            "Best share of this language": "50 %",
        }
        assert place(page) == pytest.approx(dict(row[list(SIDES)]), abs=0.001)
        assert page.locator(".dial-whisker").count() == 2
    assert page.locator(".dial input").get_attribute("aria-valuetext") == "100 %"


def test_the_dial_turns_with_the_keyboard_alone(opened):
    page = opened()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert facts(page)["Share applied"] == "10 %"
    page.keyboard.press("End")
    assert facts(page)["Share applied"] == "100 %"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.body")


def test_a_chosen_language_has_the_strong_curve(opened, tables):
    page = opened()
    assert page.locator(".dial option:checked").all_inner_texts() == [E5, MEAN]
    assert page.locator(".dial-other").count() == len(TAGS)
    assert page.locator(".dial-whisker").count() == 0
    assert facts(page)["Best share of the mean"] == "60 %"
    before = page.locator(".dial-curve").get_attribute("d")
    choose(page, "language", "sw")
    assert page.locator(".dial-curve").get_attribute("d") != before
    assert page.locator(".dial-other").count() == len(TAGS) - 1
    assert (
        page.locator(".dial-status").inner_text().startswith(f"{E5}. Strong curve: Swahili. Grey: other languages (4).")
    )
    turn(page, 10)
    row = row_of(tables[E5], "sw", 10)
    assert facts(page)["Translations found"] == f"{row['across']:.3f}"  # its interval is missing
    assert page.locator(".dial-whisker").count() == 1


def test_the_dot_is_hidden_where_nothing_was_measured(opened):
    page = opened()
    choose(page, "language", "yo")
    turn(page, 6)
    assert facts(page)["Translations found"] == "not measured"
    assert page.locator(".dial-now").count() == 0
    assert page.locator(".dial-step").count() == len(SHARES) - 2
    turn(page, 8)
    assert page.locator(".dial-now").count() == 1


def test_another_model_has_its_own_axes_and_languages(opened, tables):
    page = opened()
    choose(page, "language", "de")
    turn(page, 3)
    ticks = page.locator(".dial-y").all_text_contents()
    choose(page, "model", label=USE)
    assert page.locator(".dial-y").all_text_contents() != ticks
    assert page.locator("[name=language] option").all_text_contents() == [MEAN, "German", "Japanese"]
    row = row_of(tables[USE], "de", 3)
    assert facts(page)["Share applied"] == "30 %"
    assert facts(page)["Translations found"] == estimate(row, "across")
    assert place(page) == pytest.approx(dict(row[list(SIDES)]), abs=0.001)


def test_a_single_model_cannot_be_chosen_and_no_model_is_no_trouble(opened, tables):
    assert opened(shown={E5: tables[E5]}).locator("[name=model]").is_disabled()
    assert opened(shown={}).locator(".dial-status").inner_text() == "Nothing to draw: this was not measured."


def test_two_dials_on_a_page_do_not_disturb_each_other(opened):
    page = opened(copies=2)
    one, other = page.locator(".dial").all()
    before = other.locator("svg").inner_html(), other.locator("dl").inner_html()
    one.locator("[name=language]").select_option("ja")
    one.locator("input").fill("7")
    assert (other.locator("svg").inner_html(), other.locator("dl").inner_html()) == before
    assert one.locator("dd").first.inner_text() == "70 %"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_dial_suits_both_looks_and_widths(opened, width):
    assert_suits_both_looks(partial(opened, width), ".dial", "dt, dd, label, p, select, text")


@pytest.mark.parametrize("width", [1280, 390])
def test_labels_are_inside_the_chart_and_apart(opened, width):
    page = opened(width)
    frame = page.locator(".dial svg").bounding_box()
    for tag in ("", *TAGS):
        choose(page, "language", tag)
        assert page.locator(".dial-label").all_text_contents() == ["no map", "whole map"]
        boxes = [label.bounding_box() for label in page.locator(".dial-label").all()]
        for box in boxes:
            assert frame["x"] < box["x"] < box["x"] + box["width"] < frame["x"] + frame["width"]
            assert frame["y"] < box["y"] < box["y"] + box["height"] < frame["y"] + frame["height"]
        left, right = sorted(boxes, key=lambda box: box["x"])
        assert left["x"] + left["width"] < right["x"]


def test_labels_are_apart_even_if_the_map_changes_nothing(opened, tables):
    page = opened(shown={E5: tables[E5].assign(across=0.5, within=1.0)})
    one, other = (label.bounding_box() for label in page.locator(".dial-label").all())
    assert one["y"] + one["height"] < other["y"] or other["y"] + other["height"] < one["y"]


def test_the_chart_follows_the_width_of_the_page(opened):
    page = opened()
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("document.querySelector('.dial svg').viewBox.baseVal.width < 390")
    assert place(page)["within"] == pytest.approx(1, abs=0.001)


def test_the_dial_has_no_barriers(opened):
    from axe_playwright_python.sync_playwright import Axe

    for scheme in ("light", "dark"):
        page = opened(color_scheme=scheme)
        choose(page, "language", "de")
        found = Axe().run(page, ".dial").response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == []
