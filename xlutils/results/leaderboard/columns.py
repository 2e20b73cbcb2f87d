"""Which measures the leaderboard shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xlutils.datasets.scenarios import PIVOT
from xlutils.results.leaderboard.scores import Column, Row, Source

LEXICONS = ("everyday", "culture", "untranslatable", "oracle-bone")
CONCEPTS = "concepts-extended"
FIRST_SET = "xquad.unique"  # the questions that the board opens with, if there are any
_EVEN = 0.5  # share of questions whose own language comes first where no language is preferred
_RETRIEVAL = "mixed-retrieval"


def list_columns(rows: Sequence[Row]) -> list[Column]:
    """List the columns that some row has a score in."""
    columns = [*_word_columns(), *(each for stem in question_sets(rows) for each in _question_columns(stem, rows))]
    return [column for column in columns if any(row.score(column) for row in rows)]


def question_sets(rows: Iterable[Row]) -> list[str]:
    """List the question sets, as stems of records: the main one, others that were measured, and the reported."""
    rows = list(rows)
    measured = {stem for row in rows for experiment, stem in row.contents if experiment == _RETRIEVAL}
    reported = {key.split("/")[0] for row in rows for key in row.reported if "/" in key}
    return sorted(measured | reported, key=lambda stem: (stem != FIRST_SET, stem not in measured, stem))


def _word_columns() -> Iterable[Column]:
    sources: list[Source] = [("semantic-affinity", lexicon, "sa") for lexicon in LEXICONS]
    about = "Semantic Affinity: how much nearer translations are than other words, 0 to 1"
    yield Column("sa", "SA", f"{about}; mean over {', '.join(LEXICONS)}", tuple(sources), form=".3f")
    for source in sources:
        name = source[1]
        yield Column(f"sa/{name}", f"SA, {name}", f"{about}; words of {name}", (source,), form=".3f", is_detail=True)
    overall = "concept-alignment", CONCEPTS, "overall"
    yield Column("concepts", "Concepts", "Overall score of concept alignment, 0 to 1", (overall,), form=".3f")


def _question_columns(stem: str, rows: Sequence[Row]) -> Iterable[Column]:
    targets = _targets(stem, rows)
    for metric, heading, about in (
        ("complete@10", "Complete@10", "questions with both passages among the first ten, in a hundred"),
        ("max@r_norm/mean-rank", "Max@R norm", "how far down the later of both passages is: 100 is best, 0 worst"),
    ):
        short = metric.split("/")[0]
        mean = _RETRIEVAL, stem, f"mean/multi/{metric}"
        yield Column(f"{stem}/{short}", heading, f"{about}; mean over all languages", (mean,), questions=stem)
        for code in (PIVOT, *targets):
            pools = targets if code == PIVOT else [code]
            asked = tuple((_RETRIEVAL, stem, f"multi/{PIVOT}+{each}/{code}/{metric}") for each in pools)
            yield Column(
                f"{stem}/{code}/{short}", f"{heading}, {code}", f"{about}; asked in {code}", asked, questions=stem,
                language=code, is_detail=True, same_items=True,
            )  # fmt: skip
    own = _RETRIEVAL, stem, "mean/multi/own-first"
    about = "share of questions whose own language comes first; 0.5 is even"
    yield Column(f"{stem}/bias", "Own first", about, (own,), best=_EVEN, form=".2f", questions=stem)
    gain = _RETRIEVAL, stem, "change/centring/complete@10"
    about = "points of Complete@10 gained when each language is centred, without training"
    yield Column(f"{stem}/gain", "Centring", about, (gain,), questions=stem, form="+.1f")


def _targets(stem: str, rows: Sequence[Row]) -> list[str]:
    """List the languages that stand beside English in a question set."""
    found: dict[str, None] = {}
    for row in rows:
        names = [name.split("/") for name in row.contents.get((_RETRIEVAL, stem), {"metrics": ()})["metrics"]]
        pools = [parts[1].split("+") for parts in names if parts[0] == "multi"]
        found |= {pool[1]: None for pool in pools if len(pool) == 2 and pool[0] == PIVOT}
        found |= {key.split("/")[1]: None for key in row.reported if key.startswith(f"{stem}/")}
    return [code for code in found if code != PIVOT]
