"""Read the leaderboard from records, and set beside it what others reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from xlutils.datasets.reported import load_reported
from xlutils.errors import XlError
from xlutils.models.catalogue import CATALOGUE, find_card
from xlutils.results.leaderboard.columns import list_columns
from xlutils.results.leaderboard.scores import Board, Kind, Row
from xlutils.results.record import find_records, read_record

_CONTROLS = ("ngram-hash", "random")
_SETTINGS = ("protocol", "k", "distance", "role", "scenarios")

What = tuple[str, str]  # experiment and stem
Version = tuple[str, str]  # name and fingerprint of a model
Found = tuple[dict[str, Any], Path]


def read_board(folders: Iterable[str | Path]) -> Board:
    """Read the leaderboard from folders of records; of two records of the same, that of the later folder counts.

    Only what was measured on the same data stands in one column: where records of a name differ in that, those of
    most models are taken and the others are named.
    """
    found, left_out = _find(folders)
    rows: dict[Version, dict[What, Found]] = {}
    for what, by_version in found.items():
        main = _main_edition(content for content, _ in by_version.values())
        for version, (content, path) in by_version.items():
            if _edition(content) == main:
                rows.setdefault(version, {})[what] = content, path
            else:
                why = "measured on other data, languages or scenarios than the rest"
                left_out.append(f"{version[0]}, {'/'.join(what)}: {why}")
    measured = [_measured(version, contents, rows) for version, contents in sorted(rows.items())]
    everyone = (*measured, *_reported())
    return Board(everyone, tuple(list_columns(everyone)), tuple(left_out))


def _find(folders: Iterable[str | Path]) -> tuple[dict[What, dict[Version, Found]], list[str]]:
    found: dict[What, dict[Version, Found]] = {}
    refused = []
    for path in (path for folder in folders for path in find_records(folder)):
        try:
            content = read_record(path)
        except XlError as error:
            refused.append(str(error))
            continue
        version = content["model"]["name"], content["model"]["fingerprint"]
        found.setdefault((content["experiment"], path.stem), {})[version] = content, path
    return found, refused


def _edition(content: Mapping[str, Any]) -> str:
    settings = {name: content["params"].get(name) for name in _SETTINGS}
    return repr((content["dataset"]["sha256"], sorted(content["dataset"]["languages"]), settings))


def _main_edition(contents: Iterable[Mapping[str, Any]]) -> str:
    """Pick the edition of the data that most models have; of two, the newer."""
    dates = [(_edition(content), content["created"]) for content in contents]
    counts, newest = Counter(edition for edition, _ in dates), dict(sorted(dates, key=lambda each: each[1]))
    return max(counts, key=lambda edition: (counts[edition], newest[edition]))


def _measured(version: Version, found: Mapping[What, Found], everyone: Iterable[Version]) -> Row:
    name, fingerprint = version
    is_one_of_several = sum(other == name for other, _ in everyone) > 1
    label = f"{name} ({fingerprint[:6]})" if is_one_of_several else name
    card = find_card(name)
    kind: Kind = "control" if card and card.backend in _CONTROLS else "measured"
    contents = {what: content for what, (content, _) in found.items()}
    paths = {what: str(path) for what, (_, path) in found.items()}
    return Row(name, label, kind, next(iter(contents.values()))["model"]["revision"], contents, paths)


def _reported() -> Iterable[Row]:
    """Put what others published into rows; means, and questions in English, are left out: they are of other pools."""
    words = load_reported("semantic-affinity")
    for name, value in words.loc[words["item"].isin(list(CATALOGUE)), ["item", "value"]].itertuples(index=False):
        yield Row(name, name, "reported", words.attrs["source"], reported={"sa": value})
    questions = load_reported("mixed-retrieval")
    source = questions.attrs["source"]
    questions = questions[questions["query"] == questions["target"]]
    for (name, trained), table in questions.groupby(["model", "trained"], sort=False):
        numbers = {
            f"{each['dataset']}.paper/{each['query']}/{metric}": float(each[metric])
            for each in table.to_dict("records")
            for metric in ("complete@10", "max@r_norm")
        }
        label = f"{name}, trained" if trained == "yes" else str(name)
        yield Row(str(name), label, "reported", source, reported=numbers)
