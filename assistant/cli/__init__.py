"""The `quartet` command: serve the pages, and the same work for scripts; a file for each kind of work.

Progress goes to stderr, results to stdout or a file. It knows arguments and exit codes; the studio does the
work.
"""

import typer

from assistant.cli import asking, documents, judging, keeping, serving, training, users, versions

app = typer.Typer(
    help="Quartet: find out whether your chat assistant needs prompting, fine-tuning, retrieval, or both.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    serving.serve,
    documents.index,
    documents.search,
    documents.search_models,
    training.train,
    asking.ask,
    asking.evaluate,
    keeping.backup,
    keeping.restore,
    keeping.doctor,
    judging.stats,
    judging.report,
):
    app.command()(command)
app.add_typer(users.app, name="user")
app.add_typer(versions.app, name="version")
