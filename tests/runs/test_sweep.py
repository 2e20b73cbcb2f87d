"""Sweeps on a real local Dask cluster: a killed worker, retries, and nothing done twice."""

import os
import signal
import threading

import fsspec
import nbformat
import psutil
import pytest
from click.testing import CliRunner
from distributed import Client, LocalCluster

from xlutils.cli import main
from xlutils.errors import XlError
from xlutils.results.record import find_records
from xlutils.runs import sweep, terminal
from xlutils.runs.cells import make_cells
from xlutils.runs.execute import find_chapter

MODELS = ("control-random", "control-ngram-hash")
BODY = """
from pathlib import Path
record = Path(records_dir, "concept-alignment", models, f"{dataset}.json")
record.parent.mkdir(parents=True)
record.write_text(f"seed {seed}")
"""


@pytest.fixture
def small_book(tmp_path_factory, monkeypatch):
    """A book whose chapter 1 has the real parameters and one quick cell, which writes one file as its record."""
    notebook = nbformat.read(find_chapter("1"), as_version=4)
    parameters = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    notebook.cells = [parameters, nbformat.v4.new_code_cell(BODY)]
    book = tmp_path_factory.mktemp("book")
    (book / "notebooks").mkdir()
    nbformat.write(notebook, book / "notebooks/01_concept_alignment.ipynb")
    monkeypatch.chdir(book)


def cells_of(*models):
    return make_cells(models, ["1"], ["concepts-core"], {})


def test_folders_with_one_name_are_different_cells(tmp_path, monkeypatch):
    for parent in "ab":
        (tmp_path / parent / "nce").mkdir(parents=True)
        (tmp_path / parent / "nce/config.json").write_text(parent)
    monkeypatch.chdir(tmp_path)
    cells = make_cells(["a/nce", "b/nce", "a/nce/"], ["1"], [], {})
    assert len({cell.name for cell in cells}) == len(cells) == 2
    assert all(cell.model.startswith("nce@") for cell in cells)
    assert [dict(cell.changes)["models"] for cell in cells] == [str(tmp_path / parent / "nce") for parent in "ab"]


def test_every_cell_has_its_model_and_its_kind_of_data():
    cells = make_cells(["LaBSE", "bge-m3"], ["1", "3"], ["everyday", "xquad"], {"protocol": "paper"})
    assert [(cell.chapter[:2], cell.model, cell.dataset) for cell in cells] == [
        ("01", "LaBSE", "everyday"),
        ("01", "bge-m3", "everyday"),
        ("03", "LaBSE", "xquad"),
        ("03", "bge-m3", "xquad"),
    ]
    assert dict(cells[2].changes) == {"models": "LaBSE", "dataset": "xquad", "protocol": "paper"}
    assert "protocol" not in dict(cells[0].changes)
    assert cells[2].name == "03_mixed_language_retrieval.LaBSE.xquad"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["LaBES"], ["1"], [], {}), "did you mean LaBSE"),
        ((["LaBSE"], ["?"], [], {}), "unknown chapter '?'"),
        ((["LaBSE"], ["0"], [], {}), "chapter 00_tour cannot be swept"),
        ((["LaBSE"], ["1"], [], {"protocol": "paper"}), "parameter protocol: no chapter of this sweep has it"),
        ((["LaBSE"], ["1"], [], {"k": "many"}), "parameter k: input should be a valid integer"),
        ((["a/b_c", "a_b/c"], ["1"], [], {}), "two cells would share the name"),
    ],
)
def test_bad_input_is_refused_before_anything_starts(arguments, message):
    with pytest.raises(XlError) as caught:
        make_cells(*arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("XlError: the server said 429 Too Many Requests", True),
        ("nbclient.exceptions.DeadKernelError: Kernel died", True),
        ("XlError: model x does not fit into memory", True),
        ("XlError: unknown language 'xx'", False),
        ("ValueError: 4290 rows", False),
    ],
)
def test_only_errors_that_may_pass_are_tried_again(reason, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "WAIT_SECONDS", 0)
    monkeypatch.setattr(sweep.runs, "execute", lambda *_, **__: sweep.runs.Outcome(1, reason))
    result = sweep.run_cell(*cells_of("control-random"), str(tmp_path / "out"), str(tmp_path / "records"))
    assert (result.status, result.reason) == ("failed", reason)
    assert result.tries == (sweep.TRIES if expected else 1)


def test_a_missing_scheduler_is_one_line(monkeypatch):
    monkeypatch.setattr(terminal, "_CONNECT_SECONDS", 1)
    result = CliRunner().invoke(main, ["sweep", "--models", "LaBSE", "--scheduler", "tcp://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "there is no scheduler at tcp://127.0.0.1:9" in result.output


def test_a_dry_run_says_how_long_a_cell_took_last_time_and_runs_nothing(tmp_path):
    (cell,) = make_cells(["control-random"], ["1"], [], {})
    sweep.write_state(sweep.Result(cell.name, cell.key(), "done", seconds=42.0), str(tmp_path / "out"))
    options = ["--models", "control-random,LaBSE", "--chapters", "1", "--out", str(tmp_path / "out"), "--dry-run"]
    result = CliRunner().invoke(main, ["sweep", *options])
    assert result.exit_code == 0
    done, missing = (line for line in result.output.splitlines() if "01_concept_alignment" in line)
    assert "done" in done
    assert "42 s" in done
    assert "done" not in missing
    assert [path.name for path in tmp_path.rglob("*.*")] == [f"{cell.name}.json"]


@pytest.mark.parametrize(("gigabytes", "cores", "expected"), [(1, 8, 1), (15, 8, 3), (20, 1, 1), (500, 8, 4)])
def test_as_many_workers_start_as_fit(monkeypatch, gigabytes, cores, expected):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("memory", (), {"available": gigabytes * 1e9}))
    monkeypatch.setattr(terminal.os, "cpu_count", lambda: cores)
    assert terminal.fitting_workers(cells_of("bge-m3", "LaBSE", *MODELS)) == expected


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"3", b'{"cell": "a"}', b'{"records": 1}'])
def test_a_damaged_state_counts_as_none(tmp_path, content):
    (cell,) = cells_of("control-random")
    (tmp_path / f"{cell.name}.json").write_bytes(content)
    assert sweep.read_state(cell, str(tmp_path)) is None


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_no_cell(small_book, tmp_path):
    out, records = str(tmp_path / "out"), str(tmp_path / "records")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        worker = next(iter(client.run(os.getpid).values()))
        threading.Timer(2, os.kill, (worker, signal.SIGKILL)).start()  # no kernel is ready that soon
        results = list(sweep.run_sweep(cells_of(*MODELS), client, out, records, threads=1))
        assert worker not in client.run(os.getpid).values()
    assert [result.status for result in results] == ["done", "done"], results
    assert sorted(path.parent.name for path in find_records(records)) == sorted(MODELS)
    assert not list(tmp_path.rglob("*.part"))


def test_a_place_of_an_unknown_kind_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(XlError, match="nowhere://out: Protocol not known: nowhere"):
        list(sweep.run_sweep(cells_of("control-random"), None, "nowhere://out", str(tmp_path)))


@pytest.mark.slow
def test_a_full_disk_fails_a_cell_in_one_line_and_the_next_sweep_repairs_it(small_book, small_disk):
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    (cell,) = cells_of("control-random")
    places = str(small_disk / "out"), str(small_disk / "records")
    result = sweep.run_cell(cell, *places, threads=1)
    assert (result.status, result.records) == ("failed", ())
    assert "No space left on device" in result.reason
    assert "\n" not in result.reason
    ballast.unlink()
    result = sweep.run_cell(cell, *places, threads=1)
    assert result.status == "done", result.reason
    assert find_records(small_disk / "records")


@pytest.mark.slow
def test_places_may_be_urls(small_book):
    """Records and notebooks go to memory://, and a second run finds its state there."""
    places = "memory://sweep/out", "memory://sweep/records"
    (cell,) = cells_of("control-random")
    result = sweep.run_cell(cell, *places)
    assert result.status == "done", result.reason
    system = fsspec.filesystem("memory")
    assert result.records == ("concept-alignment/control-random/concepts-core.json",)
    assert system.exists("/sweep/records/concept-alignment/control-random/concepts-core.json")
    assert system.exists("/sweep/out/01_concept_alignment.control-random.concepts-core.ipynb")
    assert sweep.run_cell(cell, *places) == result
    (other,) = make_cells(["control-random"], ["1"], ["concepts-core"], {"seed": "7"})
    assert not sweep.is_done(other, sweep.read_state(other, places[0]))


@pytest.mark.slow
def test_the_command_does_nothing_twice(small_book, tmp_path):
    places = ["--out", str(tmp_path / "out"), "--records", str(tmp_path / "records")]
    chosen = ["--models", "control-random", "--chapters", "1", "--datasets", "concepts-core"]
    times = []
    for _ in range(2):
        result = CliRunner().invoke(main, ["sweep", *chosen, *places, "--workers", "1"])
        assert result.exit_code == 0, result.output
        assert "1 of 1 cells are done" in result.output
        times.append({path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()})
    assert times[0] == times[1]
    assert [path.name for path in find_records(tmp_path / "records")] == ["concepts-core.json"]
