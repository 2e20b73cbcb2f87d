"""Every notebook: clean in the repository, runs from the command line, leaves clean outputs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest

from xlutils import load_model
from xlutils.datasets import load_lexicon
from xlutils.records import find_records, read_items, read_record

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
COMMON = {"records_dir", "seed", "device"}
TOUR = ROOT / "notebooks/00_tour.ipynb"


def run(notebook, target, *arguments):
    """Plain papermill, as the README has it."""
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(notebook), str(target), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def refusal(notebook, folder, *arguments):
    """Run a notebook that must end with one line for the user, and return that line."""
    result = run(notebook, folder / "out.ipynb", "-p", "records_dir", str(folder / "records"), *arguments)
    assert result.returncode != 0
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("XlError: ")]
    assert 'File "' not in result.stderr.split("Exception encountered")[1]  # no frames after it
    return line


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_source_is_clean(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 25, cell.source
            assert before.cell_type == "markdown" or len(before.source.splitlines()) <= 15 or "record" in cell.source
    assert notebook.cells[0].source.startswith("# ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_parameter_has_a_type_and_a_comment(path):
    notebook = nbformat.read(path, as_version=4)
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    for line in tagged[0].source.splitlines():
        assert re.fullmatch(r"\w+: (str|int|float|bool) = .+  # .+", line), line
    parameters = papermill.inspect_notebook(str(path))
    others = {"model", "train_languages", "eval_languages"} if path.stem.startswith("04") else {"models", "languages"}
    assert set(parameters) >= COMMON | others
    assert all(parameter["help"] for parameter in parameters.values())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_figures_have_an_alternative_text(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "plots." in cell.source and "interactive" not in cell.source:
            assert len(cell.metadata["mystnb"]["image"]["alt"]) > 40


def clean_outputs(path, *never):
    """Read what the cells of an executed notebook showed, and see that nothing of this machine is in it."""
    outputs = [o for cell in nbformat.read(path, as_version=4).cells for o in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    text = "".join(str(output.get("data", "")) for output in outputs)
    for each in (ROOT, *never):
        assert str(each) not in text
    return text


CONCEPTS = ROOT / "notebooks/01_concept_alignment.ipynb"


def test_chapter_1_writes_its_record(tmp_path):
    arguments = ["-p", "models", "use-multilingual-v3", "-p", "dataset", "concepts-core", "-p", "records_dir"]
    result = run(CONCEPTS, tmp_path / "out.ipynb", *arguments, str(tmp_path / "r"))
    assert result.returncode == 0, result.stderr[-2000:]
    content = read_record(tmp_path / "r/concept-alignment/use-multilingual-v3/concepts-core.json")
    wanted = {"intra_concept", "nn_accuracy", "retrieval_accuracy", "overall", "discriminability"}
    assert wanted <= set(content["metrics"])
    clean_outputs(tmp_path / "out.ipynb", tmp_path)


def test_chapter_1_takes_a_csv(tmp_path):
    rows = "english,japanese,turkish\nsun,太陽,güneş\nsea,海,deniz\ntree,木,ağaç\nfear,恐怖,\n"
    (tmp_path / "my.csv").write_text(rows, encoding="utf-8")
    arguments = ["-p", "models", "use-multilingual-v3", "-p", "dataset", str(tmp_path / "my.csv")]
    result = run(CONCEPTS, tmp_path / "out.ipynb", *arguments, "-p", "records_dir", str(tmp_path / "r"))
    assert result.returncode == 0, result.stderr[-2000:]
    content = read_record(tmp_path / "r/concept-alignment/use-multilingual-v3/my.json")
    assert content["dataset"]["languages"] == ["en", "ja", "tr"]


AFFINITY = ROOT / "notebooks/02_semantic_affinity.ipynb"


def test_chapter_2_takes_a_csv_and_writes_a_record_a_model(tmp_path):
    rows = ["english,chinese,category"]
    lexicon = load_lexicon("concepts-core", ["en", "zh"])
    cells = zip(*lexicon.cells.values(), lexicon.categories, strict=True)
    rows += [f"{'|'.join(en)},{'|'.join(zh)},{category}" for en, zh, category in cells]
    (tmp_path / "my.csv").write_text("\n".join(rows), encoding="utf-8")
    arguments = ["-p", "models", "use-multilingual-v3,multilingual-e5-small-q4", "-p", "languages", "zh,en"]
    arguments += ["-p", "datasets", str(tmp_path / "my.csv"), "-p", "records_dir", str(tmp_path / "r")]
    result = run(AFFINITY, tmp_path / "out.ipynb", *arguments)
    assert result.returncode == 0, result.stderr[-2000:]
    values = {}
    for name in ("use-multilingual-v3", "multilingual-e5-small-q4"):
        content = read_record(tmp_path / f"r/semantic-affinity/{name}/my.json")
        assert {"sa", "sa_sem", "inter_spread", "intra_spread", "sr", "n_pairs"} <= set(content["metrics"])
        assert content["dataset"]["languages"] == ["zh", "en"]
        values[name] = content["ci95"]["sa"]
    assert values["use-multilingual-v3"][0] > values["multilingual-e5-small-q4"][1]
    clean_outputs(tmp_path / "out.ipynb", tmp_path)


def test_chapter_2_goes_on_without_a_model_that_cannot_be_had(tmp_path):
    arguments = ["-p", "models", "LaBSE,control-random", "-p", "datasets", "concepts-core", "-p", "records_dir"]
    result = run(AFFINITY, tmp_path / "out.ipynb", *arguments, str(tmp_path / "r"))
    assert result.returncode == 0, result.stderr[-2000:]
    assert [path.parent.name for path in find_records(tmp_path / "r")] == ["control-random", "control-random"]
    assert "cannot get model sentence-transformers/LaBSE" in (tmp_path / "out.ipynb").read_text(encoding="utf-8")


def test_chapter_2_refuses_a_language_that_the_data_have_not(tmp_path):
    line = refusal(AFFINITY, tmp_path, "-p", "languages", "en,th", "-p", "models", "control-random")
    assert "everyday has no language th; it has en, zh" in line


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """The tour, run twice with its default models."""
    folder = tmp_path_factory.mktemp("tour")
    for number in "12":
        result = run(TOUR, folder / f"out{number}.ipynb", "-p", "records_dir", str(folder / f"r{number}"))
        assert result.returncode == 0, result.stderr[-2000:]
    return folder


def test_the_tour_writes_its_records(tour):
    paths = find_records(tour / "r1")
    assert [path.relative_to(tour / "r1").as_posix() for path in paths] == [
        "concept-alignment/multilingual-e5-small-q4/concepts-core.tour.json",
        "concept-alignment/use-multilingual-v3/concepts-core.tour.json",
    ]
    e5, use = (read_record(path)["metrics"] for path in paths)
    assert use["discriminability"] > 0.3 > e5["discriminability"] > 0  # the narrow cone of E5
    items = read_items(paths[1])
    assert len(items) == read_record(paths[1])["dataset"]["size"] == 6
    assert items["gap"].mean() == pytest.approx(use["discriminability"])


def test_the_same_run_gives_the_same_record(tour):
    for first in find_records(tour / "r1"):
        second = tour / "r2" / first.relative_to(tour / "r1")
        contents = [json.loads(path.read_text()) for path in (first, second)]
        for content in contents:
            content.pop("created"), content.pop("timing")
        assert contents[0] == contents[1]
        assert first.with_suffix(".parquet").read_bytes() == second.with_suffix(".parquet").read_bytes()


def test_the_outputs_hold_no_debris(tour):
    notebook = nbformat.read(tour / "out1.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type in ("stream", "error")]
    figures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(figures) == 1
    text = "".join(str(value) for output in outputs for kind, value in output["data"].items() if "image" not in kind)
    for debris in (str(ROOT), str(tour), "/root/", "/home/", "Warning", "it/s"):
        assert debris not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "modles", "LaBSE"], "unknown parameter 'modles'; did you mean models"),
        (["-p", "models", "LaBES"], "unknown model 'LaBES'; did you mean LaBSE"),
        (["-p", "languages", "en,xx"], "unknown language 'xx'"),
        (["-p", "seed", "abc"], "parameter seed: input should be a valid integer"),
    ],
)
def test_a_wrong_parameter_fails_in_one_line(tmp_path, arguments, message):
    assert message in refusal(TOUR, tmp_path, *arguments)


def test_other_models_and_languages(tmp_path):
    arguments = ["-p", "models", "control-random,control-ngram-hash", "-p", "languages", "English,ja,de"]
    result = run(TOUR, tmp_path / "out.ipynb", *arguments, "-p", "records_dir", str(tmp_path / "r"))
    assert result.returncode == 0, result.stderr[-2000:]
    random = read_record(tmp_path / "r/concept-alignment/control-random/concepts-core.tour.json")
    assert random["dataset"]["languages"] == ["en", "ja", "de"]
    low, high = random["ci95"]["discriminability"]
    assert low < 0 < high  # no meaning, no gap
    outputs = (tmp_path / "out.ipynb").read_text(encoding="utf-8")
    assert "**control-random** does not reliably tell" in outputs


RETRIEVAL = ROOT / "notebooks/03_mixed_language_retrieval.ipynb"


def test_chapter_3_writes_a_record_under_the_protocol_of_the_paper(tmp_path):
    arguments = ["-p", "models", "absent/model,use-multilingual-v3", "-p", "languages", "zh", "-p", "protocol", "paper"]
    result = run(RETRIEVAL, tmp_path / "out.ipynb", *arguments, "-p", "records_dir", str(tmp_path / "r"))
    assert result.returncode == 0, result.stderr[-2000:]
    content = read_record(tmp_path / "r/mixed-retrieval/use-multilingual-v3/mini.paper.json")
    for name in ("complete@10", "max@r", "max@r_norm/mean-rank", "max@r_norm/per-query"):
        low, high = content["ci95"][f"multi/en+zh/zh/{name}"]
        assert low <= content["metrics"][f"multi/en+zh/zh/{name}"] <= high
    # three questions a passage: one gold among three copies in each language, six places at least on average
    assert 4 < content["metrics"]["multi/en+zh/zh/max@r"] < 8
    assert "cannot get model absent/model" in clean_outputs(tmp_path / "out.ipynb", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "languages", "zh,Chinese"], "language 'Chinese' is given twice"),
        (["-p", "languages", "en,zh"], "English is in every pool already; name the others"),
        (["-p", "scenarios", "multi,mixed"], "unknown scenario 'mixed'; known: mono-same"),
        (["-p", "protocol", "fair"], "parameter protocol: input should be 'paper' or 'unique' (got 'fair')"),
        (["-p", "k", "1000"], "mini: the pool of multi/en+zh/en holds 128 documents; give a k below that, not 1000"),
        (["-p", "languages", "ko"], "mini has no language ko; it has"),
    ],
)
def test_chapter_3_refuses_what_cannot_be(tmp_path, arguments, message):
    assert message in refusal(RETRIEVAL, tmp_path, *arguments)


TRAINING = ROOT / "notebooks/04_finetune_alignment.ipynb"


def test_chapter_4_trains_records_and_saves(tmp_path):
    arguments = ["-p", "train_languages", "zh", "-p", "eval_languages", "zh,ar", "-p", "losses", "jsd+keep"]
    folders = ["-p", "records_dir", str(tmp_path / "r"), "-p", "save_to", str(tmp_path / "trained")]
    result = run(TRAINING, tmp_path / "out.ipynb", *arguments, "-p", "epochs", "1", *folders)
    assert result.returncode == 0, result.stderr[-2000:]
    folder = tmp_path / "r/finetune/multilingual-e5-small-q4"
    names = {path.name for path in folder.glob("*.json")}
    assert names == {f"mini-held-out.{name}.unique.json" for name in (
        "centring", "components_removed", "language_space_removed", "rotation", "CSLS", "jsd+keep"
    )}  # fmt: skip
    content = read_record(folder / "mini-held-out.jsd+keep.unique.json")
    low, high = content["ci95"]["change/multi/en+ar/ar/max@r"]  # never trained on
    assert low <= high < 0
    assert content["params"]["done"]["trained_on"]["size"] == 96
    encoder = load_model(str(tmp_path / "trained/jsd+keep"), cached=False)
    vectors = encoder.encode(["A cat sleeps.", "一只猫在睡觉。", "The bank closed."])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    card = (tmp_path / "trained/jsd+keep/README.md").read_text(encoding="utf-8")
    before, after = (content["metrics"][f"{side}/multi/en+zh/zh/max@r"] for side in ("before", "after"))
    assert f"| multi/en+zh/zh/max@r | {before:.4g} | {after:.4g} |" in card
    assert "- zh" in card.split("---")[1]
    clean_outputs(tmp_path / "out.ipynb", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "losses", "jsd+mse"], "unknown loss 'mse'"),
        (["-p", "model", "use-multilingual-v3"], "model use-multilingual-v3 cannot be trained"),
        (["-p", "batch_size", "5000"], "triples are fewer than a batch of 5000"),
        (["-p", "train_languages", "en"], "train_languages: every triple holds English already"),
    ],
)
def test_chapter_4_refuses_what_cannot_be(tmp_path, arguments, message):
    assert message in refusal(TRAINING, tmp_path, *arguments)
