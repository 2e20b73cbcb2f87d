"""The pages of the book."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def pages():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    sections = [section for chapter in chapters for section in chapter.get("sections", ())]
    return [toc["root"], *(each["file"] for each in (*chapters, *sections))]
