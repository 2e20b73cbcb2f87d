"""What several commands take: names, and their completion in a shell."""

from __future__ import annotations

import click


def names_in(text: str) -> list[str]:
    """Split names at commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def complete_models(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Complete the last of several model names separated by commas, for the shell."""
    from xlutils.models.catalogue import CATALOGUE

    before, comma, last = begun.rpartition(",")
    return [f"{before}{comma}{name}" for name in CATALOGUE if name.lower().startswith(last.lower())]
