"""Sweeps on a real local Dask cluster: kills, retries, and nothing done twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from distributed import Client, LocalCluster

from xlutils.cli import main
from xlutils.errors import XlError
from xlutils.results.record import find_records
from xlutils.runs import execute as runs
from xlutils.runs import sweep

pytestmark = pytest.mark.slow

MODELS = ("control-random", "control-ngram-hash")
GIVEN = {"more_languages": "en,de", "scenarios": "multi,mono-same"}


def cells_of():
    return sweep.make_cells(MODELS, ["1", "2", "3"], ["concepts-core"], GIVEN)


def contents(folder):
    """Every record below a folder, without what may differ between two runs."""
    found = {}
    for path in find_records(folder):
        content = json.loads(path.read_text(encoding="utf-8"))
        found[path.relative_to(folder).as_posix()] = {
            name: value for name, value in content.items() if name not in ("timing", "created")
        }
    return found


def test_every_cell_has_its_model_and_its_kind_of_data():
    cells = sweep.make_cells(["LaBSE", "bge-m3"], ["1", "3"], ["everyday", "xquad"], {"protocol": "paper"})
    assert [(cell.chapter[:2], cell.model, cell.dataset) for cell in cells] == [
        ("01", "LaBSE", "everyday"),
        ("01", "bge-m3", "everyday"),
        ("03", "LaBSE", "xquad"),
        ("03", "bge-m3", "xquad"),
    ]
    assert dict(cells[2].given) == {"models": "LaBSE", "dataset": "xquad", "protocol": "paper"}
    assert "protocol" not in dict(cells[0].given)
    assert cells[2].name == "03_mixed_language_retrieval.LaBSE.xquad"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["LaBES"], ["1"], [], {}), "did you mean LaBSE"),
        ((["LaBSE"], ["8"], [], {}), "unknown chapter '8'"),
        ((["LaBSE"], ["0"], [], {}), "chapter 00_tour cannot be swept"),
        ((["LaBSE"], ["1"], [], {"protocol": "paper"}), "parameter protocol: no chapter of this sweep has it"),
        ((["LaBSE"], ["1"], [], {"k": "many"}), "parameter k: input should be a valid integer"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_starts(arguments, message):
    with pytest.raises(XlError, match=message):
        sweep.make_cells(*arguments)


@pytest.mark.parametrize(
    ("reason", "again"),
    [
        ("XlError: the server said 429 Too Many Requests", True),
        ("nbclient.exceptions.DeadKernelError: Kernel died", True),
        ("XlError: model x does not fit into memory", True),
        ("XlError: unknown language 'xx'", False),
        ("ValueError: 4290 rows", False),
    ],
)
def test_what_another_try_can_help(reason, again):
    assert bool(sweep.retry_reason(reason)) == again


def test_a_scheduler_that_is_gone(monkeypatch):
    monkeypatch.setattr("xlutils.runs.terminal._CONNECT_SECONDS", 1)
    result = CliRunner().invoke(main, ["sweep", "--models", "LaBSE", "--scheduler", "tcp://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "there is no scheduler at tcp://127.0.0.1:9" in result.output


def test_a_dry_run_lists_and_runs_nothing(tmp_path):
    arguments = ["sweep", "--models", "control-random", "--chapters", "1", "--out", str(tmp_path / "out"), "--dry-run"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0
    assert "01_concept_alignment.control-random" in result.output
    assert "1 cells" in result.output
    assert not (tmp_path / "out").exists()


def test_the_command_does_nothing_twice(tmp_path):
    places = ["--out", str(tmp_path / "out"), "--records", str(tmp_path / "records")]
    chosen = ["--models", "control-random", "--chapters", "1", "--datasets", "concepts-core", "--workers", "1"]
    states = []
    for _ in range(2):
        result = CliRunner().invoke(main, ["sweep", *chosen, *places])
        assert result.exit_code == 0, result.output
        assert "1 of 1 cells are done" in result.output
        states.append({path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()})
    assert states[0] == states[1]
    assert [path.name for path in find_records(tmp_path / "records")] == ["concepts-core.json"]
    assert (tmp_path / "out/01_concept_alignment.control-random.concepts-core.ipynb").is_file()


SCRIPT = """
import sys
from distributed import Client, LocalCluster
sys.path.insert(0, {tests!r})
from test_sweep import cells_of
from xlutils.runs.sweep import run_sweep

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        workers = [worker["pid"] for worker in client.run(lambda: {{"pid": __import__("os").getpid()}}).values()]
        print(*workers, flush=True)
        done = lambda result: print(result.cell, result.status, result.reason, flush=True)
        run_sweep(cells_of(), client, {out!r}, {records!r}, done, threads=1)
"""


def start(folder):
    script = SCRIPT.format(tests=str(Path(__file__).parent), out=str(folder / "out"), records=str(folder / "records"))
    path = folder / "sweep.py"
    folder.mkdir(exist_ok=True)
    path.write_text(script, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_a_sweep_that_is_killed_ends_with_the_same_records(tmp_path):
    """A worker is killed, then everything; started again, it does what is missing, and no more."""
    whole = start(tmp_path / "whole")
    out, errors = whole.communicate(timeout=600)
    assert whole.returncode == 0, errors[-2000:]
    assert out.count(" done") == 6
    expected = contents(tmp_path / "whole/records")
    assert len(expected) == 2 * 4  # chapter 2 writes one more, of all languages

    folder = tmp_path / "killed"
    first = start(folder)
    workers = [int(pid) for pid in first.stdout.readline().split()]
    time.sleep(6)  # a cell takes longer
    os.kill(workers[0], signal.SIGKILL)
    finished = first.stdout.readline()  # the first cell that ends
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert " done" in finished
    states = {path.name: path.stat().st_mtime_ns for path in (folder / "out").glob("*.json")}
    assert 1 <= len(states) < 6
    second = start(folder)
    out, errors = second.communicate(timeout=600)
    assert second.returncode == 0, errors[-2000:]
    assert out.count(" done") == 6
    for name, time_ns in states.items():
        assert (folder / "out" / name).stat().st_mtime_ns == time_ns  # not done twice
    assert contents(folder / "records") == expected
    assert not list((folder / "records").rglob("*.part"))


@pytest.fixture
def client():
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        yield client


def test_a_full_disk_fails_a_cell_in_one_line_and_the_next_sweep_mends_it(small_disk, client):
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    cells = sweep.make_cells(["control-random"], ["1"], ["concepts-core"], {})
    places = str(small_disk / "out"), str(small_disk / "records")
    (result,) = sweep.run_sweep(cells, client, *places, lambda _: None, 1)
    assert (result.status, result.records) == ("failed", ())
    assert "No space left on device" in result.reason
    assert "\n" not in result.reason
    ballast.unlink()
    (result,) = sweep.run_sweep(cells, client, *places, lambda _: None, 1)
    assert result.status == "done", result.reason
    assert contents(small_disk / "records")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"3", b'{"cell": "a"}', b'{"records": 1}'])
def test_a_damaged_state_is_no_state(tmp_path, content):
    (cell,) = sweep.make_cells(["control-random"], ["1"], ["concepts-core"], {})
    (tmp_path / f"{cell.name}.json").write_bytes(content)
    assert sweep.read_state(cell, runs.find_chapter(cell.chapter), str(tmp_path)) is None


def test_the_longest_cells_go_first(tmp_path, client, monkeypatch):
    log = tmp_path / "log"

    def only_write_down(cell, *_):
        with log.open("a") as file:
            file.write(f"{cell.chapter[:2]} ")
        return sweep.Result(cell.name, "", "done", "", 0.0, 1)

    monkeypatch.setattr(sweep, "run_cell", only_write_down)
    cells = sweep.make_cells(["control-random"], ["1", "2", "3"], ["concepts-core"], {})
    takes = {"01": 5.0, "02": 1.0, "03": 9.0}
    results = sweep.run_sweep(
        cells, client, str(tmp_path / "out"), str(tmp_path / "records"), lambda _: None,
        seconds=lambda cell: takes[cell.chapter[:2]],
    )  # fmt: skip
    assert log.read_text().split() == ["03", "01", "02"]
    assert [result.cell[:2] for result in results] == ["01", "02", "03"]  # as they were given


def test_places_may_be_urls():
    """Records and notebooks go to memory://, and a second sweep finds its state there."""
    import fsspec

    (cell,) = sweep.make_cells(["control-random"], ["1"], ["concepts-core"], {})
    notebook = runs.find_chapter(cell.chapter)
    result = sweep.run_cell(cell, str(notebook), "memory://sweep/out", "memory://sweep/records")
    assert result.status == "done", result.reason
    sweep.write_state(result, "memory://sweep/out")
    system = fsspec.filesystem("memory")
    assert result.records == ("concept-alignment/control-random/concepts-core.json",)
    assert system.exists("/sweep/records/concept-alignment/control-random/concepts-core.json")
    assert system.exists("/sweep/out/01_concept_alignment.control-random.concepts-core.ipynb")
    assert sweep.read_state(cell, notebook, "memory://sweep/out") == result
    (other,) = sweep.make_cells(["control-random"], ["1"], ["concepts-core"], {"seed": "7"})
    assert sweep.read_state(other, notebook, "memory://sweep/out") is None
