"""Related words from two small wordnets."""

import pytest

from xlutils.datasets.relations import load_relations
from xlutils.datasets.wordnet import load_wordnet
from xlutils.errors import XlError

wn = pytest.importorskip("wn")
CONCEPTS = {"i1": ("dog", "Hund"), "i2": ("animal", "Tier"), "i3": ("wheel", "Rad"), "i4": ("car", "Auto")}
CONCEPTS |= {"i5": ("hot", "heiß"), "i6": ("cold", "kalt"), "i7": ("living_thing", None)}
RELATIONS = [("i1", "hypernym", "i2"), ("i2", "hypernym", "i7"), ("i3", "holo_part", "i4"), ("i4", "mero_part", "i3")]


def lexicon(code, side, relations):
    entries, synsets = [], []
    for ili, words in CONCEPTS.items():
        if not words[side]:
            continue
        opposite = {"i5": "i6", "i6": "i5"}.get(ili) if relations else None
        antonym = f'<SenseRelation relType="antonym" target="{code}-s-{opposite}"/>' if opposite else ""
        sense = f'<Sense id="{code}-s-{ili}" synset="{code}-{ili}">{antonym}</Sense>'
        lemma = f'<Lemma writtenForm="{words[side]}" partOfSpeech="n"/>'
        entries.append(f'<LexicalEntry id="{code}-w-{ili}">{lemma}{sense}</LexicalEntry>')
        lines = "".join(
            f'<SynsetRelation relType="{kind}" target="{code}-{other}"/>'
            for one, kind, other in RELATIONS
            if one == ili and relations
        )
        synsets.append(f'<Synset id="{code}-{ili}" ili="{ili}" partOfSpeech="n">{lines}</Synset>')
    about = f'id="t{code}" label="test" language="{code}" email="a@b.c" license="CC0" version="1"'
    return f"<Lexicon {about}>{''.join(entries)}{''.join(synsets)}</Lexicon>"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    monkeypatch.setattr(wn.config, "data_directory", tmp_path / "wn")
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE LexicalResource SYSTEM '
    text += '"http://globalwordnet.github.io/schemas/WN-LMF-1.0.dtd">\n'
    text += '<LexicalResource xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
    text += lexicon("en", 0, relations=True) + lexicon("de", 1, relations=False) + "</LexicalResource>"
    (tmp_path / "two.xml").write_text(text, encoding="utf-8")
    wn.add(tmp_path / "two.xml", progress_handler=None)


def test_pairs_have_words_in_all_languages(installed):
    pairs = load_wordnet(["English", "de"])
    assert pairs.languages == ("en", "de")
    both = {
        group: (pairs.first["en"][row], pairs.second["en"][row], pairs.first["de"][row], pairs.second["de"][row])
        for row, group in enumerate(pairs.groups)
    }
    assert both["hypernym"] == ("dog", "animal", "Hund", "Tier")  # "living thing" has no German word
    assert both["part"] == ("wheel", "car", "Rad", "Auto")
    assert set(both["antonym"]) == {"hot", "cold", "heiß", "kalt"}
    assert len(pairs.ids) == 3
    assert load_relations("wordnet", ["en", "de"]) == pairs
    with pytest.raises(XlError, match="wordnet: name the languages"):
        load_relations("wordnet")
    alone = load_wordnet(["en"])
    assert "living thing" in alone.second["en"]
    assert len(load_wordnet(["en"], count=1).ids) == 3


def test_a_wordnet_that_is_not_installed_is_named(installed):
    with pytest.raises(XlError, match=r"no wordnet of fr is installed \(of these languages: de, en\)"):
        load_wordnet(["en", "fr"])
    with pytest.raises(XlError, match="the wordnets of de, en share no related words"):
        load_wordnet(["de", "en"])
