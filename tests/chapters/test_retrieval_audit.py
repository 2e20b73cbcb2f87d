import numpy as np
import pandas as pd
import pytest

from xlutils.chapters import retrieval_audit as audit
from xlutils.datasets.reported import load_reported


@pytest.fixture
def made():
    """A table as it would be printed from a pool of 480 documents, with known faults."""
    rng = np.random.default_rng(0)
    ranks = np.round(rng.uniform(5, 200, 40), 2)
    table = pd.DataFrame({"model": "m", "dataset": "xquad", "target": "zh", "query": "zh", "trained": "no"},
                         index=range(40))  # fmt: skip
    table["complete@10"] = 0.0
    table["max@r"] = np.maximum(ranks, 11)
    table["max@r_norm"] = audit.norm_of_mean(table["max@r"], 480).round(2)
    return table


def test_the_size_of_the_pool_is_found(made):
    assert audit.best_size(made) == pytest.approx(480, abs=1)
    assert audit.pool_candidates(made).set_index("pool").loc["each passage once", "agree"] == 40


def test_a_norm_by_hand():
    """In a pool of 8 with two golds, a mean rank of 4 is one doubling of the two from the end."""
    assert audit.norm_of_mean(pd.Series([2.0, 4.0, 8.0]), 8).tolist() == pytest.approx([100, 50, 0])


def test_faults_are_found(made):
    assert audit.impossible_cells(made).empty
    made.loc[3, "complete@10"], made.loc[3, "max@r"] = 40.0, 7.0  # 0.4 * 2 + 0.6 * 11 = 7.4 at the least
    assert audit.impossible_cells(made)["least"].tolist() == [7.4]
    made["max@r_norm"] = audit.norm_of_mean(made["max@r"], 2380).round(2)
    made.loc[5, "max@r_norm"] += 3
    assert audit.disagreeing_cells(made).index.tolist() == [5]
    made.loc[7, ["max@r", "max@r_norm", "model"]] = [*made.loc[8, ["max@r", "max@r_norm"]], "n"]
    assert set(audit.copied_cells(made).index) == {7, 8}


def test_what_the_published_tables_hold():
    reported = load_reported("mixed-retrieval")
    assert len(reported) == 320
    copies = audit.pool_candidates(reported)
    copies = copies[copies["pool"] == "a copy for each question"]
    assert copies["documents"].tolist() == [2380, 1800]
    assert copies["agree"].sum() == 312
    misprint = audit.disagreeing_cells(reported).iloc[0]
    assert misprint[["model", "dataset", "target", "query"]].tolist() == [
        "multilingual-e5-base", "belebele", "ro", "ro",
    ]  # fmt: skip
    assert (misprint["max@r_norm"], misprint["follows"]) == (39.96, 36.96)
    assert set(audit.copied_cells(reported)["model"]) == {"gte-multilingual-base", "multilingual-e5-base"}
    ceilings = audit.mono_ceilings(load_reported("mono-retrieval")).set_index("dataset")
    assert ceilings.loc["xquad", "most possible"] == 20.2
    assert (ceilings["cells above"] == 80).all()
