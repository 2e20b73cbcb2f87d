import numpy as np
import pandas as pd
import pytest

from xlutils.chapters.affinity import drift_table, moved_words, study_affinity
from xlutils.datasets import load_lexicon
from xlutils.models import load_model


def test_a_character_has_moved_if_a_modern_word_is_nearer_than_its_glosses(tmp_path, planted_encoder):
    (tmp_path / "early.csv").write_text(
        "en,zh\nsnake,它\nsun|day,日\nboth,同\nunread|one,犬\nunread2,豕\n", encoding="utf-8"
    )
    (tmp_path / "modern.csv").write_text("en,zh\nit,它们\nday,天\nstone,石\n", encoding="utf-8")
    vectors = {"它": (1, 0, 0), "snake": (0, 1, 0), "it": (0.9, 0.1, 0), "日": (0, 1, 0.5), "sun": (0, 0.5, 1)}
    vectors |= {"day": (0, 1, 0.4), "同": (0, 0, 1), "both": (0, 0.6, 0.8), "stone": (0, 0.6, 0.8)}
    vectors |= {"犬": (5, 5, 5), "豕": (5, 5, 5), "unread": (1, 2, 3), "one": (3, 1, 2), "unread2": (2, 2, 3)}
    vectors |= {"它们": (1, 0.2, 0), "天": (0, 1, 0.1), "石": (0.1, 0.6, 0.8)}
    encoder = planted_encoder(vectors)
    early, modern = (study_affinity(encoder, load_lexicon(tmp_path / f"{name}.csv")) for name in ("early", "modern"))
    table = moved_words(early, modern).set_index("word")
    assert table.loc["它", ["gloss", "modern", "moved"]].tolist() == ["snake", "it", 1]
    assert table.loc["日", ["gloss", "moved"]].tolist() == ["day", 0]  # its own gloss does not compete with it
    assert table.loc["同", "moved"] == 0.5  # a tie
    assert "犬" not in table.index  # unreadable: it shares its vector


def test_moved_words_are_those_of_plain_loops():
    lexicons = [load_lexicon(name, ["en", "zh"]) for name in ("oracle-bone", "everyday")]
    encoder = load_model("use-multilingual-v3")
    early, modern = (study_affinity(encoder, lexicon) for lexicon in lexicons)
    table, today = moved_words(early, modern), lexicons[1].words("en")
    crowd = encoder.encode(today, role="word")
    for concept in table.index[::40]:
        row = lexicons[0].concepts.index(concept)
        words, glosses = (lexicons[0].cells[code][row] for code in ("zh", "en"))
        (word,), own = encoder.encode(list(words), role="word"), encoder.encode(list(glosses), role="word")
        rival = max(float(word @ vector) for vector, name in zip(crowd, today, strict=True) if name not in glosses)
        lead = rival - max(float(word @ vector) for vector in own)
        assert table.loc[concept, "lead"] == pytest.approx(lead, abs=1e-5)


def items(moved, count=200):
    return pd.DataFrame({"moved": (np.arange(count) < moved * count).astype(float)})


def test_drift_is_what_early_characters_move_beyond_modern_words():
    plain = pd.DataFrame({"sa": [1.0]})
    models = {"drifts": [items(0.1), items(0.6)], "wrong": [items(0.6), items(0.6)], "other": [plain, plain]}
    table = drift_table(models, seed=1)
    assert table.index.tolist() == ["drifts", "wrong"]
    assert table.loc["drifts", ["moved", "modern", "value"]].tolist() == pytest.approx([0.6, 0.1, 0.5])
    assert table.loc["drifts", "low"] > 0.3
    assert table.loc["wrong", "low"] < 0 < table.loc["wrong", "high"]
