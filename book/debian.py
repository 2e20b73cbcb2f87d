"""Make the data set `debian` from the files of Debian's translation project.

python book/debian.py FOLDER       FOLDER holds Translation-en and Translation-<lang>, packed or not

They are at https://deb.debian.org/debian/dists/stable/main/i18n/. The short description of a package becomes a
question, the long one a passage. A language whose files are there already is not made again.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import hashlib
import json
import lzma
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from xlutils.datasets.languages import LANGUAGES, language_codes
from xlutils.datasets.text import are_in_script
from xlutils.errors import XlError

OPENERS: dict[str, Callable[..., IO[str]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, "": open}
EVALUATED = 495  # packages described in all languages
TRAINED = 2800  # triples per language
SHORTEST = 80  # characters of a passage
Texts = dict[str, tuple[str, str, str]]  # by the hash of the English description: package, short and long description


def main(arguments: Sequence[str] | None = None) -> None:
    """Write `eval.<lang>.jsonl.gz` for all languages and `train.<lang>.jsonl.gz` for all but English."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="folder of the files Translation-<lang>")
    parser.add_argument("--evaluate", default="de,fr,ja,es,ru,it,ko", help="languages of the questions")
    parser.add_argument("--train", default="de,es,fr,it,ja,ko,ru,zh", help="languages of the triples")
    parser.add_argument("--into", type=Path, default=Path("_build/data/debian"), help="folder to write into")
    options = parser.parse_args(arguments)
    asked, trained = (language_codes(names.split(",")) for names in (options.evaluate, options.train))
    options.into.mkdir(parents=True, exist_ok=True)
    english = distinct(read(options.folder, "en"))
    everywhere = {code: read(options.folder, code) for code in asked}
    shared = [key for key in english if all(usable(texts, key, english, code) for code, texts in everywhere.items())]
    chosen = sorted(shared, key=order)[:EVALUATED]
    if not chosen:
        raise XlError(f"no package is described in all of en, {', '.join(asked)}; take fewer languages in --evaluate")
    for code, texts in {"en": english, **everywhere}.items():
        fields = [("id", "query", "passage"), *((english[key][0], *texts[key][1:]) for key in chosen)]
        write(options.into / f"eval.{code}.jsonl.gz", fields)
    held_out = {text for key in chosen for text in english[key][1:]}
    for code in trained:
        path = options.into / f"train.{code}.jsonl.gz"
        if path.exists():
            print(f"{path.name} is there already")
            continue
        texts = everywhere.get(code) or read(options.folder, code)
        keys = [key for key in sorted(english, key=order) if usable(texts, key, english, code)]
        rows = [(*english[key], texts[key][2], code) for key in keys if not held_out & set(english[key][1:])]
        write(path, [("id", "query_en", "passage_en", "passage_tgt", "lang"), *rows[:TRAINED]])


def read(folder: Path, code: str) -> Texts:
    """Read the descriptions in one language."""
    names = [name for stem in (code, f"{code}_CN") for name in (f"Translation-{stem}{ending}" for ending in OPENERS)]
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise XlError(f"{folder.name} has no Translation-{code}; fetch it from Debian, packed or not")
    with OPENERS[path.suffix](path, "rt", encoding="utf-8") as file:
        return {key: texts for key, *texts in map(tuple, stanzas(file))}  # type: ignore[misc]


def stanzas(file: IO[str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield hash, package, short and long description, in the order of a file that is read line by line."""
    fields: dict[str, str] = {}
    long: list[str] = []
    for line in [*file, "\n"]:
        if line.startswith(" "):
            long.append(line.strip())
        elif line.strip():
            name, _, value = line.partition(":")
            fields["Description" if re.fullmatch(r"Description-(?!md5)\w+", name) else name] = value.strip()
        elif fields:
            paragraphs = re.split(r"(?:^|\n)\.(?:\n|$)", "\n".join(long))
            passage = "\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs if paragraph)
            yield fields["Description-md5"], fields["Package"], fields.get("Description", ""), passage
            fields, long = {}, []


def distinct(texts: Texts) -> Texts:
    """Leave out packages that repeat the description of another one."""
    seen: set[str] = set()
    kept = {}
    for key, (package, short, long) in texts.items():
        if not {short, long} & seen and len(long) >= SHORTEST:
            kept[key] = package, short, long
            seen |= {short, long}
    return kept


def usable(texts: Texts, key: str, english: Texts, code: str) -> bool:
    """Return whether a description is there, translated, and in the script of its language."""
    _, short, long = texts.get(key, ("", "", ""))
    is_translated = bool(short and long) and long != english[key][2] and short != english[key][1]
    return is_translated and all(are_in_script([long], LANGUAGES[code].script))


def order(key: str) -> str:
    """Return what packages are sorted by: at random, but the same in every run."""
    return hashlib.sha256(key.encode()).hexdigest()


def write(path: Path, rows: Sequence[tuple[str, ...]]) -> None:
    """Write rows, whose first one names the fields, as JSON lines, whole or not at all."""
    names, *rest = rows
    part = path.with_suffix(".part")
    with gzip.open(part, "wt", encoding="utf-8") as file:
        for row in rest:
            file.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")
    part.replace(path)
    print(f"{path.name}: {len(rest):,} rows", flush=True)


if __name__ == "__main__":
    main()
