"""The page on which readers ask a pool of two languages: its data, and the page in a real browser."""

import json
from itertools import pairwise

import ask
import numpy as np
import pytest
from test_pages import barriers, brightness

from xlutils import load_lexicon, load_model, load_parallel
from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.ranking import complete_at, gold_ranks, max_at_r
from xlutils.metrics.repair import centre

E5, USE = ask.MODELS
ASKED, COUNT = 192, 64
REMEDIES = ("none", "query", "both", "global", "interleave")


def content_of(path):
    """What a script of the page stores."""
    return json.loads(path.read_text(encoding="utf-8").split(" = ", 1)[1].rstrip(";\n"))


def test_eight_bits_keep_every_vector():
    noise = np.random.default_rng(0).normal(size=(700, 384)) / 384**0.5
    vectors = unit_rows(1.5 * np.eye(384)[0] + noise * np.geomspace(2, 0.5, 384))  # a narrow cone, as of E5
    content = ask.packed(vectors)
    again = ask.unpacked(json.loads(json.dumps(content)))
    left, _, right = np.linalg.svd(vectors.T @ again)  # the axes are turned: turn them back
    assert np.einsum("nd,nd->n", vectors @ left @ right, again).min() > 0.9999
    np.testing.assert_allclose(again @ again.T, vectors @ vectors.T, atol=0.005)
    assert len(content["vectors"]) < vectors.size * 4 / 3


def test_an_opening_ends_between_words():
    assert ask.opening("A short text.") == "A short text."
    text = "The tide comes in, and goes out again. " * 9
    start = ask.opening(text).removesuffix(" …")
    assert text.startswith(start)
    assert text[len(start)] in " ,"
    assert 90 < len(start) <= 110
    assert len(ask.opening("海" * 200)) == 57  # as wide as twice as many letters


def test_every_text_has_a_vector(tmp_path, monkeypatch):
    monkeypatch.setattr(ask, "MODELS", ("control-ngram-hash",))
    ask.write_data(tmp_path / "ask")
    texts = content_of(tmp_path / "ask/texts.js")
    assert {path.name for path in tmp_path.rglob("*.*")} == {"control-ngram-hash.js", "texts.js"}
    assert {len(questions) for questions in texts["questions"].values()} == {ASKED}
    assert {len(passages) for passages in texts["passages"].values()} == {COUNT}
    count = len(ask.CODES) * (ASKED + COUNT) + len(texts["words"])
    vectors = ask.unpacked(content_of(tmp_path / "ask/control-ngram-hash.js"))
    encoder = load_model("control-ngram-hash")
    assert vectors.shape == (count, encoder.dim)
    first = encoder.encode(texts["questions"]["en"][:2], role="query")
    assert vectors[0] @ vectors[1] == pytest.approx(first[0] @ first[1], abs=0.01)
    languages = [language for _, language, _ in texts["words"]]
    assert sum(one != other for one, other in pairwise(languages)) == len(set(languages)) - 1


def test_a_build_without_a_model_stops_with_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(ask, "MODELS", ("no-such-model",))
    with pytest.raises(SystemExit, match=r"^the page 'Ask the mixed pool' needs no-such-model: [^\n]+$"):
        ask.write_data(tmp_path / "ask")


def test_data_of_an_earlier_build_are_reused(tmp_path, monkeypatch):
    monkeypatch.setattr(ask, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(ask, "MODELS", ())
    (tmp_path / "kept/ask-old").mkdir(parents=True)
    ask.place_ask(tmp_path / "first")
    (kept,) = (tmp_path / "kept").iterdir()
    (kept / "texts.js").write_text("as the first build left it")
    ask.place_ask(tmp_path / "second")
    assert (tmp_path / "second/texts.js").read_text() == "as the first build left it"
    for name in ("first", "second"):
        assert {path.name for path in (tmp_path / name).iterdir()} == {"ask.css", "ask.js", "texts.js"}


def vectors_of(site, model):
    return ask.unpacked(content_of(site / f"book/ask/{model}.js"))


def ranks(vectors, own, other, remedy, share=1.0):
    """Max@R and Complete@10 of every question, by the package."""
    gold = load_parallel("mini", ask.CODES).gold
    codes, size = (own, other), ASKED + COUNT
    blocks = [vectors[start * size :][:size] for start in map(ask.CODES.index, codes)]
    queries, passages = [block[:ASKED] for block in blocks], [block[ASKED:] for block in blocks]
    asked = queries[0]
    if remedy == "interleave":
        places = [gold_ranks(asked, pool, gold).expected()[:, 0] for pool in passages]
        last = np.maximum(2 * places[0] - 1, 2 * places[1])
        return last, last <= 10
    if remedy == "query":
        asked = unit_rows(asked - share * (asked.sum(axis=0) - asked) / (ASKED - 1))
    elif remedy == "both":
        if share == 1:
            passages = list(centre(dict(enumerate(passages)), dict(enumerate(passages))).values())
            asked = centre({"": asked}, {"": asked})[""]
        else:
            passages = [unit_rows(pool - share * pool.mean(axis=0)) for pool in passages]
            asked = unit_rows(asked - share * asked.mean(axis=0))
    elif remedy == "global":
        passages = [unit_rows(pool - share * np.concatenate(passages).mean(axis=0)) for pool in passages]
        asked = unit_rows(asked - share * np.concatenate(queries).mean(axis=0))
    found = gold_ranks(asked, np.concatenate(passages), np.stack([gold, gold + COUNT], axis=1))
    return max_at_r(found), complete_at(10, found)


def word_ranks(vectors, is_centred):
    """Max@R and Complete@10 of every word, by the package."""
    rows = ask.word_rows(load_lexicon(ask.LEXICON))
    vectors, languages = vectors[-len(rows) :], np.array([language for _, language, _ in rows])
    if is_centred:
        for language in set(languages):
            group = vectors[languages == language]
            vectors[languages == language] = unit_rows(group - group.mean(axis=0))
    concepts = np.array([concept for concept, *_ in rows])
    golds = [
        [other for other in np.flatnonzero(concepts == concepts[word]) if other != word] for word in range(len(rows))
    ]
    found = gold_ranks(vectors, vectors, np.array(golds), exclude=np.arange(len(rows)))
    return max_at_r(found), complete_at(10, found)


def as_shown(values):
    last, complete = values
    return [f"{np.mean(last):.1f}", f"{100 * np.mean(complete):.1f} %"]


def numbers(page):
    """What the table shows: before, and after."""
    cells = page.locator(".ask-numbers tbody td").all_text_contents()
    return [cells[0::2], cells[1::2]]


def places(page, side):
    return page.locator(f".ask-lists section:nth-of-type({side}) li").evaluate_all(
        "rows => rows.map(row => `${row.value} ${row.dataset.key}`)"
    )


@pytest.fixture
def opened(site, browser, troubles_of):
    """Open the page in a window, and make sure that it never complained."""
    contexts, trouble = [], []

    def open_page(width=1280, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, offline=True, **options))
        page = contexts[-1].new_page()
        trouble.append(troubles_of(page))
        page.goto(f"file://{site}/book/ask.html")
        page.locator(".ask-lists li").first.wait_for(timeout=20_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not any(trouble)


def choose(page, **values):
    for name, value in values.items():
        page.locator(f".ask select[name={name}]").select_option(value)
    page.wait_for_timeout(600)


@pytest.mark.parametrize(
    ("model", "own", "other"), [(E5, "zh", "en"), (E5, "ar", "th"), (USE, "en", "ru"), (USE, "de", "es")]
)
def test_the_page_shows_the_numbers_of_the_package(site, opened, model, own, other):
    page, vectors = opened(), vectors_of(site, model)
    choose(page, model=model, own=own, other=other)
    for remedy in REMEDIES:
        page.locator(f"input[value={remedy}]").check()
        expected = [as_shown(ranks(vectors, own, other, name)) for name in ("none", remedy)]
        assert numbers(page) == expected, remedy
    page.locator("input[value=both]").check()
    page.locator("input[name=share]").fill("50")
    assert numbers(page)[1] == as_shown(ranks(vectors, own, other, "both", 0.5))


@pytest.mark.parametrize("model", ask.MODELS)
def test_words_show_the_numbers_of_the_package(site, opened, model):
    page, vectors = opened(), vectors_of(site, model)
    page.locator("#ask-words").click()
    choose(page, model=model)
    assert numbers(page) == [as_shown(word_ranks(vectors, is_centred)) for is_centred in (False, True)]


def test_the_page_starts_where_it_hurts(site, opened):
    page, vectors = opened(), vectors_of(site, E5)
    before, after = (ranks(vectors, "zh", "en", remedy)[0] for remedy in ("none", "both"))
    worst = int(np.argmax(before - after))
    assert page.locator("select[name=item]").input_value() == str(worst)
    assert (
        f"English passage: place {before[worst]:.0f} → {after[worst]:.0f}"
        in page.locator(".ask-headline").text_content()
    )
    assert f"from place {before[worst]:.0f} to {after[worst]:.0f}" in page.locator("[role=status]").text_content()
    for side, last in ((1, before[worst]), (2, after[worst])):
        rows = page.locator(f".ask-lists section:nth-of-type({side}) li")
        assert rows.locator("[aria-label='right answer']").count() == 2
        assert rows.count() == 10 + (last > 10)
        assert rows.locator("p[lang=zh]").count() == rows.locator("p.ask-reading").count()  # each with its reading
        assert set(rows.locator(".ask-tag").all_text_contents()) <= {"Chinese", "English"}


def test_the_page_works_with_the_keyboard_alone(opened):
    page = opened(reduced_motion="reduce")
    active = "document.activeElement.name || document.activeElement.id"

    def tab_to(name):
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate(active) == name:
                return
        raise AssertionError(f"Tab does not reach {name}")

    tab_to("remedy")
    seen = {}
    for _ in REMEDIES:
        page.keyboard.press("ArrowDown")
        seen[page.evaluate("document.activeElement.value")] = places(page, 2)
    assert set(seen) == set(REMEDIES)
    assert seen["none"] == places(page, 1)
    assert seen["both"] != seen["none"] != seen["interleave"]
    assert [row.split()[0] for row in seen["interleave"][:3]] == ["1", "2", "3"]
    assert numbers(page)[0] != numbers(page)[1]  # language means on both sides, once round
    tab_to("share")
    page.keyboard.press("Home")
    assert places(page, 2) == places(page, 1)  # 0 % of the mean
    page.locator("#ask-questions").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(600)
    assert page.evaluate(active) == "ask-words"
    assert page.locator("#ask-words").get_attribute("aria-selected") == "true"
    assert "last translation" in page.locator("[role=status]").text_content()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_readable_in_both_looks_and_widths(opened, width):
    page = opened(width, color_scheme="light")
    choose(page, own="ar")
    assert page.locator(".ask-lists p[lang=ar]").first.get_attribute("dir") == "auto"
    page.add_style_tag(content="* { transition: none !important }")
    for tab in ("#ask-questions", "#ask-words"):
        page.locator(tab).click()
        page.wait_for_timeout(1200)
        for scheme, is_right in (("light", lambda mean: mean > 180), ("dark", lambda mean: mean < 90)):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(200)
            assert is_right(brightness(page)[0])
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    sides = page.locator(".ask-lists section").evaluate_all("all => all.map(side => side.getBoundingClientRect().x)")
    assert (sides[0] == sides[1]) == (width == 390)


def test_the_page_has_no_barriers(site, browser):
    page = browser.new_page(color_scheme="light")
    page.goto(f"file://{site}/book/ask.html")
    page.locator(".ask-lists li").first.wait_for(timeout=20_000)
    page.wait_for_timeout(800)
    assert not barriers(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert not barriers(page, structure=False)
    page.close()


def test_rows_move_only_where_motion_is_welcome(opened):
    for motion, is_moving in (("reduce", False), ("no-preference", True)):
        page = opened(reduced_motion=motion)
        page.wait_for_timeout(800)
        page.locator("input[value=none]").check()
        assert (
            page.evaluate("document.getAnimations().some(one => one.effect.target.closest('.ask-lists'))") == is_moving
        )


def test_the_page_with_both_models_is_light(site):
    files = [site / "book/ask.html", *(site / "book/ask").iterdir()]
    assert sum(path.stat().st_size for path in files) < 2e6
    assert {f"{model}.js" for model in ask.MODELS} < {path.name for path in files}


def test_eight_bits_move_the_numbers_little(site):
    data, lexicon = load_parallel("mini", ask.CODES), load_lexicon(ask.LEXICON)
    full, short = ask.encode_all(load_model(USE), data, lexicon), vectors_of(site, USE)
    for remedy in REMEDIES:
        one, other = (ranks(vectors, "zh", "en", remedy) for vectors in (full, short))
        assert np.mean(one[0]) == pytest.approx(np.mean(other[0]), abs=0.1)
        assert np.mean(one[1]) == pytest.approx(np.mean(other[1]), abs=0.02)
