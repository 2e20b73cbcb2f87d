import pytest

from xlutils.datasets.reported import load_reported
from xlutils.errors import XlError


def test_the_concept_study_adds_up():
    """The published aggregates follow from the published parts, to the digits printed."""
    table = load_reported("concept-study")
    assert "Cross-Lingual Knowledge Alignment Analysis" in table.attrs["source"]
    whole = table[table["item"] == ""].set_index("metric")["value"]
    concepts = table[(table["metric"] == "intra_concept") & (table["item"] != "")]
    assert len(concepts) == 15
    assert concepts["value"].mean() == pytest.approx(whole["intra_concept"], abs=5e-4)
    weighted = 0.3 * whole["intra_concept"] + 0.3 * whole["nn_accuracy"] + 0.4 * whole["retrieval_accuracy"]
    assert weighted == pytest.approx(whole["overall"], abs=5e-4)
    assert whole["same_concept"] - whole["different_concepts"] == pytest.approx(whole["discriminability"], abs=1e-3)


def test_an_unknown_name():
    with pytest.raises(XlError, match="did you mean concept-study"):
        load_reported("concept-studi")


def test_the_affinity_paper_gave_three_values_a_range_and_a_bound():
    table = load_reported("semantic-affinity").set_index("item")
    assert "arXiv:2601.09732" in table.attrs["source"]
    assert table["value"].dropna().to_dict() == {"LaBSE": 0.70, "USE": 0.68, "S-BERT": 0.68}
    ranges = table[table["value"].isna()]
    assert ranges["low"].tolist()[0] == 0.55
    assert ranges["low"].isna().tolist() == [False, True]
    assert ranges["high"].tolist() == [0.61, 0.50]
