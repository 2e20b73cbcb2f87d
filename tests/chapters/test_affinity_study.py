import numpy as np
import pytest

from xlutils.chapters.affinity import study_affinity, tier
from xlutils.datasets import load_lexicon
from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.models.encoder import Encoder
from xlutils.results.record import read_items, read_record, write_record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def studies():
    lexicons = [load_lexicon(name, ["en", "zh"]) for name in ("everyday", "culture", "untranslatable", "oracle-bone")]
    names = ("use-multilingual-v3", "multilingual-e5-small-q4", "control-random")
    return {name: [study_affinity(load_model(name), lexicon) for lexicon in lexicons] for name in names}


def test_the_bundled_models_lie_in_different_tiers_on_every_lexicon(studies):
    for use, e5 in zip(studies["use-multilingual-v3"], studies["multilingual-e5-small-q4"], strict=True):
        assert use.affinity.interval()[0] > e5.affinity.interval()[1], use.lexicon.name
    means = {name: np.mean([study.affinity.sa for study in group]) for name, group in studies.items()}
    print({name: round(float(mean), 3) for name, mean in means.items()})
    assert [tier(means[name]) for name in studies] == ["aligned", "between", "between"]
    assert means["control-random"] == pytest.approx(0.5, abs=0.005)


def test_everyday_words_align_best_and_primitives_worst(studies):
    everyday, culture, _, oracle = (study.affinity.sa for study in studies["use-multilingual-v3"])
    assert everyday > culture > oracle


def test_the_record(studies, tmp_path):
    study = studies["use-multilingual-v3"][0]
    path = write_record(tmp_path, study.record(1), study.items())
    content = read_record(path)
    assert path.relative_to(tmp_path).as_posix() == "semantic-affinity/use-multilingual-v3/everyday.json"
    wanted = {"sa", "sa_sem", "inter_spread", "intra_spread", "sr", "n_pairs", "language/zh/sa", "pair/en+zh/sa"}
    assert wanted <= set(content["metrics"])
    low, high = content["ci95"]["sa"]
    assert low < content["metrics"]["sa"] < high
    assert content["metrics"]["pair/en+zh/sa"] == pytest.approx(content["metrics"]["sa"])
    assert set(content["ci95"]) == {name for name in content["metrics"] if name.split("/")[-1] == "sa"}
    items = read_items(path)
    assert items["sa_value"].mean() == pytest.approx(content["metrics"]["sa"])
    assert items["inter"].mean() == pytest.approx(content["metrics"]["inter_spread"])


class OnePoint:
    """A model that gives every text the same numbers."""

    dim, revision = 4, "1"

    def __init__(self, number):
        self.number = number

    def embed(self, texts, prompt, task):
        yield list(range(len(texts))), np.full((len(texts), 4), self.number)


@pytest.mark.parametrize("number", [1.0, 0.0, np.nan, np.inf])
def test_a_collapsed_model_has_a_record_too(tmp_path, number):
    encoder = Encoder("one-point", "test/one-point", "1", OnePoint(number), cached=False)
    study = study_affinity(encoder, load_lexicon("concepts-core"))
    content = read_record(write_record(tmp_path, study.record(1), study.items()))
    assert content["params"]["status"] == "COLLAPSED"
    assert content["metrics"]["sa"] == 0
    assert "sr" not in content["metrics"]
    assert ("fault" in content["params"]) == (number != 1.0)
    assert content["metrics"]["language/en/unread"] == 15


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("en\ncar\nsun\n", "mine: Semantic Affinity needs two languages, got en"),
        ("en,de\ncar,\nsun,\n,Meer\n,Baum\n", "mine: no concept has words in two languages"),
        ("en,de\ncar,Auto\n", "mine: language en has 1 words"),
    ],
)
def test_too_little_to_measure_is_one_clear_line(tmp_path, text, message):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(XlError, match=message):
        study_affinity(load_model("control-random"), load_lexicon(path))


def test_tables_by_language_and_pair(studies):
    study = studies["use-multilingual-v3"][0]
    by_language, by_pair = study.by_language(1), study.by_pair(1)
    assert by_language.index.tolist() == ["all", "en", "zh"]
    assert by_language.loc["all", "value"] == study.affinity.sa
    assert by_language["value"].to_numpy()[1:] == pytest.approx(study.affinity.sa_values_by_language.mean(axis=0))
    assert by_pair.index.tolist() == [("en", "zh")]
    assert by_pair.iloc[0]["value"] == pytest.approx(study.affinity.sa)
    for table in (by_language, by_pair):
        assert ((table["low"] < table["value"]) & (table["value"] < table["high"])).all()


def test_words_run_from_the_worst_and_rows_carry_their_own_vectors(studies):
    study = studies["use-multilingual-v3"][0]
    words = study.words()
    assert words["sa"].is_monotonic_increasing
    assert words.loc[0, "sa"] == pytest.approx(study.affinity.sa_by_concept.min())
    rows, vectors = study.rows()
    assert len(rows) == len(vectors) > len(study.lexicon.concepts) * 2
    row = rows.index(("water", "zh", "水"))
    assert np.array_equal(vectors[row], study.spaces["zh"][study.lexicon.words("zh").index("水")])


def test_words_that_a_model_cannot_read(studies):
    study = studies["use-multilingual-v3"][3]  # old characters
    unread = study.unread()
    assert not unread["en"]
    assert len(unread["zh"]) > 20
    rest = study.readable()
    gone = {c for c, cell in zip(study.lexicon.concepts, study.lexicon.cells["zh"], strict=True)
            if set(cell) & set(unread["zh"])}  # fmt: skip
    assert set(study.lexicon.concepts) - set(rest.concepts) == gone
    assert rest.sa > study.affinity.sa
    assert not any(studies["control-random"][3].unread().values())
