"""What every interactive figure must do in a browser."""


def assert_suits_both_looks(open_page, figure, texts):
    """Open a figure in light and in dark: it fits, is readable, follows the reader's choice and the book's own switch.

    :param open_page: Opens the figure, alone on a page, in a colour scheme.
    :param figure: Its selector.
    :param texts: Kinds of elements whose letters must not be small.
    """
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        sizes = page.locator(f"{figure} :is({texts})").evaluate_all(
            "all => all.map(part => parseFloat(getComputedStyle(part).fontSize))"
        )
        assert min(sizes) >= 14
        look = f"getComputedStyle(document.querySelector('{figure}'))"
        ground, text = page.evaluate(
            f"""() => ["backgroundColor", "color"].map((name) => parseInt({look}[name].match(/\\d+/)[0]))"""
        )
        assert (ground > text) == (scheme == "light")
        page.evaluate("document.documentElement.dataset.theme = 'light'")  # the book's own switch
        assert "255, 255, 255" in page.evaluate(f"{look}.backgroundColor")
