"""`quartet user`: accounts from the command line."""

from typer.testing import CliRunner, Result

from assistant.access import Accounts, Role
from assistant.cli import app
from assistant.workspace import accounts_file

PASSWORD = "four random words"


def run(*arguments: str, password: str = "") -> Result:
    return CliRunner().invoke(app, ["user", *arguments], input=f"{password}\n")


def test_an_account_is_made_listed_given_a_new_password_and_removed():
    made = run("add", "ann", "--role", "manager", password=PASSWORD)
    assert made.exit_code == 0 and "ann can log in as manager" in made.stdout
    (account,) = Accounts(accounts_file()).all()
    assert account.role is Role.MANAGER
    assert run("list").stdout == f"ann\tmanager\t{account.created}\n"
    assert run("reset", "ann", password="another password").exit_code == 0
    accounts = Accounts(accounts_file())
    assert accounts.verify("ann", "another password") and not accounts.verify("ann", PASSWORD)
    assert run("remove", "ann").exit_code == 0
    assert run("list").stdout == ""


def test_an_account_for_a_companys_provider_gets_no_password():
    run("add", "Ann@Example.com", "--role", "manager", "--openid")
    refused = run("reset", "ann@example.com", password="another password")
    assert refused.exit_code == 1
    assert "ann@example.com signs in through your company's provider and has no password" in refused.stderr
    (account,) = Accounts(accounts_file()).all()
    assert account.password_hash == ""


def test_a_removed_name_is_refused_before_a_password_is_asked_for_unless_the_same_person_comes_back():
    for name, way in (("ann", ()), ("bob@example.com", ("--openid",))):
        given = (name, "--role", "manager", *way)
        run("add", *given, password=PASSWORD)
        run("remove", name)
        refused = run("add", *given)
        assert refused.exit_code == 1 and f"An account {name} was removed on" in refused.stderr
        assert run("list").stdout == ""
        assert run("add", *given, "--same-person", password=PASSWORD).exit_code == 0
        assert run("list").stdout.startswith(f"{name}\tmanager\t")
        run("remove", name)
    differently = run("add", "Bob@Example.com", "--role", "rater", "--openid")
    assert "An account bob@example.com was removed on" in differently.stderr


def test_a_problem_is_one_line_and_exit_code_1():
    short = run("add", "ann", "--role", "manager", password="short")
    assert (short.exit_code, short.stdout) == (1, "")
    assert "The password has 5 characters" in short.stderr
    for command in ("remove", "reset"):  # before a password is asked for
        gone = run(command, "bob")
        assert gone.exit_code == 1 and "There is no account bob" in gone.stderr
