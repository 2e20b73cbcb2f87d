"""The citation on the front page comes from CITATION.cff."""

import citation


def test_the_entry_has_the_title_version_and_address(monkeypatch):
    monkeypatch.setenv("BOOK_REPOSITORY", "https://github.com/owner/book")
    text, known = citation.how_to_cite(), citation.read_citation()
    assert text.startswith(known["message"])
    assert f"title = {{{{{known['title']}}}}}" in text
    assert f"version = {{{known['version']}}}" in text
    assert "url = {https://github.com/owner/book}" in text


def test_without_an_address_the_picture_is_found_from_the_page(monkeypatch):
    for name in ("BOOK_REPOSITORY", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    assert "url =" not in citation.how_to_cite()
    assert 'property="og:image" content="../_static/preview.png"' in citation.meta_tags()
