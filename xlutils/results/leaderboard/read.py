"""Read the leaderboard from records, and put next to it what others reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xlutils.datasets.reported import load_reported
from xlutils.datasets.scenarios import PIVOT
from xlutils.errors import XlError
from xlutils.models.catalogue import CATALOGUE, find_card
from xlutils.results.leaderboard.scores import Board, Column, Kind, Row, Source, What
from xlutils.results.record import find_records, read_record

LEXICONS = ("everyday", "culture", "untranslatable", "oracle-bone")
CONCEPTS = "concepts-extended"
FIRST_SET = "xquad.unique"  # the question set that the board opens with, if it was measured
_RETRIEVAL = "mixed-retrieval"
_CONTROLS = ("ngram-hash", "random")  # back ends
_SETTINGS = ("protocol", "k", "distance", "role", "scenarios")
_EVEN = 0.5  # share of questions whose language comes first if no language is preferred
_SA = "Semantic Affinity: how much nearer translations are than other words, 0 to 1"
_BY_LANGUAGE = (  # metric, heading, what it says
    ("complete@10", "Complete@10", "questions with both passages among the first ten, in a hundred"),
    ("max@r_norm/mean-rank", "Max@R norm", "how far down the later of both passages is: 100 is best, 0 worst"),
)

Version = tuple[str, str]  # name and fingerprint of a model
Stored = tuple[dict[str, Any], Path]  # a record and its path


def read_board(folders: Iterable[str | Path]) -> Board:
    """Read the leaderboard from folders of records; a record of a later folder replaces the same one of an earlier.

    A column compares only what was measured on the same data in the same way: where records of the same name differ
    in that, the edition that most models share stays, and the other records are listed as left out.
    """
    records, left_out = _find(folders)
    rows: dict[Version, dict[What, Stored]] = {}
    for what, by_version in records.items():
        main = _main_edition(content for content, _ in by_version.values())
        for version, (content, path) in by_version.items():
            if _edition(content) == main:
                rows.setdefault(version, {})[what] = content, path
            else:
                why = "measured on other data, languages or scenarios than the rest"
                left_out.append(f"{version[0]}, {'/'.join(what)}: {why}")
    measured = [_measured(version, records, rows) for version, records in sorted(rows.items())]
    everyone = (*measured, *_reported())
    return Board(everyone, tuple(list_columns(everyone)), tuple(left_out))


def _find(folders: Iterable[str | Path]) -> tuple[dict[What, dict[Version, Stored]], list[str]]:
    """Read all records, and the complaints about those that are invalid."""
    records: dict[What, dict[Version, Stored]] = {}
    complaints = []
    for path in (path for folder in folders for path in find_records(folder)):
        try:
            content = read_record(path)
        except XlError as error:
            complaints.append(str(error))
            continue
        version = content["model"]["name"], content["model"]["fingerprint"]
        records.setdefault((content["experiment"], path.stem), {})[version] = content, path
    return records, complaints


def _edition(content: Mapping[str, Any]) -> str:
    settings = {name: content["params"].get(name) for name in _SETTINGS}
    return repr((content["dataset"]["sha256"], sorted(content["dataset"]["languages"]), settings))


def _main_edition(contents: Iterable[Mapping[str, Any]]) -> str:
    """Return the edition of the data that most models share; of two, the newer one."""
    dates = sorted((content["created"], _edition(content)) for content in contents)
    counts, newest = Counter(edition for _, edition in dates), {edition: date for date, edition in dates}
    return max(counts, key=lambda edition: (counts[edition], newest[edition]))


def _measured(version: Version, records: Mapping[What, Stored], everyone: Iterable[Version]) -> Row:
    name, fingerprint = version
    has_versions = sum(other == name for other, _ in everyone) > 1
    label = f"{name} ({fingerprint[:6]})" if has_versions else name
    card = find_card(name)
    kind: Kind = "control" if card and card.backend in _CONTROLS else "measured"
    contents = {what: content for what, (content, _) in records.items()}
    paths = {what: str(path) for what, (_, path) in records.items()}
    return Row(name, label, kind, next(iter(contents.values()))["model"]["revision"], contents, paths)


def _reported() -> Iterator[Row]:
    """Build rows of what others published, without means and questions in English, which come from other pools."""
    words = load_reported("semantic-affinity")
    for name, value in words.loc[words["item"].isin(list(CATALOGUE)), ["item", "value"]].itertuples(index=False):
        yield Row(name, name, "reported", words.attrs["source"], reported={"sa": value})
    questions = load_reported(_RETRIEVAL)
    source = questions.attrs["source"]
    questions = questions[questions["query"] == questions["target"]]
    for (name, trained), table in questions.groupby(["model", "trained"], sort=False):
        numbers = {
            f"{line['dataset']}.paper/{line['query']}/{metric}": float(line[metric])
            for line in table.to_dict("records")
            for metric in ("complete@10", "max@r_norm")
        }
        label = f"{name}, trained" if trained == "yes" else str(name)
        yield Row(str(name), label, "reported", source, reported=numbers)


def list_columns(rows: Sequence[Row]) -> list[Column]:
    """List the columns in which some row has a score."""
    questions = (column for stem in question_sets(rows) for column in _question_columns(stem, rows))
    return [column for column in (*_word_columns(), *questions) if any(row.score(column) for row in rows)]


def question_sets(rows: Iterable[Row]) -> list[str]:
    """List the question sets by file name: the main one, the others that were measured, and the reported ones."""
    rows = list(rows)
    measured = {stem for row in rows for experiment, stem in row.contents if experiment == _RETRIEVAL}
    reported = {key.split("/")[0] for row in rows for key in row.reported if "/" in key}
    return sorted(measured | reported, key=lambda stem: (stem != FIRST_SET, stem not in measured, stem))


def _word_columns() -> Iterator[Column]:
    sources: list[Source] = [("semantic-affinity", lexicon, "sa") for lexicon in LEXICONS]
    yield Column("sa", "SA", f"{_SA}; mean over {', '.join(LEXICONS)}", tuple(sources), form=".3f")
    for source in sources:
        name = source[1]
        yield Column(f"sa/{name}", f"SA, {name}", f"{_SA}; words of {name}", (source,), form=".3f", is_detail=True)
    overall = "concept-alignment", CONCEPTS, "overall"
    yield Column("concepts", "Concepts", "Overall score of concept alignment, 0 to 1", (overall,), form=".3f")


def _question_columns(stem: str, rows: Sequence[Row]) -> Iterator[Column]:
    targets = _targets(stem, rows)
    for metric, heading, about in _BY_LANGUAGE:
        short = metric.split("/")[0]
        mean = _RETRIEVAL, stem, f"mean/multi/{metric}"
        yield Column(f"{stem}/{short}", heading, f"{about}; mean over all languages", (mean,), questions=stem)
        for code in (PIVOT, *targets):
            pools = targets if code == PIVOT else [code]
            asked = tuple((_RETRIEVAL, stem, f"multi/{PIVOT}+{target}/{code}/{metric}") for target in pools)
            yield Column(
                f"{stem}/{code}/{short}",
                f"{heading}, {code}",
                f"{about}; asked in {code}",
                asked,
                questions=stem,
                language=code,
                is_detail=True,
                same_items=True,
            )
    bias = _RETRIEVAL, stem, "mean/multi/own-first"
    about = "share of questions for which the gold passage in their language ranks first; 0.5 is even"
    yield Column(f"{stem}/bias", "Own first", about, (bias,), best=_EVEN, form=".2f", questions=stem)
    gain = _RETRIEVAL, stem, "change/centring/complete@10"
    about = "points of Complete@10 gained when each language is centred, without training"
    yield Column(f"{stem}/gain", "Centring", about, (gain,), questions=stem, form="+.1f")


def _targets(stem: str, rows: Sequence[Row]) -> list[str]:
    """List the languages that are paired with English in a question set."""
    codes: dict[str, None] = {}
    for row in rows:
        names = [name.split("/") for name in row.contents.get((_RETRIEVAL, stem), {"metrics": ()})["metrics"]]
        pools = [parts[1].split("+") for parts in names if parts[0] == "multi"]
        codes |= {pool[1]: None for pool in pools if len(pool) == 2 and pool[0] == PIVOT}
        codes |= {key.split("/")[1]: None for key in row.reported if key.startswith(f"{stem}/")}
    return [code for code in codes if code != PIVOT]
