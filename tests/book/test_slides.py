"""Slides are made from executed notebooks."""

import hashlib

import nbformat
import pytest
import slides
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

TEXT = """# A title

Words of {doc}`chapter 1 <01_concepts>`.

## A method

$$\\frac{1}{2}$$

![A drawing](../book/images/method.svg)
"""
EXERCISE = "## Exercises\n\n````{exercise}\n:label: one\n\nHard.\n````\n"


def notebook():
    outputs = [
        new_output("display_data", {"image/png": "aGk="}),
        new_output("display_data", {"text/html": "<table><tr><td>1</td></tr></table>", "text/plain": "1"}),
        new_output("display_data", {"text/html": "<div></div><script>draw()</script><table></table>"}),
        new_output("display_data", {"text/markdown": "- **so** it is"}),
        new_output("display_data", {"text/plain": "<Figure>"}),
    ]
    shown = new_code_cell("secret()", outputs=outputs, metadata={"mystnb": {"image": {"alt": 'What "is" it?'}}})
    hidden = new_code_cell("x", outputs=outputs[1:2], metadata={"tags": ["hide-output"]})
    cells = [new_markdown_cell(TEXT), shown, hidden, new_markdown_cell(EXERCISE)]
    return new_notebook(cells=cells)


def test_there_is_one_stack_per_heading_and_one_slide_per_figure():
    first, second = slides.stacks_of(notebook())
    assert first == ["<h1>A title</h1>\n<p>Words of chapter 1.</p>\n"]
    assert "<h2>A method</h2>" in second[0]
    assert "<mfrac>" in second[0]
    assert 'src="../_images/method.svg"' in second[0]
    name = hashlib.sha256(b"hi").hexdigest()
    assert second[1] == f'<img src="../_images/{name}.png" alt="What &quot;is&quot; it?">'
    assert "<td>1</td>" in second[2]
    assert "<strong>so</strong>" in second[3]
    assert len(second) == 4
    assert "secret" not in "".join(second)


def test_slides_that_say_nothing_are_left_out():
    silent = new_markdown_cell("## Training\n\nThe step, with both losses:")
    cells = [new_markdown_cell("# A title"), silent, new_code_cell("step()"), new_markdown_cell(EXERCISE)]
    assert list(slides.stacks_of(new_notebook(cells=cells))) == [["<h1>A title</h1>\n"]]
    (_, announced) = slides.stacks_of(new_notebook(cells=[cells[0], silent, notebook().cells[1]]))
    assert announced[0].startswith("<h2>Training</h2>\n<p>The step, with both losses:</p>\n<img")


def test_the_drawing_in_a_long_text_has_a_slide_of_its_own():
    text = f"# A title\n\n{'Many words. ' * 60}\n\n![A drawing](drawing.svg)\n\nWhat to see."
    ((words, drawing),) = slides.stacks_of(new_notebook(cells=[new_markdown_cell(text)]))
    assert "<img" not in words
    assert drawing.startswith("<p><img")
    assert "What to see." in drawing


def test_a_figure_after_a_short_text_shares_its_slide():
    (stack,) = slides.stacks_of(new_notebook(cells=[new_markdown_cell("## Short\n\nSee:"), notebook().cells[1]]))
    assert "See:" in stack[0]
    assert "<img" in stack[0]
    assert len(stack) == 3


def test_slides_work_offline(tmp_path):
    path = tmp_path / "page.ipynb"
    nbformat.write(notebook(), path)
    slides.write_slides([path], tmp_path / "slides")
    text = (tmp_path / "slides/page.html").read_text()
    assert "<title>A title</title>" in text
    assert "https://" not in text
    assert (tmp_path / "slides/reveal/reveal.js").stat().st_size > 50_000


@pytest.mark.slow
def test_no_slide_is_larger_than_the_screen(tmp_path, browser):
    """A table of thirty columns and a text of three hundred words."""
    row = "".join(f"<td>{number}.123</td>" for number in range(18))
    table = new_output("display_data", {"text/html": f"<table>{f'<tr>{row}</tr>' * 24}</table>"})
    words = new_markdown_cell(f"## Much to say\n\n{'Nine words of text that nobody will ever read. ' * 35}")
    cells = [new_markdown_cell("# A title"), words, new_code_cell("table", outputs=[table])]
    nbformat.write(new_notebook(cells=cells), tmp_path / "page.ipynb")
    slides.write_slides([tmp_path / "page.ipynb"], tmp_path / "slides")
    page = browser.new_page(viewport={"width": 1200, "height": 760})
    page.goto((tmp_path / "slides/page.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        box = page.locator("section.present:not(.stack) > div")
        assert box.evaluate("box => box.scrollHeight <= box.clientHeight + 1"), number
        for wide in box.locator(".wide").all():
            assert wide.evaluate("table => table.scrollWidth <= table.clientWidth + 1")
        page.evaluate("Reveal.next()")
    page.close()
