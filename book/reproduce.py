"""The generated parts of the page Reproduce: the run lists, their state, and the tables for which there are records."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from generated import RECORDS, ROOT, html_table

from xlutils.chapters.affinity_claims import affinity_claims
from xlutils.chapters.atlas_claims import atlas_claims
from xlutils.chapters.claims import NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED
from xlutils.chapters.concept_claims import concept_claims
from xlutils.chapters.map_tables import MAPS, map_claims
from xlutils.chapters.paper_rows import MEASURED, REPORTED
from xlutils.chapters.paper_tables import TABLES, with_records
from xlutils.chapters.production import production_claims
from xlutils.chapters.relation_tables import relation_claims
from xlutils.chapters.retrieval_claims import retrieval_claims
from xlutils.chapters.training_claims import training_claims
from xlutils.results.record import find_records, read_record
from xlutils.runs.lists import Planned, RunList, load_list, make_plan, records_on
from xlutils.runs.reach import needs

LISTS = ROOT / "runs"
TITLES = {  # of the tables, see `chapters.paper_tables.TABLES`
    "affinity": "Semantic Affinity in English and Chinese",
    "concepts": "The concept study",
    "mixed": "Tables 1 and 4 of Hong et al.: English and another language in one pool",
    "asked": "Figure 2 of Hong et al.: how much higher a metric is if asked in the target language, not in English",
    "mono": "Tables 2 and 5 of Hong et al.: NDCG@1 in pools of one language",
    "multi-1": "Figures 3 and 4 of Hong et al.: NDCG@1 without the gold passage in the language of the query",
    "ablation": "Table 3 of Hong et al.: norm of Max@R by losses",
}
_CHAPTERS = {  # of the claims: source, and page
    "concepts": ("Cross-Lingual Knowledge Alignment Analysis", "/notebooks/01_concept_alignment"),
    "affinity": ("Semantic Affinity, arXiv:2601.09732", "/notebooks/02_semantic_affinity"),
    "retrieval": ("Hong et al., models as published", "/notebooks/03_mixed_language_retrieval"),
    "training": ("Hong et al., their training", "/notebooks/04_finetune_alignment"),
    "atlas": ("Model cards, and the concept study on scripts", "/notebooks/05_language_atlas"),
    "relations": ("What is said of relations between meanings", "/notebooks/06_relations"),
    "maps": ("What is said of maps between spaces", "/notebooks/07_maps"),
    "production": ("What is said of systems in production", "/notebooks/08_production"),
}
_TRAINED = f"{MEASURED}, "  # start of the source of a trained model, which names the training
_HEADINGS = ("Table or figure", "Command", "Protocol", "Recorded", "Other models recorded", "Needs", "Can run here")


@dataclass(frozen=True)
class Part:
    """A run list and what is known about its cells."""

    wanted: RunList
    plan: list[Planned]


def write_reproduce(folder: Path, records: Path = RECORDS) -> None:
    """Write the table of lists, and the tables of the papers, to files that the page includes."""
    parts = [read_part(path, records) for path in sorted(LISTS.glob("*.toml"))]
    data = [name for part in parts for name in part.wanted.data()]
    paths = records_on(list(dict.fromkeys(data)), [records])
    tables = {name: TABLES[name](paths) for name in TITLES}
    (folder / "lists.html").write_text(lists_table(parts, tables), encoding="utf-8")
    (folder / "papers.md").write_text(sections(tables) + "\n", encoding="utf-8")
    (folder / "claims.md").write_text(claim_sections(read_claims(records, paths)) + "\n", encoding="utf-8")


def read_claims(records: Path, listed: Iterable[Path]) -> dict[str, pd.DataFrame]:
    """Check the claims of all chapters against records.

    :param listed: Records on the data of the run lists; trainings on other data only chose settings.
    """
    return {
        "concepts": concept_claims(records),
        "affinity": affinity_claims(records),
        "retrieval": retrieval_claims(find_records(records, "mixed-retrieval")),
        "training": training_claims(path for path in listed if path.parents[1].name == "finetune"),
        "atlas": atlas_claims(map(read_record, find_records(records, "language-atlas"))),
        "relations": relation_claims(map(read_record, find_records(records, "relations"))),
        "maps": map_claims(read_record(path) for name in MAPS for path in find_records(records, name)),
        "production": production_claims(records),
    }


def claim_sections(claims: Mapping[str, pd.DataFrame]) -> str:
    """Return the claims by source as Markdown with HTML: a count for each verdict, and a row for each model."""
    texts = [f"All verdicts together: {count_verdicts(pd.concat(claims.values()))}."]
    for name, table in claims.items():
        if len(table):
            source, page = _CHAPTERS[name]
            about = f"{count_verdicts(table)}. {{doc}}`How they are measured <{page}>`."
            texts.append(f"### {source}\n\n{about}\n\n```{{raw}} html\n{claims_html(table, source)}\n```")
    return "\n\n".join(texts)


def count_verdicts(table: pd.DataFrame) -> str:
    """Return how often there is each verdict, such as `3 reproduced, 1 not reproduced, 2 not testable here`."""
    counts = table["verdict"].value_counts()
    return ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in (REPRODUCED, NOT_REPRODUCED, NOT_TESTABLE))


def claims_html(table: pd.DataFrame, label: str) -> str:
    """Return an HTML table in which each claim has a heading with what would show it."""
    headings, rows = ("Tested on", "Value", "Verdict", "Why"), []
    for (claim, shown_by), group in table.groupby(["claim", "shown by"], sort=False):
        text = f"{html.escape(str(claim))}<small>{html.escape(str(shown_by))}</small>"
        rows.append(f'<th scope="rowgroup" colspan="{len(headings)}">{text}</th>')
        for model, row in group.iterrows():
            cells = (html.escape(row["value"]), row["verdict"], html.escape(row["why"]))
            first = html.escape(str(model))
            rows.append(f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in cells))
    known = f'"wide-table claims" role="region" aria-label="Claims: {html.escape(label, quote=True)}"'
    return html_table(headings, rows).replace('"wide-table"', known, 1)


def read_part(path: Path, records: Path) -> Part:
    """Read a run list and look for its records."""
    wanted = load_list(path)
    return Part(wanted, make_plan(wanted.cells({}), str(records / "none"), [records]))


def measured_models(table: pd.DataFrame, source: str = MEASURED) -> list[str]:
    """Return the models of a table that were measured here.

    :param source: Start of the source of their rows.
    """
    index = table.index if "source" in table.index.names else table.columns
    pairs = zip(index.get_level_values("model"), index.get_level_values("source"), strict=True)
    return list(dict.fromkeys(str(model) for model, text in pairs if str(text).startswith(source)))


def lists_table(parts: Iterable[Part], tables: Mapping[str, pd.DataFrame]) -> str:
    """Return an HTML table of the run lists: command, protocol, what is recorded, and what a run needs."""
    rows = []
    for part in parts:
        recorded = [entry.cell.model for entry in part.plan if entry.state.startswith("recorded")]
        chosen = {str(entry.cell.values().get("protocol", "")) for entry in part.plan}
        ready = sum(not entry.lacks for entry in part.plan)
        listed = {entry.cell.model for entry in part.plan}
        source = _TRAINED if part.wanted.chapter == "4" else MEASURED
        measured = dict.fromkeys(
            model for name in part.wanted.tables for model in measured_models(tables[name], source)
        )
        everything = dict.fromkeys(need.what for entry in part.plan for need in needs(entry.cell))
        cells = (
            f"{len(recorded)} of {len(part.plan)} runs{_in_brackets(dict.fromkeys(recorded))}",
            ", ".join(name for name in measured if name not in listed) or "–",
            ", ".join(everything) or "nothing else",
            f"{ready} of {len(part.plan)} runs",
        )
        command = f"<code>xl sweep runs/{html.escape(part.wanted.name)}.toml</code>"
        protocol = ", ".join(sorted(chosen)) or "–"
        texts = [html.escape(protocol), *map(html.escape, cells)]
        name = f"{html.escape(part.wanted.source)}<small>{html.escape(part.wanted.title)}</small>"
        rows.append(f'<th scope="row">{name}</th><td>{command}</td>' + "".join(f"<td>{text}</td>" for text in texts))
    return html_table(_HEADINGS, rows).replace('"wide-table"', '"wide-table lists"', 1)


def _in_brackets(names: Iterable[str]) -> str:
    return f" ({text})" if (text := ", ".join(names)) else ""


def sections(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return the tables as Markdown with HTML, without those in which nothing is measured."""
    texts = []
    for name, table in tables.items():
        if len(shown := with_records(table)):
            texts.append(f"### {TITLES[name]}\n\n```{{raw}} html\n{paper_html(shown, TITLES[name])}\n```")
    return "\n\n".join(texts)


def paper_html(table: pd.DataFrame, label: str) -> str:
    """Return a table in HTML, in which each model has a heading, and reported values have a dashed border."""
    levels = [str(name) for name in table.index.names if name != "model"]
    headings = [*levels, *(", ".join(_names(column)) for column in table.columns)]
    rows, last = [], None
    for keys, cells in zip(table.index, table.to_numpy(), strict=True):
        names = dict(zip(table.index.names, map(str, keys), strict=True))
        model = names.pop("model", None)
        if model != last:
            rows.append(f'<th scope="rowgroup" colspan="{len(headings)}">{html.escape(str(model))}</th>')
            last = model
        first, *others = (_split(name, ", ") for name in names.values())
        sources = [REPORTED in (names.get("source"), *_names(column)) for column in table.columns]
        texts = [_cell(str(text), source) for text, source in zip(cells, sources, strict=True)]
        rows.append(f'<th scope="row">{first}</th>' + "".join(f"<td>{text}</td>" for text in (*others, *texts)))
    known = f'"wide-table paper" role="region" aria-label="{html.escape(label, quote=True)}"'
    return html_table(headings, rows).replace('"wide-table"', known, 1)


def _names(column: object) -> list[str]:
    return list(map(str, column if isinstance(column, tuple) else (column,)))


def _cell(text: str, is_reported: bool) -> str:
    return f'<span class="reported">{html.escape(text)}</span>' if is_reported and text else _split(text, " (")


def _split(text: str, mark: str) -> str:
    """Return text in HTML, with what comes after a mark in small letters."""
    value, _, more = html.escape(text.removesuffix(")")).partition(mark)
    return f"{value}<small>{more}</small>" if more else value
