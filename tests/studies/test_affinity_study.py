import numpy as np
import pytest

from xlutils.datasets import load_lexicon
from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.records import read_items, read_record, write_record
from xlutils.studies.affinity import study_affinity, tier


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
    items = read_items(path)
    assert items["inter"].mean() == pytest.approx(content["metrics"]["inter_spread"])


class OnePoint:
    """A model that has collapsed."""

    dim, revision = 4, "1"

    def embed(self, texts, prompt, task):
        yield list(range(len(texts))), np.ones((len(texts), 4))


def test_a_collapsed_model_has_a_record_too(tmp_path):
    from xlutils.models.encoder import Encoder

    study = study_affinity(Encoder("one-point", "test/one-point", "1", OnePoint()), load_lexicon("concepts-core"))
    content = read_record(write_record(tmp_path, study.record(1), study.items()))
    assert content["params"]["status"] == "COLLAPSED"
    assert content["metrics"]["sa"] == 0
    assert "sr" not in content["metrics"]


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
