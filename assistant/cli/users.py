"""`quartet user`: the people who may log in."""

import sys
from typing import Annotated

import typer

from assistant.access import Accounts, Role
from assistant.cli.problems import plain_errors
from assistant.workspace import accounts_file

app = typer.Typer(help="The people who may log in, for all companies of this machine.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The name that the person logs in with.")]


@app.command()
@plain_errors
def add(
    name: NameArgument,
    role: Annotated[Role, typer.Option(help="manager: everything; presenter: Compare; rater: own links.")],
    openid: Annotated[
        bool, typer.Option("--openid", help="No password: NAME is the e-mail address at your provider.")
    ] = False,
    same_person: Annotated[
        bool, typer.Option("--same-person", help="NAME was removed before, and the same person comes back.")
    ] = False,
) -> None:
    """Make an account; asks for its password, or reads it from standard input."""
    accounts, name = Accounts(accounts_file()), name.lower() if openid else name
    accounts.check_name(name, same_person=same_person)  # before a password is asked for
    accounts.add(name, role, None if openid else _password(), same_person=same_person)
    typer.echo(f"{name} can log in as {role.value}. A server that is running without logins needs a restart.")


@app.command(name="list")
@plain_errors
def list_accounts() -> None:
    """Show all accounts: name, role, since when."""
    for account in Accounts(accounts_file()).all():
        typer.echo(f"{account.name}\t{account.role.value}\t{account.created}")


@app.command()
@plain_errors
def remove(name: NameArgument) -> None:
    """Remove an account; who is logged in with it is logged out, and its name stays that person's."""
    Accounts(accounts_file()).remove(name)


@app.command()
@plain_errors
def reset(name: NameArgument) -> None:
    """Give an account a new password; who is logged in with the old one is logged out."""
    accounts = Accounts(accounts_file())
    accounts.with_password(name)  # before one is asked for
    accounts.reset(name, _password())


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
