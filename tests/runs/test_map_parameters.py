"""The parameters of chapter 7, and which records they ask for."""

from dataclasses import replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from xlutils.datasets import load_lexicon
from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.results.record import Record, describe_dataset, describe_model, write_record
from xlutils.results.rows import metric_table
from xlutils.runs.cells import Cell, make_cells
from xlutils.runs.parameters import MapParameters
from xlutils.runs.recorded import find_recorded, refuse_shared, wanted

GOOD = {
    "models": "use-multilingual-v3,LaBSE",
    "onto": "",
    "dataset": "cldr",
    "languages": "de,Swahili",
    "pivot": "English",
    "scale": "short",
    "corrections": "",
    "save_to": "",
    "records_dir": "records",
    "seed": 42,
    "device": "cpu",
}
ROW = {"kind": "language", "metric": "accuracy", "language": "de", "value": 0.5}


def test_the_spaces_are_mapped_onto_the_models_themselves_or_onto_others():
    chosen = MapParameters.check(GOOD)
    assert (chosen.models, chosen.onto) == (("use-multilingual-v3", "LaBSE"), ())
    assert (chosen.pivot, chosen.languages) == ("en", ("de", "sw"))
    assert MapParameters.check(GOOD | {"onto": "bge-m3, LaBSE"}).onto == ("bge-m3", "LaBSE")


def test_a_folder_to_save_to_is_checked_where_there_is_one(tmp_path):
    assert MapParameters.check(GOOD).save_to == ""
    assert MapParameters.check(GOOD | {"save_to": str(tmp_path / "maps")}).save_to == str(tmp_path / "maps")
    with pytest.raises(XlError, match="parameter save_to: cannot write into /proc/maps; give another folder"):
        MapParameters.check(GOOD | {"save_to": "/proc/maps"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": "large"}, "parameter scale: input should be 'short' or 'full'"),
        ({"onto": "LaBES"}, "unknown model 'LaBES'; did you mean LaBSE"),
        ({"onto": "LaBSE,LaBSE"}, "parameter onto: LaBSE is given twice"),
        ({"languages": "all"}, "unknown language 'all'"),
        ({"languages": ""}, "parameter languages: got nothing"),
        ({"pivot": "en,fr"}, "parameter pivot: got 'en,fr'; give one language"),
        ({"dataset": ""}, "parameter dataset: "),
        ({"sizes": "5,25"}, "unknown parameter 'sizes'"),
        ({"correction": "mine.csv"}, "unknown parameter 'correction'; did you mean corrections"),
    ],
)
def test_bad_values_are_one_line_that_names_the_parameter(changes, message):
    with pytest.raises(XlError, match=message) as caught:
        MapParameters.check(GOOD | changes)
    assert "\n" not in str(caught.value)


@pytest.fixture
def notebook(tmp_path):
    """A chapter 7 that has its parameters and nothing else."""
    lines = [f"{name}: {type(value).__name__} = {value!r}  # {name}" for name, value in GOOD.items()]
    cell = new_code_cell("\n".join(lines), metadata={"tags": ["parameters"]})
    path = tmp_path / "07_maps.ipynb"
    nbformat.write(new_notebook(cells=[cell]), path)
    return path


def cell_of(notebook, **changes):
    (cell,) = make_cells(["control-random"], [str(notebook)], ["cldr"], changes)
    return cell


def written_record(folder, *, everything, variant=""):
    about = describe_model(load_model("control-random", cached=False))
    data = describe_dataset(load_lexicon("cldr", ["en", "de", "sw"]), 1572)
    params = {"pivot": "en", "seed": 42, "draws": 1, "mapped": ["de", "sw"], "everything": everything}
    record = Record("maps", about, data, params, metric_table([ROW]), {"encode": 1.0, "measure": 2.0}, variant=variant)
    return write_record(folder, record)


def test_a_part_that_the_page_runs_is_no_record_of_everything(notebook, tmp_path):
    short, full = cell_of(notebook), cell_of(notebook, scale="full")
    folder = tmp_path / "records"
    assert find_recorded(short, [folder]) == find_recorded(full, [folder]) == []
    written_record(folder, everything=False, variant="live")
    assert len(find_recorded(short, [folder])) == 1
    assert find_recorded(full, [folder]) == []
    written_record(folder, everything=True)
    (content,) = find_recorded(full, [folder])
    assert content["params"]["everything"]


def test_another_seed_pivot_or_language_is_another_record(notebook, tmp_path):
    written_record(tmp_path / "records", everything=False, variant="live")
    assert len(find_recorded(cell_of(notebook, languages="sw"), [tmp_path / "records"])) == 1  # part of those it has
    for changes in ({"seed": "1"}, {"pivot": "de"}, {"languages": "de,fr"}):
        assert find_recorded(cell_of(notebook, **changes), [tmp_path / "records"]) == []


def test_one_record_is_wanted_for_each_model_and_lexicon(notebook):
    (record,) = wanted(cell_of(notebook))
    assert record.place == ("maps", "control-random", "cldr", "en")
    assert dict(record.facts) == {"pivot": "en", "seed": 42, "everything": False}
    assert record.parts == {"de", "sw"}
    cell = cell_of(notebook)
    assert isinstance(cell, Cell)
    with pytest.raises(XlError, match="would write the same record"):
        refuse_shared([cell, replace(cell, variant="again")])


def test_chapter_7_takes_words(notebook):
    (cell,) = make_cells(["control-random"], [str(notebook)], ["xquad"], {})
    assert cell.dataset == ""  # the notebook's own
    assert cell_of(notebook).name == "07_maps.control-random.cldr"
