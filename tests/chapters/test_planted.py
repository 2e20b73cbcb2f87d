"""What code says about numbers that are planted: a worse model is not called better, and an interval may hold zero."""

import pandas as pd
import pytest

from xlutils.chapters.finetuning import seed_ranges, tradeoff
from xlutils.chapters.remedies import AS_PUBLISHED, CHANGE, verdicts
from xlutils.results.rows import Key

INTERVAL = ["value", "low", "high"]


def planted(kind, metric, change, pool="", done="t.seed-1", start=50.0):
    """Rows of `read_changes` for one measure: a change and its interval."""
    rows = [{"state": "before", "value": start, "low": start - 1, "high": start + 1}]
    rows += [{"state": "change", **dict(zip(INTERVAL, change, strict=True))}]
    about = {"kind": kind, "metric": metric, "pool": pool, "query": "", "language": "", "done": done, "k": 10}
    return pd.DataFrame(rows).assign(**about, trained_on="zh")


def test_seeds_of_a_training_are_one_state_with_their_range():
    rows = [
        planted("multi", "complete@10", (change, change - 3, change + 60), done=f"t.seed-{change}")
        for change in (10, 20)
    ]
    rows += [planted("mono-same", "ndcg@1", (-0.1, -0.9, 0.2), done=f"t.seed-{seed}", start=0.8) for seed in (10, 20)]
    cost, gain = tradeoff(pd.concat(rows))
    assert list(gain.index) == [AS_PUBLISHED, "t (2 seeds)"]
    assert gain.loc["t (2 seeds)"].tolist() == [65, 62, 100, 60, 70, "training"]  # no share above 100%
    assert cost.loc["t (2 seeds)", INTERVAL].tolist() == pytest.approx([0.7, 0, 1])
    assert seed_ranges({"NDCG": cost, "Complete": gain}) == "t (2 seeds): NDCG 0.7 to 0.7, Complete 60 to 70."
    assert seed_ranges({"NDCG": cost[:1]}) == ""


@pytest.mark.parametrize(
    ("complete", "alone", "mixed", "expected"),
    [
        ((9, 2, 16), (0, -0.01, 0.01), (0, -0.01, 0.01), "helps"),
        ((9, 0.5, 16), (0, -0.01, 0.01), (0, -0.01, 0.01), "unclear"),  # may be less than anybody would notice
        ((9, -1, 19), (0, -0.01, 0.01), (0, -0.01, 0.01), "unclear"),
        ((-9, -16, -2), (0, -0.01, 0.01), (0, -0.01, 0.01), "harms"),
        ((9, 2, 16), (-0.1, -0.2, -0.01), (0, -0.01, 0.01), "helps, costs"),
        ((9, 2, 16), (0, -0.01, 0.01), (-0.1, -0.2, -0.01), "helps, costs"),
        ((9, 2, 16), (-0.1, -0.2, 0.01), (-0.1, -0.2, -0.004), "helps"),
    ],
)
def test_the_verdict_on_a_remedy_needs_the_whole_interval(complete, alone, mixed, expected):
    keys = [Key("multi", "complete@10"), Key("mono-same", "ndcg@1"), Key("multi", "ndcg@1")]
    rows = [
        key._replace(state="r" + CHANGE)._asdict() | dict(zip(("value", "low", "high"), change, strict=True))
        for key, change in zip(keys, (complete, alone, mixed), strict=True)
    ]
    assert verdicts({"metrics": pd.DataFrame(rows), "params": {"k": 10}}).to_dict() == {"r": expected}
