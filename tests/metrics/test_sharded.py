"""A pool in shards on the workers of a real local cluster, against the same pool in one piece."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlutils.metrics.ranking import gold_ranks
from xlutils.metrics.sharded import gold_ranks_of_shards


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


def write_shards(folder, documents, cuts):
    paths = []
    for number, part in enumerate(np.split(documents, sorted(cuts))):
        paths.append(str(folder / f"{number}.npy"))
        np.save(paths[-1], part)
    return paths


@pytest.mark.slow
@settings(max_examples=25)
@given(st.data())
def test_counts_of_shards_add_up(tmp_path_factory, client, data):
    """Small whole numbers: many ties, within a shard and across; some shards are empty."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    size, asked = data.draw(st.integers(2, 40)), data.draw(st.integers(1, 5))
    documents = rng.integers(-2, 3, (size, 3)).astype(np.float32)
    queries = rng.integers(-2, 3, (asked, 3)).astype(np.float32)
    count = data.draw(st.integers(1, 2))
    golds = np.stack([rng.choice(size, count, replace=False) for _ in range(asked)])
    cuts = data.draw(st.lists(st.integers(0, size), max_size=3))
    shards = write_shards(tmp_path_factory.mktemp("shards"), documents, cuts)
    whole, added = gold_ranks(queries, documents, golds), gold_ranks_of_shards(queries, shards, golds, client)
    assert np.array_equal(added.above, whole.above)
    assert np.array_equal(added.level, whole.level)


@pytest.mark.parametrize(
    ("gold", "dim", "message"),
    [
        ([0, 9], 4, "no gold among the 6 documents"),
        ([0, 1], 3, r"queries have 3 dimensions, .*0\.npy holds an array of \(2, 4\)"),
    ],
)
def test_what_does_not_fit(tmp_path, client, gold, dim, message):
    shards = write_shards(tmp_path, np.eye(6, 4, dtype=np.float32), [2, 4])
    with pytest.raises(ValueError, match=message):
        gold_ranks_of_shards(np.eye(2, dim, dtype=np.float32), shards, gold, client)


def test_no_shards(client):
    with pytest.raises(ValueError, match="no gold among the 0 documents"):
        gold_ranks_of_shards(np.eye(2, dtype=np.float32), [], [0, 1], client)
