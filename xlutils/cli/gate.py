"""The command that says whether another model is safe to ship, language by language."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from xlutils.cli.arguments import complete_models, names_in
from xlutils.errors import XlError


class _Refusal(click.ClickException):
    exit_code = 2  # 1 says that a language got worse


class _Gate(click.Command):
    """Bad input is one line, with the exit code of what could not be judged."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except XlError as error:
            raise _Refusal(str(error)) from None


@click.command(cls=_Gate)
@click.argument("base", required=False, shell_complete=complete_models)
@click.argument("candidate", required=False, shell_complete=complete_models)
@click.option("--languages", default="", help="Tags such as sw,yo; default: all that the base knows.")
@click.option("--canaries", type=click.Path(path_type=Path), help="CSV with the columns id, language, query, document.")
@click.option("--margin", default=0.02, show_default=True, help="Fall of a mean, from 0 to 1, that does not matter.")
@click.option("--seed", default=42, show_default=True, help="Draws the canaries and the intervals.")
@click.option("--base-prompt", "base_prompts", multiple=True, metavar="ROLE=TEXT", help='Such as query="query: ".')
@click.option("--candidate-prompt", "candidate_prompts", multiple=True, metavar="ROLE=TEXT", help="The same.")
@click.option("--live", type=click.Path(path_type=Path), help="Folder of the candidate's vectors from production.")
@click.option("--html", type=click.Path(path_type=Path), help="Write the report, or the history as figures, as a page.")
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write everything as JSON.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML, one test case per language.")
@click.option("--records", type=click.Path(path_type=Path), help="Folder that gets a record of this comparison.")
@click.option(
    "--history", "past", type=click.Path(path_type=Path), help="Show the records of a folder, and stop; see --html."
)
def gate(base: str | None, candidate: str | None, past: Path | None, **options: Any) -> None:
    """Compare CANDIDATE with BASE, and name the languages that got worse.

    Both are models by name, folder or hub id, or folders with vectors.npy and texts.csv (id, language, role). The exit
    code is 0 if no language got worse, 1 if one did, and 2 if that could not be judged or the input is bad.

    \b
    Examples:
      xl gate LaBSE my-small-model --languages sw,yo,bn --junit gate.xml
      xl gate BAAI/bge-m3 BAAI/bge-m3 --candidate-prompt query="query: "
    """
    if past:
        from xlutils.chapters.gate_record import history, history_page

        click.echo(history(past))
        if options["html"]:
            _write(options["html"], history_page(past))
        return
    if not base or not candidate:
        raise XlError("name two: xl gate BASE CANDIDATE, each a model or a folder of vectors")
    raise click.exceptions.Exit(_compare(base, candidate, **options))


def _compare(base: str, candidate: str, **options: Any) -> int:
    """Compare, write what was asked for, and return the exit code."""
    from xlutils.chapters import gate_report as report
    from xlutils.chapters.gate import compare_sides
    from xlutils.chapters.gate_live import with_drift
    from xlutils.chapters.gate_record import record_of
    from xlutils.chapters.gate_sides import open_source, side_of
    from xlutils.datasets.languages import language_codes
    from xlutils.datasets.vectors import read_vectors
    from xlutils.results.record import write_record

    prompts = [_prompts(options[f"{name}_prompts"]) for name in ("base", "candidate")]
    codes = language_codes(names_in(options["languages"])) if options["languages"] else None
    live = read_vectors(options["live"], unique=False) if options["live"] else None
    sources = [open_source(name, prompt) for name, prompt in zip((base, candidate), prompts, strict=True)]
    canaries = _canaries(options["canaries"], sources, codes, options["seed"])
    sides = [side_of(source, canaries) for source in sources]
    asked = bool(codes) or canaries.name != "canaries"
    how = {"margin": options["margin"], "seed": options["seed"], "asked": asked}
    outcome = compare_sides(sides[0], sides[1], canaries, codes, **how)
    outcome = with_drift(outcome, live, sides[1], options["seed"]) if live else outcome
    click.echo(report.report_text(outcome))
    writers = {"html": report.report_html, "as_json": report.report_json, "junit": report.report_junit}
    for name, write in writers.items():
        if options[name]:
            _write(options[name], write(outcome))
    if options["records"]:
        moment = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
        write_record(options["records"], record_of(outcome, sides[0], sides[1], options["seed"], moment))
    return outcome.code


def _canaries(path: Path | None, sources: list[Any], codes: tuple[str, ...] | None, seed: int) -> Any:
    """Return the user's canaries, those that two folders of vectors share, or those that ship."""
    from xlutils.datasets.canaries import canaries_of, read_canaries, shipped_canaries
    from xlutils.datasets.vectors import VectorTable

    if path:
        return read_canaries(path, codes)
    tables = [source for source in sources if isinstance(source, VectorTable)]
    if len(tables) == 1:
        raise XlError(f"{tables[0].name} holds vectors; name the texts that its ids stand for with --canaries")
    return canaries_of(tables, codes) if tables else shipped_canaries(codes, seed)


def _prompts(pairs: tuple[str, ...]) -> dict[str, str]:
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise XlError(f'{wrong[0]}: give ROLE=TEXT, such as query="query: "')
    return dict(pair.split("=", 1) for pair in pairs)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise XlError(f"cannot write {path.name} ({error.strerror}); name another place") from None
