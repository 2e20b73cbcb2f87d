"""Chapter 7: a table in JupyterLab in which a person marks pairs that belong together, and those that do not."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas as pd

from xlutils.chapters.corrections import COLUMNS, read_corrections
from xlutils.errors import require

_YES, _NO = "yes", "no"


def review(worst: pd.DataFrame, language: str, path: str | Path) -> Any:
    """Return a box of widgets, one line per pair, with a choice of yes and no and a field for the right partner.

    Every mark is written to the file at once. Marks that the file has already are shown, and none of them is lost.

    :param worst: As from `worst_pairs`.
    :param language: Tag of the language of the words.
    :param path: A CSV for `read_corrections`.
    """
    require("ipywidgets", "review")
    import ipywidgets

    others = {mark[:3]: mark.belongs for mark in (read_corrections(path) if Path(path).is_file() else ())}
    lines: list[tuple[str, str, Any, Any]] = []

    def save(change: object = None) -> None:
        marks = dict(others)
        for word, partner, choice, right in lines:
            if choice.value:
                marks[language, word, partner] = choice.value == _YES
            if choice.value == _NO and right.value.strip():
                marks[language, word, right.value.strip()] = True
        part = Path(f"{path}.part")  # an interrupted write loses no mark
        with part.open("w", encoding="utf-8", newline="") as file:
            rows = ([*key, _YES if belongs else _NO] for key, belongs in marks.items())
            csv.writer(file).writerows([COLUMNS, *rows])
        part.replace(path)

    for word, partner in worst[["word", "partner"]].itertuples(index=False):
        known, options = others.pop((language, word, partner), None), [("?", ""), (_YES, _YES), (_NO, _NO)]
        given = "" if known is None else _YES if known else _NO
        right = ""
        if given == _NO:
            right = next(
                (other for (*of, other), is_right in others.items() if of == [language, word] and is_right), ""
            )
        others.pop((language, word, right), None)
        fields = ipywidgets.ToggleButtons(options=options, value=given), ipywidgets.Text(right, placeholder="right one")
        lines.append((word, partner, *fields))
        for field in fields:
            field.observe(save, "value")
    rows = [ipywidgets.HBox([*map(ipywidgets.Label, (word, partner)), *fields]) for word, partner, *fields in lines]
    return ipywidgets.VBox(rows)
