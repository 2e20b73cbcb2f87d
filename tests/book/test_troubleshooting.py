"""Every message that the page explains is one that the code can raise."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "book/troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^\*\*`(.+?)`\*\*(?= )", PAGE, re.MULTILINE)


def text_of(node):
    """The text of a string in the code, with … for whatever it fills in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@pytest.fixture(scope="module")
def texts():
    files = (path.read_text(encoding="utf-8") for path in (ROOT / "xlutils").rglob("*.py"))
    return [text for file in files for node in ast.walk(ast.parse(file)) if (text := text_of(node))]


def test_the_page_explains_messages():
    assert len(MESSAGES) == len(set(MESSAGES)) == PAGE.count("\n**") > 15


@pytest.mark.parametrize("message", MESSAGES)
def test_the_code_says_so(message, texts):
    pieces = [piece.strip(" ;:,") for piece in message.removeprefix("parameter records_dir: ").split("…")]
    pattern = ".*".join(re.escape(piece) for piece in pieces if piece)
    assert any(re.search(pattern, text) for text in texts), message
