"""How to cite the book, and what search engines and messengers show of it: both made from CITATION.cff."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import yaml
from launch import repository

ROOT = Path(__file__).resolve().parents[1]
PREVIEW = "_static/preview.png"  # in the site
_GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+)")


def read_citation() -> dict[str, Any]:
    """Return CITATION.cff, with the year of `_config.yml`."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return {**citation, "year": config["copyright"]}


def how_to_cite() -> str:
    """Return the message of CITATION.cff and an entry for BibTeX, as Markdown."""
    citation = read_citation()
    fields = {
        "title": f"{{{citation['title']}}}",
        "author": " and ".join(f"{{{_name(author)}}}" for author in citation["authors"]),
        "year": citation["year"],
        "version": citation["version"],
        "url": repository(),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([citation["message"], "", "```bibtex", "@software{alignment_book,", *lines, "}", "```"])


def meta_tags(up: str = "../") -> str:
    """Return the description and the picture of the book as tags for the head of a page.

    :param up: Path from the page to the root of the site; used where the address of the site is not known.
    """
    citation, known = read_citation(), _GITHUB.fullmatch(repository())
    address = f"https://{known[1].lower()}.github.io/{known[2]}/" if known else up
    named = {"description": citation["abstract"], "twitter:card": "summary_large_image"}
    properties = {
        "og:type": "book",
        "og:title": citation["title"],
        "og:description": citation["abstract"],
        "og:image": address + PREVIEW,
    }
    tags = [("name", *item) for item in named.items()] + [("property", *item) for item in properties.items()]
    return "\n".join(f'<meta {kind}="{name}" content="{html.escape(text)}" />' for kind, name, text in tags)


def _name(author: dict[str, str]) -> str:
    parts = [author.get(part, "") for part in ("given-names", "family-names")]
    return author.get("name") or " ".join(filter(None, parts))
