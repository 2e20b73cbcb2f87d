import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.models.store import EmbeddingStore, cache_folder

SPACE = {"model": "org/name", "revision": "1"}
DIM = 8


def vectors_of(texts, dim=DIM):
    return np.array([np.random.default_rng(abs(hash(text))).standard_normal(dim) for text in texts], np.float32)


@settings(max_examples=30, deadline=None)
@given(
    written=st.lists(st.text(min_size=1), unique=True, max_size=30),
    asked=st.lists(st.text(min_size=1), max_size=30),
)
def test_serves_what_was_written(tmp_path_factory, written, asked):
    store = EmbeddingStore(SPACE, tmp_path_factory.mktemp("store"))
    truth = dict(zip(written, vectors_of(written), strict=True))
    if written:
        store.write(written, np.array(list(truth.values())))
    vectors, found = store.read(asked + written, DIM)
    for text, vector, there in zip(asked + written, vectors, found, strict=True):
        assert there == (text in truth)
        assert np.array_equal(vector, truth.get(text, np.zeros(DIM)))


def test_a_few_of_many_are_found(tmp_path):
    store = EmbeddingStore(SPACE, tmp_path)
    texts = [f"text {number}" for number in range(1000)]
    store.write(texts, vectors_of(texts))
    vectors, found = store.read(["nothing", *texts[500:510]], DIM)
    assert found.tolist() == [False] + [True] * 10
    assert np.array_equal(vectors[1:], vectors_of(texts[500:510]))


@pytest.mark.parametrize("change", [{"revision": "2"}, {"prompt": "query: "}, {"dtype": "bfloat16"}])
def test_another_space_is_another_store(tmp_path, change):
    EmbeddingStore(SPACE, tmp_path).write(["a"], np.ones((1, DIM)))
    assert not EmbeddingStore({**SPACE, **change}, tmp_path).read(["a"], DIM)[1].any()


def test_xl_cache_sets_the_folder_and_no_text_is_readable_there(tmp_path, monkeypatch):
    monkeypatch.setenv("XL_CACHE", str(tmp_path / "elsewhere"))
    store = EmbeddingStore(SPACE)
    store.write(["a secret sentence"], np.ones((1, DIM)))
    assert list((cache_folder() / "embeddings").glob("org_name-*.sqlite")) == [store.path]
    assert b"secret" not in store.path.read_bytes()
    assert not store.read(["a secret sentence"], DIM + 1)[1].any()  # vectors of another length do not count


@pytest.mark.parametrize("damage", ["truncated", "zeroed", "no database", "empty", "header"])
def test_a_damaged_file_is_noticed_and_replaced(tmp_path, caplog, damage):
    store = EmbeddingStore(SPACE, tmp_path)
    texts = [f"text {number}" for number in range(2000)]
    store.write(texts, vectors_of(texts))
    data = bytearray(store.path.read_bytes())
    if damage == "truncated":
        data = data[: len(data) // 2]
    elif damage == "zeroed":
        data[20_000 : len(data) // 2] = bytes(len(data) // 2 - 20_000)
    elif damage == "no database":
        data = bytearray(b"not a database at all " * 1000)
    elif damage == "header":
        data[16:40] = os.urandom(24)
    else:
        data = bytearray()
    store.path.write_bytes(data)
    vectors, found = store.read(texts, DIM)
    assert np.array_equal(vectors[found], vectors_of(texts)[found])
    assert not found.all()
    if damage != "empty":  # an empty file is not damaged: its process was killed before the first commit
        assert len(caplog.messages) == 1
        assert "again" in caplog.messages[0]
    for _ in range(2):  # a read may miss a broken page that the first write then meets
        _, found = store.read(texts, DIM)
        missing = [text for text, is_stored in zip(texts, found, strict=True) if not is_stored]
        store.write(missing, vectors_of(missing))
    vectors, found = store.read(texts, DIM)
    assert found.all()
    assert np.array_equal(vectors, vectors_of(texts))


def test_a_flipped_bit_is_noticed(tmp_path, caplog):
    store = EmbeddingStore(SPACE, tmp_path)
    texts = ["left", "right"]
    store.write(texts, vectors_of(texts))
    data = store.path.read_bytes()
    store.path.write_bytes(data.replace(vectors_of(["left"]).tobytes(), vectors_of(["wrong"]).tobytes()))
    vectors, found = store.read(texts, DIM)
    assert found.tolist() == [False, True]
    assert np.array_equal(vectors[1], vectors_of(["right"])[0])
    assert "1 damaged vectors" in caplog.text


def test_a_full_disk_is_one_clear_line_and_loses_nothing(tmp_path, monkeypatch):
    store = EmbeddingStore(SPACE, tmp_path)
    texts = [f"text {number}" for number in range(200)]
    store.write(texts, vectors_of(texts))
    connect = store._connect

    def connect_to_a_full_disk():
        connection = connect()
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite then fails as on a full disk
        return connection

    monkeypatch.setattr(store, "_connect", connect_to_a_full_disk)
    more = [f"more {number}" for number in range(5000)]
    with pytest.raises(XlError, match="no space left") as caught:
        store.write(more, vectors_of(more))
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert store.read(texts, DIM)[1].all()
    assert not store.read(more, DIM)[1].any()


def test_a_really_full_disk_loses_nothing(small_disk):
    store = EmbeddingStore(SPACE, small_disk)
    store.write(["kept"], vectors_of(["kept"]))
    texts = [f"text {number}" for number in range(20_000)]
    with pytest.raises(XlError, match="no space left"):
        store.write(texts, vectors_of(texts))
    vectors, is_stored = store.read(["kept"], DIM)
    assert is_stored.all()
    assert np.array_equal(vectors, vectors_of(["kept"]))


def test_a_read_only_disk_still_serves(small_disk):
    store = EmbeddingStore(SPACE, small_disk)
    store.write(["a"], np.ones((1, DIM)))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert store.read(["a"], DIM)[1].all()
    with pytest.raises(XlError, match="cannot write"):
        store.write(["b"], np.ones((1, DIM)))


def test_a_folder_that_cannot_be_created_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(XlError, match="set XL_CACHE"):
        EmbeddingStore(SPACE, tmp_path / "file" / "below").write(["a"], np.ones((1, DIM)))


def test_what_was_collected_before_a_failure_is_written(tmp_path):
    store = EmbeddingStore(SPACE, tmp_path)
    with pytest.raises(ConnectionError), store.writing() as write:
        write(["a", "b"], vectors_of(["a", "b"]))
        write(["c"], vectors_of(["c"]))
        raise ConnectionError
    vectors, is_stored = store.read(["c", "a", "d"], DIM)
    assert is_stored.tolist() == [True, True, False]
    assert np.array_equal(vectors[:2], vectors_of(["c", "a"]))


def _write_many(folder, part):
    store = EmbeddingStore(SPACE, folder)
    for start in range(0, 400, 20):
        texts = [f"text {number}" for number in range(start, start + 20)] + [f"{part} {start}"]
        store.write(texts, np.full((21, DIM), 0.5, np.float32))


@pytest.mark.slow
def test_four_processes_write_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_many, args=(tmp_path, part)) for part in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    texts = [f"text {number}" for number in range(400)]
    texts += [f"{part} {start}" for part in range(4) for start in range(0, 400, 20)]
    vectors, is_stored = EmbeddingStore(SPACE, tmp_path).read(texts, DIM)
    assert is_stored.all()
    assert (vectors == 0.5).all()


_ENCODE_FOR_EVER = """
import itertools, sys
from xlutils import load_model
encoder = load_model("control-random")
for number in itertools.count(int(sys.argv[1])):
    encoder.encode([f"text {number} {line}" for line in range(200)])
    print(number, flush=True)
"""


@pytest.mark.slow
def test_twenty_kills_lose_and_invent_nothing(tmp_path):
    """The vectors of every finished call are stored, and every stored vector is right."""
    dice = random.Random(7)
    done = -1
    for _ in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", _ENCODE_FOR_EVER, str(done + 1)],
            stdout=subprocess.PIPE,
            env={**os.environ, "XL_CACHE": str(tmp_path)},
        )
        process.stdout.readline()  # the first batch is in
        time.sleep(dice.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        reported = process.stdout.read().split()
        process.wait()
        done = int(reported[-1]) if reported else done + 1
    assert done > 20
    encoder = load_model("control-random")
    texts = [f"text {number} {line}" for number in range(done + 3) for line in range(200)]
    store = EmbeddingStore(encoder.space("passage"), tmp_path / "embeddings")
    vectors, found = store.read(texts, encoder.dim)
    assert found[: 200 * (done + 1)].all()
    truth = load_model("control-random", cached=False).encode(texts)
    assert np.array_equal(vectors[found], truth[found])
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
