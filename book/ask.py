"""The data of the page "Ask the mixed pool", as scripts: texts, and the vectors of two models in eight bits.

A browser may not fetch files from a disk, but it may load a script, so each file assigns to one global object.
"""

from __future__ import annotations

import base64
import json
import shutil
import unicodedata
import zlib
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from execute import KEPT, fingerprint
from numpy.typing import NDArray

from xlutils import Encoder, Lexicon, XlError, load_lexicon, load_model
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.parallel import ParallelQA, load_parallel
from xlutils.metrics.geometry import unit_rows

MODELS = ("multilingual-e5-small-q4", "use-multilingual-v3")  # the first one is shown first
CODES = ("en", "zh", "es", "ar", "th", "de", "ru")  # those of chapter 3
LEXICON = "concepts-core"
_FINEST = 0.0015  # step; a smaller one adds bytes, but changes no number on the page
_WIDTH = 110  # of the opening of a passage, in Latin letters


def place_ask(folder: Path) -> None:
    """Put the script, the style and the data of the page in their place, reusing the data of an earlier build.

    :param folder: The folder `ask` beside the page.
    """
    kept = KEPT / f"ask-{fingerprint(Path(__file__))}"
    if not kept.exists():
        for old in KEPT.glob("ask-*"):
            shutil.rmtree(old)
        part = kept.with_suffix(".part")  # so that an interrupted build leaves no half of the data
        write_data(part)
        part.replace(kept)
    shutil.copytree(kept, folder)
    for name in ("ask.js", "ask.css"):
        shutil.copy(Path(__file__).with_name(name), folder)


def write_data(folder: Path) -> None:
    """Write the texts and the vectors of each model.

    :param folder: A folder to make.
    :raises SystemExit: If a model could not be loaded.
    """
    data, lexicon = load_parallel("mini", CODES), load_lexicon(LEXICON)
    folder.mkdir(parents=True)
    vectors = {name: _encode(name, data, lexicon) for name in MODELS}
    write_script(folder / "texts.js", "texts", texts(data, lexicon))
    for name, array in vectors.items():
        write_script(folder / f"{name}.js", name, packed(array))


def _encode(name: str, data: ParallelQA, lexicon: Lexicon) -> NDArray[np.float32]:
    try:
        return encode_all(load_model(name), data, lexicon)
    except XlError as error:
        raise SystemExit(f"the page 'Ask the mixed pool' needs {name}: {error}") from None


def encode_all(encoder: Encoder, data: ParallelQA, lexicon: Lexicon) -> NDArray[np.float32]:
    """Return the vectors of questions and passages, language by language, and then of the words: [n, dim]."""
    parts = []
    for code in data.languages:
        parts += [encoder.encode(data.queries[code], role="query"), encoder.encode(data.passages[code])]
    return np.concatenate([*parts, encoder.encode([word for *_, word in word_rows(lexicon)], role="word")])


def word_rows(lexicon: Lexicon) -> list[tuple[str, str, str]]:
    """Return every word as (concept, language, word), language by language."""
    return sorted(lexicon.rows(), key=lambda row: lexicon.languages.index(row[1]))


def texts(data: ParallelQA, lexicon: Lexicon) -> dict[str, Any]:
    """Return everything that the page shows and the position of the gold passage of each question."""
    return {
        "models": MODELS,
        "languages": {code: LANGUAGES[code].name for code in (*data.languages, *lexicon.languages)},
        "asked": data.languages,
        "questions": data.queries,
        "passages": {code: [opening(text) for text in passages] for code, passages in data.passages.items()},
        "gold": data.gold.tolist(),
        "words": word_rows(lexicon),
    }


def opening(text: str) -> str:
    """Return the beginning of a text; East Asian characters are twice as wide as others."""
    wide = (1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)
    end = sum(width <= _WIDTH for width in accumulate(wide))
    if end == len(text):
        return text
    return (text[:end].rpartition(" ")[0] or text[:end]).rstrip(" ,;:") + " …"


def packed(vectors: np.ndarray) -> dict[str, Any]:
    """Return vectors as the page reads them: one row of bytes per dimension, deflated, in base64."""
    numbers, steps = quantised(vectors)
    columns = np.ascontiguousarray(numbers.T).tobytes()
    return {"steps": steps.tolist(), "vectors": base64.b64encode(zlib.compress(columns, 9)).decode()}


def unpacked(content: dict[str, Any]) -> NDArray[np.float32]:
    """Return the vectors that the page computes with: [n, dim], of unit length."""
    columns = np.frombuffer(zlib.decompress(base64.b64decode(content["vectors"])), np.int8)
    steps = np.array(content["steps"])
    return unit_rows(columns.reshape(len(steps), -1).T * steps)


def quantised(vectors: np.ndarray) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Return vectors in eight bits, int8 [n, dim], and the step of each dimension, float64 [dim].

    The vectors are first turned onto their principal axes. That changes no cosine and leaves most numbers near zero,
    so that they compress well.
    """
    axes = np.linalg.svd(vectors.astype(np.float64), full_matrices=False)[2]
    turned = vectors @ axes.T
    steps = np.maximum(np.abs(turned).max(axis=0) / 127, _FINEST).round(6)
    return np.clip(np.round(turned / steps), -127, 127).astype(np.int8), steps


def write_script(path: Path, name: str, content: dict[str, Any]) -> None:
    """Write a script that stores content under a name."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f"(window.askData ??= {{}})[{json.dumps(name)}] = {text};\n", encoding="utf-8")
