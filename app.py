"""Start Quartet: read the command line, open the studio, serve the pages. `python app.py --help` explains."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the message is for those who start it with an older one
    sys.exit(
        f"Quartet needs Python 3.11 or newer; this is {sys.version.split()[0]}. "
        "Start it with `python3.11 app.py`."
    )


def main() -> None:
    """Serve the pages; the same as `quartet serve`."""
    try:
        import typer

        from assistant.cli.serving import serve
    except ModuleNotFoundError as missing:
        sys.exit(
            f"Quartet's parts are not installed yet ({missing.name} is missing). "
            "Run `pip install -e .` first."
        )
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    command.command(help="Open Quartet in the browser.")(serve)
    command()


if __name__ == "__main__":
    main()
