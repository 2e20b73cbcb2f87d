"""Pages after Sphinx: no unused scripts, small icons, fonts for every script."""

import shutil
from pathlib import Path

import finish
import nbformat
import sphinx_book_theme
from fontTools.ttLib import TTFont

HEAD = """<html><head>
<script defer src="_static/scripts/fontawesome.js?digest=1"></script>
<script>const THEBE_JS_URL = "https://unpkg.com/thebe"; const thebe_selector = "x"</script>
<script async="async" src="_static/sphinx-thebe.js?v=1"></script>
<script src="_static/doctools.js"></script>
</head><body>{body}</body></html>"""


def test_unused_scripts_and_icons_are_removed(tmp_path):
    (tmp_path / "_static/scripts").mkdir(parents=True)
    for name in ("scripts/fontawesome.js", "a.js.map", "doctools.js"):
        (tmp_path / "_static" / name).write_text("")
    icons = tmp_path / "_static/vendor/fontawesome/webfonts/fa-solid-900.woff2"
    icons.parent.mkdir(parents=True)
    theme = Path(sphinx_book_theme.__file__).parents[1] / "pydata_sphinx_theme/theme/pydata_sphinx_theme/static"
    for kind in ("ttf", "woff2"):
        shutil.copy(next(theme.rglob(f"fa-solid-900.{kind}")), icons.parent)
    page = tmp_path / "page.html"
    page.write_text(HEAD.format(body='自由 and حرية, plain – text <i class="fa-solid fa-list"></i>'), encoding="utf-8")
    for _ in range(2):  # a second time changes nothing
        finish.finish(tmp_path)
        text = page.read_text(encoding="utf-8")
        assert "fontawesome" not in text
        assert "thebe" not in text
        assert "_static/doctools.js" in text
    assert icons.stat().st_size < 5_000
    codes = set(TTFont(icons).getBestCmap())
    assert {0xF03A, 0xF00D} <= codes  # a list, and a cross
    assert len(codes) < 12
    assert {path.name for path in (tmp_path / "_static").rglob("*.*") if path.suffix != ".woff2"} == {
        "doctools.js",
        "fonts.css",
    }


def test_fonts_are_reduced_to_the_characters_of_the_pages(tmp_path):
    finish.write_fonts(tmp_path, "the – Привет 自由 の 말 ภา है حرية")
    rules = (tmp_path / "fonts.css").read_text()
    covered = set()
    for path in tmp_path.glob("*.woff2"):
        codes = set(TTFont(path).getBestCmap())
        assert len(codes) < 30
        assert path.stat().st_size < 60_000
        covered |= codes
    for character in "自由の말ภาहैحرية":
        assert ord(character) in covered
        assert f"U+{ord(character):X}" in rules
    for character in "t–П":
        assert f"U+{ord(character):X}" not in rules


def test_a_character_brings_the_parts_that_it_is_drawn_with(tmp_path):
    finish.write_fonts(tmp_path, "น้ำ 자유")
    rules = (tmp_path / "fonts.css").read_text()
    for code in ("U+E33", "U+E4D", "U+E32"):
        assert code in rules
    assert "U+11" not in rules  # Korean syllables need no letters


def test_the_front_page_has_a_description_and_a_picture_and_no_page_a_mail_address(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_REPOSITORY", "https://github.com/Owner/book")
    (tmp_path / "book").mkdir()
    (tmp_path / "_static").mkdir()
    mail = '<a class="reference external" href="mailto:Complete&#37;&#52;&#48;10">Complete<span>&#64;</span>10</a>'
    for name in ("intro", "other"):
        (tmp_path / f"book/{name}.html").write_text(f"<html><head></head><body><p>{mail}</p></body></html>")
    for _ in range(2):  # a second time changes nothing
        finish.finish(tmp_path)
        front, other, index = (
            (tmp_path / name).read_text() for name in ("book/intro.html", "book/other.html", "index.html")
        )
        for page in (front, index):
            assert page.count('<meta name="description" content="A Jupyter Book') == 1
            assert '<meta property="og:image" content="https://owner.github.io/book/_static/preview.png" />' in page
        assert "og:image" not in other
        assert "<p>Complete<span>&#64;</span>10</p>" in other


def test_the_front_page_loads_its_own_chinese_only(tmp_path):
    finish.write_fonts(tmp_path, "自由经济 ภา", front="the 自由")
    codes = {path.name: set(TTFont(path).getBestCmap()) for path in tmp_path.glob("*.woff2")}
    holding = {character: [name for name in codes if ord(character) in codes[name]] for character in "自由经济ภา"}
    assert all(len(names) == 1 for names in holding.values())
    assert holding["自"] == holding["由"] != holding["经"] == holding["济"]
    assert holding["ภ"] == holding["า"]  # letters that are joined stay together
    assert (tmp_path / "fonts.css").read_text().count("@font-face") == len(codes) == 3


def test_a_notebook_to_download_has_no_outputs(tmp_path):
    path = tmp_path / "_sources/notebooks/n.ipynb"
    path.parent.mkdir(parents=True)
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("stream", text="1")], execution_count=1)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_markdown_cell("text")]), path)
    finish.clear_outputs(notebook := nbformat.read(path, as_version=4))
    assert [cell.source for cell in notebook.cells] == ["1", "text"]
    assert notebook.cells[0].outputs == []
    assert notebook.cells[0].execution_count is None
