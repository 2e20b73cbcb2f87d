"""Chapter 4: the claims of Hong et al. about their training, checked against records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xlutils.chapters.asked import Asked, Floats, mean_interval, read_asked
from xlutils.chapters.claims import NOT_TESTABLE, Claim, above, below, claim_table, judged, untestable
from xlutils.chapters.retrieval_claims import unmeasured_models
from xlutils.chapters.shapes import check_shapes, read_shapes
from xlutils.chapters.wording import language_names, with_interval
from xlutils.metrics.uncertainty import bootstrap_means, bootstrap_ratio
from xlutils.results.record import read_items, read_record

_OURS = {"jsd", "nce"}  # losses of the paper's method
_ABLATIONS = {"nce": "InfoNCE alone", "jsd": "JSD alone", "nce-passage": "InfoNCE of passages"}
_UNUSED = {"jsd": ("jsd_weight", "epsilon_outside"), "nce": ("temperature",), "keep": ("keep_weight",)}
_KEEPS = 0.02  # NDCG@1 that a training may lose at most; the paper's own models lose up to this much
_NOTHING_LIKE_IT = "no pool of this kind was measured in a language trained on"


class Training(NamedTuple):
    """The records of one training.

    :param model: Name of the model; `dataset`, that of the questions; `name`, that of the training.
    :param recipe: Settings of the training.
    :param trained_on: Name of the triples, and their languages.
    :param items: Values by question before and after, by protocol.
    :param k: Cutoff of Complete@K.
    :param shapes: Questions compared with their translations after the training, if that was done.
    """

    model: str
    dataset: str
    name: str
    recipe: Mapping[str, Any]
    trained_on: tuple[str, ...]
    items: dict[str, pd.DataFrame]
    k: int
    shapes: pd.DataFrame | None = None

    @property
    def is_asked(self) -> bool:
        """Whether it was asked in a language that it was trained on, beside English."""
        return bool(self.read("multi", "max@r")[0].targets)

    def read(self, kind: str, metric: str) -> tuple[Asked, Asked]:
        """Return a metric before and after, in the languages trained on, as in the paper.

        The protocol is that of the paper's table where there is a record of it.
        """
        wanted = "unique" if kind.startswith("mono") or kind == "multi-1" else "paper"
        items = self.items.get(wanted, next(iter(self.items.values())))
        both = (read_asked(items[items["side"] == side], kind, metric) for side in ("before", "after"))
        before, after = (asked.only(self.trained_on[1:]) for asked in both)
        return before, after


def training_claims(paths: Iterable[str | Path], seed: int = 42) -> pd.DataFrame:
    """Check the claims against records of chapter 4; see `claims.claim_table`.

    Trainings with the paper's two losses are checked, and compared with those that have another loss and otherwise the
    same settings. Of trainings that differ in their seed the first one is shown, with what the others say.
    """
    trainings = read_trainings(paths)
    rows = []
    for same in _by_seed(trainings):
        if not same[0].is_asked:
            rows.append((_name(same[0]), check_training(same[0], seed)[0]))  # which says so
            continue
        first, *others = (
            [*check_training(run, seed), *_ablation(run, trainings, seed), _shapes(run, trainings, seed)]
            for run in same
        )
        rows += [(_name(same[0]), _with_seeds(*claims)) for claims in zip(first, *others, strict=True)]
    passages = [run for run in trainings if run.recipe["losses"] == ["nce-passage"] and run.is_asked]
    rows += [(_name(run), _improves(run, seed)) for run in passages]
    return claim_table([*rows, *unmeasured_models(training.model for training in trainings)])


def _name(training: Training) -> str:
    """Return the name of a training in the table of claims."""
    return f"{training.model} on {training.dataset}, {training.name}"


def _by_seed(trainings: Iterable[Training]) -> list[list[Training]]:
    """Return the trainings with the paper's losses, those together that differ in their seed alone."""
    groups: dict[str, list[Training]] = {}
    for run in trainings:
        if {*run.recipe["losses"]} == _OURS:
            recipe = {name: value for name, value in run.recipe.items() if name != "seed"}
            groups.setdefault(repr((run.model, run.dataset, run.trained_on, recipe)), []).append(run)
    return list(groups.values())


def _with_seeds(claim: Claim, *others: Claim) -> Claim:
    """Return a claim with how often trainings with other seeds have the same verdict, where it can be tested."""
    tested = [other for other in others if NOT_TESTABLE not in (claim.verdict, other.verdict)]
    if not tested:
        return claim
    same = sum(other.verdict == claim.verdict for other in tested)
    return claim.because(f"the same verdict with {same} of {len(tested)} other seeds")


def read_trainings(paths: Iterable[str | Path]) -> list[Training]:
    """Read records of chapter 4; those of one training under two protocols belong together."""
    found: dict[tuple[str, ...], Training] = {}
    for path in paths:
        record = read_record(path)
        params, model, dataset = record["params"], record["model"]["name"], record["dataset"]["name"]
        done = params.get("done", {})
        if "recipe" in done:
            data = done["trained_on"]
            key = model, dataset, done["name"], *data["languages"]
            about = (data["name"], *sorted(data["languages"]))
            shapes = read_shapes([Path(path)]).get(done["name"])
            shapes = shapes if shapes is None else shapes[shapes["state"] == "after"]
            new = Training(model, dataset, done["name"], done["recipe"], about, {}, params["k"], shapes)
            found.setdefault(key, new).items[params["protocol"]] = read_items(path)
    return list(found.values())


def check_training(training: Training, seed: int = 42) -> list[Claim]:
    """Check what a training changed."""
    return [
        _every_language(training, seed),
        _change(training, "multi", f"complete@{training.k}", "More questions are complete in Multi", seed),
        _change(training, "multi-1", "ndcg@1", "The translation is found in Multi-1", seed),
        _smaller_gap(training, seed),
        _keeps(training, seed),
        _change(training, "mono-cross", "ndcg@1", "Retrieval across languages gains (Mono-Cross)", seed),
    ]


def _change(training: Training, kind: str, metric: str, claim: str, seed: int) -> Claim:
    name, digits = (f"Complete@{training.k}", 1) if metric.startswith("complete") else ("NDCG@1", 3)
    shown_by = f"{name} after minus before, mean of the pairs trained on above 0"
    before, after = training.read(kind, metric)
    if not before.targets:
        return untestable(claim, shown_by, _NOTHING_LIKE_IT)
    return above(claim, shown_by, mean_interval(_both(after) - _both(before), before.clusters, seed), digits=digits)


def _both(asked: Asked) -> Floats:
    return np.concatenate([asked.other, asked.english], axis=1)


def _every_language(training: Training, seed: int) -> Claim:
    claim, shown_by = "Max@R falls in every language", "Max@R after minus before, every pair trained on below 0"
    before, after = training.read("multi", "max@r")
    if not before.targets:
        return untestable(claim, shown_by, _NOTHING_LIKE_IT)
    names = [f"English + {language_names(code)}" for code in before.targets]
    cells = [f"{name}, asked in {place}" for place in ("the target", "English") for name in names]
    changes = _both(after) - _both(before)
    low, high = bootstrap_means(changes, seed, before.clusters)
    weakest = int(high.argmax())
    value = with_interval(changes[:, weakest].mean(), low[weakest], high[weakest], digits=1)
    why = f"{(high < 0).sum()} of {len(cells)} intervals are below 0; the weakest: {cells[weakest]}"
    return judged(claim, shown_by, value, why, holds=bool((high < 0).all()))


def _smaller_gap(training: Training, seed: int) -> Claim:
    claim = "The gap between languages of the question shrinks"
    shown_by = f"change of the gap in Complete@{training.k}, mean of the pairs trained on below 0"
    before, after = training.read("multi", f"complete@{training.k}")
    if not before.targets:
        return untestable(claim, shown_by, _NOTHING_LIKE_IT)
    sizes = [side.gap * np.sign(side.gap.mean(axis=0)) for side in (before, after)]
    change = below(claim, shown_by, mean_interval(sizes[1] - sizes[0], before.clusters, seed), digits=1)
    return change.because(f"{sizes[0].mean():.1f} points before, {sizes[1].mean():.1f} after")


def _keeps(training: Training, seed: int) -> Claim:
    claim = "Retrieval in one language is kept or gains (Mono-Same)"
    shown_by = f"NDCG@1 after minus before above −{_KEEPS:g}"
    before, after = training.read("mono-same", "ndcg@1")
    if not before.targets:
        return untestable(claim, shown_by, _NOTHING_LIKE_IT)
    languages = [np.column_stack([side.other, side.english[:, :1]]) for side in (before, after)]
    value, low, high = mean_interval(languages[1] - languages[0], before.clusters, seed)
    text = with_interval(value, low, high, digits=3)
    if low <= -_KEEPS and high >= 0:
        return untestable(claim, shown_by, "too few questions: the interval holds both a loss and none", text)
    kept = low > -_KEEPS
    why = f"the interval is above −{_KEEPS:g}" if kept else f"a loss: the interval is below 0 and reaches −{_KEEPS:g}"
    return judged(claim, shown_by, text, why, holds=kept)


def _improves(training: Training, seed: int) -> Claim:
    before, after = training.read("multi", "max@r")
    one, two = (_both(side).mean(axis=1) for side in (before, after))
    ratio = [one.mean() / two.mean(), *map(float, bootstrap_ratio(one, two, before.clusters, seed=seed))]
    claim = "InfoNCE of passages alone is better than no training"
    return above(claim, "mean Max@R before the training divided by that after, above 1", ratio, 1)


def _ablation(training: Training, trainings: Sequence[Training], seed: int) -> list[Claim]:
    """Compare a training with those that have another loss and otherwise the same settings."""
    claims = []
    for loss, name in _ABLATIONS.items():
        claim = f"JSD + InfoNCE is better than {name}"
        shown_by = f"mean Max@R of {name} divided by that of both losses, above 1"
        same = _with_loss(loss, training, trainings)
        if not same:
            claims.append(untestable(claim, shown_by, "no training with this loss has the same settings"))
            continue
        (_, ours), (_, theirs) = (run.read("multi", "max@r") for run in (training, same[0]))
        one, two = (_both(side).mean(axis=1) for side in (theirs, ours))
        bounds = bootstrap_ratio(one, two, ours.clusters, seed=seed)
        compared = above(claim, shown_by, [one.mean() / two.mean(), *map(float, bounds)], 1)
        claims.append(compared.because(f"both at a rate of {training.recipe['learning_rate']:g}"))
    return claims


def _with_loss(loss: str, training: Training, trainings: Sequence[Training]) -> list[Training]:
    """Return the trainings with another loss and otherwise the same settings, that of the same seed first."""
    same = [other for other in trainings if other.recipe["losses"] == [loss] and _agree(training, other)]
    return sorted(same, key=lambda other: other.recipe["seed"] != training.recipe["seed"])


def _shapes(training: Training, trainings: Sequence[Training], seed: int) -> Claim:
    nce = (other for other in _with_loss("nce", training, trainings) if other.shapes is not None)
    return check_shapes(training.shapes, next((other.shapes for other in nce), None), seed)


def _agree(one: Training, two: Training) -> bool:
    """Return whether two trainings differ only in losses, seed, and settings that one of them does not use."""
    ignored = {"losses", "seed"}
    for loss, names in _UNUSED.items():
        if not all(any(name.startswith(loss) for name in run.recipe["losses"]) for run in (one, two)):
            ignored.update(names)
    settings = [{name: value for name, value in run.recipe.items() if name not in ignored} for run in (one, two)]
    about = [(run.model, run.dataset, run.trained_on, *sorted(run.items)) for run in (one, two)]
    return settings[0] == settings[1] and about[0] == about[1]
