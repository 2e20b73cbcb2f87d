import numpy as np
import pytest

from xlutils import load_lexicon
from xlutils.datasets.canaries import NAME, OPPOSITE, TEXT, canaries_of, read_canaries, shipped_canaries
from xlutils.datasets.vectors import read_vectors
from xlutils.errors import XlError

HEADER = "id,language,query,document\n"
ROWS = "".join(f"{n},{code},question {n} in {code},answer {n}\n" for n in range(3) for code in ("en", "Swahili"))


def test_the_shipped_canaries_are_names_in_groups_of_four_articles_and_antonyms():
    canaries = shipped_canaries(["sw", "or"])
    assert canaries.languages == ("en", "sw", "or")
    names = [group for kind, group in zip(canaries.kinds, canaries.groups, strict=True) if kind == NAME]
    assert len(names) == 60
    assert {names.count(group) for group in names} == {4}
    texts = {code: np.array([*map(bool, column)]) for code, column in canaries.documents.items()}
    kinds = np.array(canaries.kinds)
    assert texts["sw"][kinds == TEXT].sum() >= 28
    assert texts["sw"][kinds == OPPOSITE].all()
    assert not texts["or"][kinds != NAME].any()  # has neither the declaration nor the antonyms
    assert len(set(canaries.ids)) == len(canaries.ids)


def test_a_seed_draws_other_names_and_the_same_seed_the_same():
    first, again, other = (shipped_canaries(["de"], seed) for seed in (42, 42, 1))
    assert first.sha256 == again.sha256
    assert len(set(first.ids[:60]) & set(other.ids[:60])) < 40


def test_nearly_all_languages_name_the_things_and_spell_them_unlike_english():
    lexicon = load_lexicon("cldr", ["en", "yo", "mi", "zh", "pcm", "tl"])
    canaries = shipped_canaries(["yo"])
    place = {concept: row for row, concept in enumerate(lexicon.concepts)}
    for code in lexicon.languages[1:]:
        comparable = set(lexicon.comparable("en", code))
        assert sum(place[key] in comparable for key in canaries.ids[:60]) >= 50, code


def test_a_csv_is_aligned_by_its_ids(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(HEADER + ROWS + '3,en,"two\nlines",text\n', encoding="utf-8")
    canaries = read_canaries(path, ["sw"])
    assert canaries.languages == ("en", "sw")
    assert canaries.ids == ("0", "1", "2", "3")
    assert canaries.queries["sw"] == [*(f"question {n} in Swahili" for n in range(3)), ""]
    assert canaries.queries["en"][3] == "two\nlines"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,query,document\n1,a,b\n", "no column language"),
        (HEADER, "no rows"),
        (HEADER + "1,en,a,b\n1,English,c,d\n", "'1' is given twice in en"),
        (HEADER + "1,Klingonese,a,b\n", "unknown language"),
        (HEADER + "1,en,a\n", "row 2 has too many or too few"),
        (HEADER + "1,en,a,b,c\n", "row 2 has too many or too few"),
        (HEADER + "1,en,,b\n", "lacks a text"),
        (HEADER + '1,en,"a,b\n', "cannot be read as CSV"),
        (HEADER + ROWS, "no language yo"),
    ],
)
def test_a_bad_csv_is_refused_in_one_line(tmp_path, text, message):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(XlError, match=message) as caught:
        read_canaries(path, ["yo"])
    assert "\n" not in str(caught.value)


def save(folder, vectors, rows):
    folder.mkdir()
    np.save(folder / "vectors.npy", vectors)
    (folder / "texts.csv").write_text("id,language,role\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return folder


def test_folders_of_vectors_give_the_canaries_that_they_share(tmp_path):
    rows = [f"{key},{code},{role}" for key in "ab" for code in ("en", "sw") for role in ("query", "document")]
    one = save(tmp_path / "one", np.ones((8, 3), np.float16), rows)
    other = save(tmp_path / "other", np.ones((6, 5)), rows[:6])
    canaries = canaries_of([read_vectors(one), read_vectors(other)])
    assert canaries.ids == ("a", "b")
    assert canaries.documents == {"en": ["a (en)", "b (en)"], "sw": ["a (sw)", ""]}


@pytest.mark.parametrize(
    ("vectors", "rows", "message"),
    [
        (np.ones((2, 3)), ["a,en,query"], r"must be float \[1, dim\]"),
        (np.ones((1, 3), np.int8), ["a,en,query"], "must be float"),
        (np.ones(1), ["a,en,query"], "must be float"),
        (np.zeros((1, 3)), ["a,en,query"], "a, en, query is zero"),
        (np.full((1, 3), np.nan), ["a,en,query"], "is NaN"),
        (np.ones((2, 3)), ["a,en,query", "a,en,query"], "2 rows are a, en, query"),
        (np.ones((1, 3)), ["a,en,title"], "'title' is not a role"),
        (np.ones((1, 3)), ["a,xx-none,query"], "unknown language"),
    ],
)
def test_bad_vectors_are_refused_in_one_line(tmp_path, vectors, rows, message):
    with pytest.raises(XlError, match=message):
        read_vectors(save(tmp_path / "v", vectors, rows))


def test_missing_files_are_named(tmp_path):
    with pytest.raises(XlError, match=r"vectors.npy cannot be read"):
        read_vectors(tmp_path)
    np.save(tmp_path / "vectors.npy", np.ones((1, 2)))
    with pytest.raises(XlError, match=r"no file texts.csv"):
        read_vectors(tmp_path)
