"""Every notebook: clean in the repository, runs from the command line, leaves clean outputs."""

import dis
import json
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import papermill
import pytest

from xlutils import load_model
from xlutils.errors import XlError
from xlutils.models.weights import name_of
from xlutils.results.record import find_records, read_items, read_record
from xlutils.results.rows import Key, rows_of, value_of

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TOUR, CONCEPTS, AFFINITY, RETRIEVAL, TRAINING = NOTEBOOKS[:5]
AUDIT = ROOT / "notebooks/A_audit_of_published_tables.ipynb"
E5 = "multilingual-e5-small-q4"
COMMON = {"records_dir", "seed", "device"}


def play(notebook, folder, **parameters):
    """Run the cells of a notebook one after the other in this process, which takes no kernel; return their names."""
    namespace = {"__name__": "notebook"}
    for number, cell in enumerate(nbformat.read(notebook, as_version=4).cells):
        if cell.cell_type == "code":
            exec(compile(cell.source, f"{notebook.stem}, cell {number}", "exec"), namespace)
            if "parameters" in cell.metadata.get("tags", []):
                namespace.update({"records_dir": str(folder / "records"), **parameters})
    plt.close("all")
    chosen = namespace["chosen"]
    assert type(chosen).check(namespace) == chosen  # in JupyterLab, the page can be run again from the top
    return namespace


def papermill_run(notebook, target, *arguments):
    """Plain papermill, as the README has it."""
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(notebook), str(target), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def _where_jupyterlab_starts(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_no_cell_overwrites_a_parameter(path):
    """Or the cell that checks them could not be run again."""
    parameters, stored = set(), {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            code = dis.get_instructions(compile(cell.source, cell.id, "exec"))
            names = {step.argval for step in code if step.opname == "STORE_NAME"}
            if "parameters" in cell.metadata.get("tags", []):
                parameters = names
            else:
                stored |= dict.fromkeys(names, cell.id)
    assert parameters
    assert {name: cell for name, cell in stored.items() if name in parameters} == {}


def test_the_source_is_clean(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith("# ")
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
            assert len(cell.source.splitlines()) <= 25, cell.source
            is_short = len(before.source.splitlines()) <= 15 or "parameters" in before.metadata.get("tags", [])
            assert before.cell_type == "markdown" or is_short or "record" in cell.source
            if "plots." in cell.source and "interactive" not in cell.source:
                assert len(cell.metadata["mystnb"]["image"]["alt"]) > 40


def test_every_parameter_has_a_type_and_a_comment(path):
    cells = nbformat.read(path, as_version=4).cells
    (tagged,) = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    for line in tagged.source.splitlines():
        assert re.fullmatch(r"\w+: (str|int|float|bool) = .+  # .+", line), line
    parameters = papermill.inspect_notebook(str(path))
    others = {"model", "train_languages", "eval_languages"} if path == TRAINING else {"models", "languages"}
    assert set(parameters) >= ({"records_dir"} if path == AUDIT else COMMON | others)
    assert all(parameter["help"] for parameter in parameters.values())


@pytest.mark.parametrize("path", [RETRIEVAL, TRAINING], ids=lambda path: path.stem)
def test_parameters_are_checked_before_anything_heavy_is_imported_or_drawn(path):
    given, check, *_ = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert "parameters" in given.metadata["tags"]
    program = (
        f"import sys\n{given.source}\n{check.source}\nprint({{'pandas', 'matplotlib', 'torch'}} & {{*sys.modules}})"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"


SMALL = {
    "00_tour": {"models": f"control-random,use-multilingual-v3,{E5}", "languages": "English,ja,de"},
    "01_concept_alignment": {"models": "control-ngram-hash", "dataset": "concepts-core", "languages": "en,de"},
    "02_semantic_affinity": {"models": "control-random", "datasets": "concepts-core"},
    "03_mixed_language_retrieval": {"models": "control-ngram-hash", "languages": "zh"},
    "04_finetune_alignment": {"train_languages": "zh", "eval_languages": "zh", "losses": "jsd"},
    "05_language_atlas": {"models": "control-ngram-hash", "languages": "en,de,zh"},
    "06_relations": {"models": "control-ngram-hash", "languages": "en,de"},
    "07_maps": {"models": "control-ngram-hash,control-random", "languages": "de"},
    "08_production": {"models": "control-ngram-hash,control-random", "languages": "de"},
    "A_audit_of_published_tables": {},
}


class Run(NamedTuple):
    """A notebook run with small parameters, by a kernel in its own folder and in this process from the root.

    :param folder: With the records of both, in `kernel` and `root/records`.
    :param executed: The notebook with its outputs.
    :param namespace: Its variables.
    """

    path: Path
    folder: Path
    executed: nbformat.NotebookNode
    namespace: dict


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def run(request, tmp_path_factory, trainable):
    path, folder = request.param, tmp_path_factory.mktemp("run")
    small = SMALL[path.stem] | ({"model": str(trainable)} if path == TRAINING else {})
    quiet = {"progress_bar": False, "log_output": False, "start_timeout": 600}  # a busy machine may take long
    here = small | {"records_dir": str(folder / "kernel")}
    executed = papermill.execute_notebook(path, None, here, cwd=path.parent, **quiet)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return Run(path, folder, executed, play(path, folder / "root", **small))


def test_a_kernel_in_its_own_folder_writes_the_records_of_the_root(run):
    both = []
    for folder in (run.folder / "kernel", run.folder / "root/records"):
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        both.append({path.relative_to(folder): path.read_bytes() for path in files})
        for path in (path for path in both[-1] if path.suffix == ".json"):
            content = json.loads(both[-1][path])
            content.pop("created"), content.pop("timing")
            both[-1][path] = content
    assert both[0] == both[1]
    assert both[0] or run.path == AUDIT


@pytest.mark.parametrize("run", NOTEBOOKS[:7], ids=lambda path: path.stem, indirect=True)
def test_the_solution_of_an_exercise_passes_its_check_and_a_wrong_one_does_not(run):
    cells = nbformat.read(run.path, as_version=4).cells
    (number,) = [number for number, cell in enumerate(cells) if cell.id.endswith("exercise-2")]
    source = cells[number].source
    (stub,) = re.findall(r"(?ms)^def .*?\n    \.\.\..*?\n", source)
    solution = re.search(r"(?s)```python\n(.*?)```", cells[number + 1].source)[1]
    exec(source.replace(stub, solution), run.namespace)
    wrong = stub.replace("    ...", "    return 0.123  #")
    with pytest.raises((AssertionError, AttributeError, TypeError)):
        exec(source.replace(stub, wrong), run.namespace)


@pytest.mark.parametrize("run", [TOUR], ids=lambda path: path.stem, indirect=True)
def test_the_tour_takes_other_models_and_languages(run):
    random = read_record(run.folder / "kernel/concept-alignment/control-random/concepts-core.tour.json")
    assert random["dataset"]["languages"] == ["en", "ja", "de"]
    gap = rows_of(random["metrics"], Key("all", "discriminability")).iloc[0]
    assert gap["low"] < 0 < gap["high"]  # no meaning, no gap
    assert "**control-random** does not reliably tell" in nbformat.writes(run.executed)


def test_chapter_1_takes_a_csv_and_writes_its_record(tmp_path):
    rows = "english,japanese,turkish\nsun,太陽,güneş\nsea,海,deniz\ntree,木,ağaç\nfear,恐怖,\n"
    (tmp_path / "my.csv").write_text(rows, encoding="utf-8")
    play(CONCEPTS, tmp_path, models="use-multilingual-v3", dataset=str(tmp_path / "my.csv"))
    content = read_record(tmp_path / "records/concept-alignment/use-multilingual-v3/my.json")
    assert content["dataset"]["languages"] == ["en", "ja", "tr"]
    wanted = {"intra_concept", "nn_accuracy", "retrieval_accuracy", "overall", "discriminability"}
    assert wanted <= set(content["metrics"]["metric"])


def test_chapter_2_takes_a_csv_and_goes_on_without_a_model_that_is_unavailable(tmp_path):
    shutil.copy(ROOT / "xlutils/datasets/builtin/lexicons/concepts-core.csv", tmp_path / "my.csv")
    models = ("use-multilingual-v3", "multilingual-e5-small-q4")
    data = {"languages": "zh,en", "datasets": str(tmp_path / "my.csv")}
    played = play(AFFINITY, tmp_path, models=",".join(["LaBSE", *models]), **data)
    assert "cannot get model sentence-transformers/LaBSE" in played["remarks"]["remark"].iloc[0]
    assert {path.parent.name for path in find_records(tmp_path / "records")} == {*models}
    values = {}
    for name in models:
        content = read_record(tmp_path / f"records/semantic-affinity/{name}/my.json")
        assert {"sa", "sa_sem", "inter_spread", "intra_spread", "sr", "n_pairs"} <= set(content["metrics"]["metric"])
        assert content["dataset"]["languages"] == ["zh", "en"]
        values[name] = rows_of(content["metrics"], Key("all", "sa"))[["low", "high"]].iloc[0].tolist()
    assert values["use-multilingual-v3"][0] > values["multilingual-e5-small-q4"][1]


def test_the_tour_writes_its_records(tmp_path):
    result = papermill_run(TOUR, tmp_path / "out.ipynb", "-p", "records_dir", str(tmp_path / "r"))
    assert result.returncode == 0, result.stderr[-2000:]
    paths = find_records(tmp_path / "r")
    assert [path.relative_to(tmp_path / "r").as_posix() for path in paths] == [
        "concept-alignment/multilingual-e5-small-q4/concepts-core.tour.json",
        "concept-alignment/use-multilingual-v3/concepts-core.tour.json",
    ]
    e5, use = (read_record(path)["metrics"] for path in paths)
    e5, use = (value_of(metrics, Key("all", "discriminability")) for metrics in (e5, use))
    assert use > 0.3 > e5 > 0  # the narrow cone of E5
    items = read_items(paths[1])
    assert len(items) == read_record(paths[1])["dataset"]["size"] == 6
    assert items["gap"].mean() == pytest.approx(use)


def test_chapter_3_writes_a_record_under_the_protocol_of_the_paper(tmp_path):
    models = "absent/model,use-multilingual-v3"
    played = play(RETRIEVAL, tmp_path, models=models, languages="zh", protocol="paper")
    assert "cannot get model absent/model" in played["failures"]["absent/model"]
    content = read_record(tmp_path / "records/mixed-retrieval/use-multilingual-v3/mini.paper.json")
    for name in ("complete@10", "max@r", "max@r_norm/mean-rank", "max@r_norm/per-query"):
        row = rows_of(content["metrics"], Key("multi", name, "en+zh", "zh")).iloc[0]
        assert row["low"] <= row["value"] <= row["high"]
    # three questions a passage: one gold among three copies in each language, six places at least on average
    assert 4 < value_of(content["metrics"], Key("multi", "max@r", "en+zh", "zh")) < 8


def test_the_audit_finds_the_pool_the_misprint_and_the_copied_cells(tmp_path):
    played = play(AUDIT, tmp_path, records_dir="book/records")
    candidates = played["candidates"].xs("copies", level="pool")
    assert candidates["size"].tolist() == [2380, 1800]
    assert candidates["cells explained"].sum() == 312
    assert candidates["cells"].sum() == 320
    misprint = played["misfits"].iloc[0]
    assert (misprint["model"], misprint["target"], misprint["query"]) == ("multilingual-e5-base", "ro", "ro")
    assert (misprint["max@r_norm"], misprint["follows"]) == (39.96, 36.96)
    assert set(played["copied"]["model"]) == {"gte-multilingual-base", "multilingual-e5-base"}
    assert (played["ceilings"]["cells above it"] == played["ceilings"]["size"]).all()
    assert set(played["means"]["protocol"]) == {"paper", "unique"}


def test_chapter_4_trains_records_and_saves(tmp_path, trainable):
    languages = {"train_languages": "zh", "eval_languages": "zh,ar"}
    play(TRAINING, tmp_path, model=str(trainable), **languages, losses="jsd+keep", save_to=str(tmp_path / "trained"))
    folder = tmp_path / "records/finetune" / name_of(str(trainable))
    assert [path.name for path in folder.glob("*.json")] == ["mini-held-out.jsd+keep.zh.seed-42.unique.json"]
    assert (tmp_path / "records/remedies" / name_of(str(trainable)) / "mini-held-out.unique.json").exists()
    content = read_record(folder / "mini-held-out.jsd+keep.zh.seed-42.unique.json")
    assert content["params"]["done"]["trained_on"]["size"] == 96
    trained = tmp_path / f"trained/{name_of(str(trainable))}.jsd+keep.zh.seed-42"
    one, two = (load_model(str(path), cached=False).encode(["the sea", "a boat"]) for path in (trainable, trained))
    assert abs(one - two).max() > 1e-4
    card = (trained / "README.md").read_text(encoding="utf-8")
    key = Key("multi", "max@r", "en+zh", "zh")
    before, after = (value_of(content["metrics"], key._replace(state=state)) for state in ("before", "after"))
    assert f"| multi/en+zh/zh/max@r | {before:.4g} | {after:.4g} |" in card
    assert "- zh" in card.split("---")[1]


def test_chapter_4_trains_as_in_the_paper_once_for_each_language(tmp_path, trainable):
    languages = {"train_languages": "zh,ar", "eval_languages": "zh"}
    played = play(TRAINING, tmp_path, model=str(trainable), **languages, recipe="paper")
    names = [path.name for path in find_records(tmp_path / "records", "finetune")]
    assert names == [f"mini-held-out.jsd+nce.{code}.seed-42.unique.json" for code in ("ar", "zh")]
    recipe = played["runs"][0].comparison.change["recipe"]
    assert (recipe["batch_size"], recipe["epochs"], recipe["dropout"], recipe["mixed"]) == (32, 1, None, False)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["jina_embeddings_v3", "gte"])
def test_chapters_3_and_4_take_the_architectures_of_the_paper(tmp_path, make_trainable, architecture):
    folder = make_trainable(architecture)
    name = name_of(str(folder))
    played = play(RETRIEVAL, tmp_path, models=str(folder), languages="zh", dataset="mini")
    assert not played["failures"]
    (path,) = find_records(tmp_path / "records", "mixed-retrieval")
    found = value_of(read_record(path)["metrics"], Key("mono-same", "mrr", "en", "en"))
    languages = {"train_languages": "zh", "eval_languages": "zh", "save_to": str(tmp_path / "trained")}
    played = play(TRAINING, tmp_path, model=str(folder), **languages, recipe="paper")
    assert bool(played["encoder"].tasks) == architecture.startswith("jina")  # the same tasks before and after
    (run,) = played["runs"]
    after = load_model(str(tmp_path / f"trained/{name}.jsd+nce.zh.seed-42"), dtype="float32", cached=False)
    assert after.tasks == played["encoder"].tasks
    passages = played["data"].passages["zh"]
    assert after.encode(passages, "passage") == pytest.approx(run.comparison.after.retrieval.passages["zh"], abs=1e-5)
    assert abs(after.encode(passages, "passage") - played["passages"]["zh"]).max() > 1e-4
    assert 0 < found <= 1


def test_chapter_4_mixes_languages_that_it_never_trained_on(executed):
    cells = nbformat.read(executed / TRAINING.name, as_version=4).cells
    (cell,) = [cell for cell in cells if "language_table(changes" in cell.source]
    (table,) = pd.read_html(StringIO(cell.outputs[0].data["text/html"]), index_col=[0, 1, 2], flavor="bs4")
    table.columns = table.columns.get_level_values(0)  # below it stand the names of the rows
    changes = table.xs("no", level=1)["change of Max@R"]
    assert set(changes.index.get_level_values(0)) == {"Arabic", "Thai"}
    value, margin = changes.str.split(" ± ", expand=True).astype(float).to_numpy().T
    assert (value + margin < 0).all()


@pytest.mark.parametrize(
    ("notebook", "parameters", "message"),
    [
        *(
            (path, {"recrods_dir": ""}, "unknown parameter 'recrods_dir'; did you mean records_dir")
            for path in NOTEBOOKS
        ),
        (AFFINITY, {"languages": "en,th", "models": "control-random"}, "everyday has no language th; it has en, zh"),
        (RETRIEVAL, {"protocol": "fair"}, "parameter protocol: input should be 'paper' or 'unique' (got 'fair')"),
        (RETRIEVAL, {"languages": "en,zh"}, "English is in every pool already; list only the other languages"),
        (AUDIT, {"slack": -1.0}, "parameter slack: input should be greater than or equal to 0"),
        (TRAINING, {"model": "use-multilingual-v3"}, "model use-multilingual-v3 cannot be trained"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, notebook, parameters, message):
    with pytest.raises(XlError) as caught:
        play(notebook, tmp_path, **parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_papermill_shows_that_line_and_no_frames(tmp_path):
    result = papermill_run(TOUR, tmp_path / "out.ipynb", "-p", "languages", "en,xx")
    assert result.returncode != 0
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("XlError: ")]
    assert "unknown language 'xx'" in line
    assert 'File "' not in result.stderr.split("Exception encountered")[1]
