"""Slides are made from executed notebooks."""

import nbformat
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
    first, second, third = slides.stacks_of(notebook())
    assert first == ["<h1>A title</h1>\n<p>Words of chapter 1.</p>\n"]
    assert "<h2>A method</h2>" in second[0]
    assert "<mfrac>" in second[0]
    assert 'src="../_images/method.svg"' in second[0]
    assert second[1] == '<img src="data:image/png;base64,aGk=" alt="What &quot;is&quot; it?">'
    assert "<td>1</td>" in second[2]
    assert "<strong>so</strong>" in second[3]
    assert len(second) == 4
    assert "secret" not in "".join(second)
    assert third == ["<h2>Exercises</h2>\n"]


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
