"""The dial: readers choose how much of a map between languages is applied, and see what it finds and what it costs."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from importlib import resources
from typing import Any

import pandas as pd
from IPython.display import HTML
from jinja2 import Environment

from xlutils.datasets.languages import language_name

_MEASURES = ("across", "within")
_ENDS = ("", "_low", "_high")


def interactive_dial(tables: Mapping[str, pd.DataFrame], title: str) -> HTML:
    """Draw a curve per language from no map to the whole map, with a dial that moves a dot along one of them.

    :param tables: By model: `language` (a tag), `share` of the map that is applied (the same steps for each language),
        `across` (share of words that find their translation first), `within` (share of the neighbours of a word in
        its own language that the map left in place), and the ends of their intervals, such as `across_low` and
        `across_high`. A step without `across` or `within` is left out; so is a model without any step.
    :return: A piece of HTML that needs nothing else; its text is in `data`.
    """
    measured = {name: table.dropna(subset=list(_MEASURES)) for name, table in tables.items()}
    models = [{"name": name, **_curves(table)} for name, table in measured.items() if len(table)]
    files = resources.files("xlutils.plots")
    assets = {kind: (files / f"dial.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")}
    environment = Environment(autoescape=True, trim_blocks=True)  # the filter tojson also escapes "<"
    identity = hashlib.sha256(repr((models, title)).encode()).hexdigest()[:12]
    look = {"css": assets["css"], "script": assets["js"]}
    page = environment.from_string(assets["html"]).render(models=models, title=title, id=identity, **look)
    # Styles, script and data are ASCII, the rest becomes so: a page without a declared encoding reads it, too.
    return HTML(page.encode("ascii", "xmlcharrefreplace").decode())


def _curves(table: pd.DataFrame) -> dict[str, Any]:
    """Return the steps of a model, and its curves: first the mean, then the languages in the order of their names.

    The mean is that of the languages measured at every step, so that all of its steps are about the same languages.
    """
    table = table.assign(share=table["share"].round(4))  # 3 * 0.1 is 0.3
    shares = sorted(float(share) for share in table["share"].unique())
    languages = {str(tag): rows for tag, rows in table.groupby("language")}
    complete = table[table.groupby("language")["share"].transform("nunique") == len(shares)]
    mean = complete.groupby("share", as_index=False)[list(_MEASURES)].mean()
    averaged = {"tag": "", "name": "all languages (mean)", "count": int(complete["language"].nunique())}
    curves = [
        {"tag": tag, "name": language_name(tag), **_steps(languages[tag], shares)}
        for tag in sorted(languages, key=language_name)
    ]
    return {"shares": shares, "curves": [{**averaged, **_steps(mean, shares)}, *curves]}


def _steps(rows: pd.DataFrame, shares: list[float]) -> dict[str, Any]:
    """Return the estimates at each share (None where they are missing), and the first share that finds most."""
    at = {row["share"]: row for row in rows.sort_values("share").to_dict("records")}
    steps = [_estimates(at[share]) if share in at else None for share in shares]
    return {"steps": steps, "best": max(at, key=lambda share: at[share]["across"], default=None)}


def _estimates(row: dict[Hashable, Any]) -> dict[str, list[float | None]]:
    """Return the value, low and high of each measure."""
    return {measure: [_number(row.get(f"{measure}{end}")) for end in _ENDS] for measure in _MEASURES}


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else round(float(value), 4)
