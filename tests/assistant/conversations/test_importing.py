import json
import signal
import subprocess
import sys
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant.conversations import (
    Cleaning,
    ConversationStore,
    Incoming,
    Source,
    files_in,
    import_file,
    importing,
    lines,
)
from assistant.conversations import __main__ as job
from assistant.conversations.cleaning import cleaned, patience
from assistant.conversations.formats import Layout, recognise
from assistant.conversations.gathering import gather
from assistant.conversations.importing import Progress
from assistant.errors import AssistantError
from assistant.jobs import Jobs, read_log
from assistant.workspace import open_workspace, write_json
from tests.assistant.conversations import exports
from tests.ui.working_pages import until


@pytest.fixture
def store(tmp_path):
    return ConversationStore(tmp_path / "kept")


def put(tmp_path, store, data, name="tickets.csv", **options):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    source = Source([path], name)
    return import_file(store, source, recognise(source), options.pop("cleaning", Cleaning()), **options)


def unlike(count, start=0):
    """Lines of conversations of which no two are alike."""
    return "".join(
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": " ".join(f"w{number}x{word}" for word in range(12))},
                    {"role": "assistant", "content": f"Answer x{number}"},
                ]
            }
        )
        + "\n"
        for number in range(start, start + count)
    )


def test_an_import_is_kept_cleaned_with_what_became_of_it(tmp_path, store):
    about = put(tmp_path, store, exports.CSV_MESSAGES)
    assert (about.title, about.seen, about.refused) == ("CSV table", 2, 0)
    (file,) = ConversationStore(store.folder).files()
    assert (file.name, file.conversations, file.about) == ("tickets.csv", 2, about)
    first, _ = store.read().conversations
    assert (first.source, first.place, first.topic) == ("tickets.csv:1", "row 4", "Damage")
    assert (first.time, first.team) == ("2026-06-01T09:00:00+00:00", ("Lena",))


def test_a_conversation_that_takes_for_ever_to_clean_is_refused_and_the_others_are_kept(
    tmp_path, store, monkeypatch
):
    def endless(found, *given):
        while found.line == 2:
            pass
        return cleaned(found, *given)

    monkeypatch.setattr(importing, "cleaned", endless)
    monkeypatch.setattr(patience, "SECONDS", 0.1)
    about = put(tmp_path, store, unlike(3), "chats.jsonl")
    (refusal,) = store.read().refused
    assert (about.refused, refusal.line) == (1, 2) and "takes longer than" in refusal.text
    assert [each.messages[1].content for each in store.read().conversations] == ["Answer x0", "Answer x2"]


def test_the_customers_name_is_kept_nowhere(tmp_path, store):
    put(tmp_path, store, exports.MBOX, "mails")
    first, second = store.read().conversations
    assert len(first.customer) == 12 and first.customer != second.customer
    kept = b"".join(path.read_bytes() for path in store.folder.iterdir() if path.is_file())
    assert b"nora" not in kept.lower()


def test_refused_conversations_are_counted_with_their_places(tmp_path, store):
    silent = {"messages": [{"role": "user", "content": "Hello?"}]}
    about = put(tmp_path, store, exports.OPENAI + json.dumps(silent) + "\nnonsense\n", "chats.jsonl")
    assert about.refused == 2
    assert [refusal.line for refusal in store.read().refused] == [3, 2]
    assert store.files()[0].refused == 2


def test_a_file_without_a_usable_conversation_keeps_nothing(tmp_path, store):
    with pytest.raises(AssistantError, match=r"chats.jsonl has no usable conversation \(1 refused\)"):
        put(tmp_path, store, '{"messages": [{"role": "user", "content": "Hello?"}]}', "chats.jsonl")
    assert store.files() == [] and list(store.folder.iterdir()) == []


def test_an_import_takes_the_place_of_the_earlier_one_of_its_name(tmp_path, store):
    put(tmp_path, store, unlike(3), "chats.jsonl")
    store.changes.exclude("chats.jsonl:2")
    put(tmp_path, store, unlike(4), "chats.jsonl")
    assert [file.conversations for file in store.files()] == [4]
    assert len(store.read().excluded) == 0


def test_what_another_file_holds_already_is_folded(tmp_path, store):
    put(tmp_path, store, unlike(3), "may.jsonl")
    about = put(tmp_path, store, unlike(4, start=2), "june.jsonl")
    assert about.counts["folded"] == 1
    assert len(store.read().conversations) == 6
    with pytest.raises(AssistantError, match=r"again.jsonl holds nothing new"):
        put(tmp_path, store, unlike(3), "again.jsonl")


def test_of_too_many_conversations_a_fair_sample_is_kept(tmp_path, store, monkeypatch):
    monkeypatch.setattr(importing, "MOST_KEPT", 40)
    about = put(tmp_path, store, unlike(100), "chats.jsonl")
    assert (about.seen, about.sampled) == (100, 40)
    places = [int(each.place.removeprefix("record ")) for each in store.read().conversations]
    assert len(places) == 40 and places == sorted(places) and 30 < sum(places) / 40 < 70


def test_progress_is_told_and_a_report_that_raises_ends_it_with_nothing_kept(tmp_path, store, monkeypatch):
    monkeypatch.setattr(importing, "STEP", 2)
    told: list[Progress] = []
    put(tmp_path, store, unlike(20), "chats.jsonl", report=told.append)
    fractions = [each.fraction for each in told]
    assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] <= 1
    assert {each.text.split()[0] for each in told} == {"Reading", "Looking", "Cleaning"}

    class Stopped(Exception):
        pass

    def stop(progress):
        if progress.fraction > 0.6:
            raise Stopped

    with pytest.raises(Stopped):
        put(tmp_path, store, unlike(20), "more.jsonl", report=stop)
    assert [file.name for file in store.files()] == ["chats.jsonl"]
    assert [path.name for path in store.folder.iterdir() if path.name.startswith(".import")] == []


@pytest.mark.parametrize("doing", ["Reading", "Looking", "Cleaning", "Checking"])
def test_an_import_that_is_ended_anywhere_leaves_all_as_it_was(tmp_path, store, monkeypatch, doing):
    monkeypatch.setattr(importing, "STEP", 2)
    monkeypatch.setattr(lines, "STEP", 2)
    about = put(tmp_path, store, unlike(20), "chats.jsonl")

    class Stopped(Exception):
        pass

    def stop(progress):
        if progress.text.startswith(doing):
            raise Stopped

    with pytest.raises(Stopped):
        put(tmp_path, store, unlike(30, start=50), "chats.jsonl", report=stop)
    again = ConversationStore(store.folder)
    assert [(file.conversations, file.about) for file in again.files()] == [(20, about)]
    assert [path.name for path in store.folder.iterdir()] == [".about", "chats.jsonl"]


def test_what_a_killed_import_left_goes_with_the_next(tmp_path, store):
    left = store.folder / ".import-x1"
    left.mkdir(parents=True)
    (left / "every").write_bytes(b"x" * 1000)
    put(tmp_path, store, exports.CSV_MESSAGES)
    assert not left.exists() and len(store.read().conversations) == 2


@pytest.mark.slow
def test_memory_does_not_grow_with_a_files_size(tmp_path, store):
    def taken(count):
        data = "".join(line.replace("Answer", "Answer " * 400) for line in unlike(count).splitlines(True))
        (tmp_path / "chats.jsonl").write_text(data)
        source = Source([tmp_path / "chats.jsonl"], "chats.jsonl")
        recognised, cleaning = recognise(source), replace(Cleaning(), masked=False, folded=False)
        tracemalloc.start()
        import_file(store, source, recognised, cleaning)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    taken(10)  # what is loaded once
    small, large = taken(100), taken(1000)
    assert large - small < 900 * 1000 < 900 * 2800  # of each some hundred bytes stay, not its 2,800 of text


def test_the_companys_own_contacts_are_told_from_a_fair_sample(tmp_path, store, monkeypatch):
    monkeypatch.setattr(importing, "OWN_SAMPLE", 40)
    chats = [json.loads(line) for line in unlike(200).splitlines()]
    for number, each in enumerate(chats):
        rare = "rare@acme.example" if number < 4 else "help@acme.example"
        each["messages"][1]["content"] += f" Write to {rare}."
    put(tmp_path, store, "".join(json.dumps(each) + "\n" for each in chats), "chats.jsonl")
    kept = (store.folder / "chats.jsonl").read_text()
    assert kept.count("help@acme.example") == 196 and "rare@" not in kept


def test_the_twin_of_an_imported_file_is_known(tmp_path, store):
    put(tmp_path, store, exports.CSV_PAIRS, "pairs.csv")
    (tmp_path / "copy.csv").write_text(exports.CSV_PAIRS)
    assert store.twin(tmp_path / "copy.csv") == "pairs.csv"


def test_a_removed_import_comes_back_with_what_became_of_it(tmp_path, store):
    about = put(tmp_path, store, exports.CSV_PAIRS, "pairs.csv")
    store.remove("pairs.csv")
    assert store.files() == []
    store.restore("pairs.csv")
    assert store.files()[0].about == about


# What is handed over


def test_a_zip_is_unpacked_and_mails_are_put_together(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("june/one.eml", exports.MAIL_1)
        packed.writestr("june/two.eml", exports.MAIL_2)
        packed.writestr("june/pairs.csv", exports.CSV_PAIRS)
        packed.writestr("../../evil.csv", exports.CSV_PAIRS)
        packed.writestr("__MACOSX/june/._one.eml", "x")
        packed.writestr("readme.bin", b"\x00\x01")
    found = gather([(path, "export.zip")], tmp_path / "room")
    assert [(each.source.name, each.recognised and each.recognised.title) for each in found] == [
        ("june - pairs.csv", "CSV table"),
        ("evil.csv", "CSV table"),
        ("readme.bin", None),
        ("june - one.eml and 1 more", "Mail"),
    ]
    assert "is nothing that is known" in found[2].problem
    assert all(path.is_relative_to(tmp_path / "room") for each in found for path in each.source.paths)


def test_a_zip_bomb_is_refused(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros.csv", b"0" * 20_000_000)
    (found,) = gather([(path, "bomb.zip")], tmp_path / "room")
    assert "would unpack from 0.0 to 20.0 MB, 1 files" in found.problem


def test_folders_are_walked_and_hidden_files_left_out(tmp_path):
    for name in ("a.csv", "deep/b.csv", ".hidden/c.csv", "deep/.DS_Store"):
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_text("x")
    assert [name for _, name in files_in([tmp_path / "folder"])] == ["a.csv", "deep/b.csv"]
    with pytest.raises(AssistantError, match="is not there"):
        files_in([tmp_path / "nowhere"])


@pytest.fixture
def incoming(tmp_path):
    workspace = open_workspace(tmp_path / "acme")
    return Incoming(workspace.incoming)


def hand_over(incoming, tmp_path, **files):
    handed = []
    for name, data in files.items():
        (tmp_path / name).write_text(data)
        handed.append((tmp_path / name, f"{name}.csv"))
    incoming.add(handed)


def test_files_wait_with_their_plan_after_a_restart(incoming, tmp_path):
    hand_over(incoming, tmp_path, pairs=exports.CSV_PAIRS, tickets=exports.CSV_MESSAGES)
    incoming.clean_by(Cleaning(masked=False))
    again = Incoming(tmp_path / "acme" / "conversations" / ".incoming")
    assert [each.source.name for each in again.found()] == ["pairs.csv", "tickets.csv"]
    assert again.cleaning == Cleaning(masked=False)
    assert again.found()[1].recognised == incoming.found()[1].recognised
    assert not (tmp_path / "pairs").exists()


def test_a_preview_shows_what_the_first_conversations_become(incoming, tmp_path):
    hand_over(incoming, tmp_path, tickets=exports.CSV_MESSAGES)
    preview = incoming.preview("tickets.csv")
    assert [len(each.messages) for each in preview.conversations] == [3, 2] and preview.looked_at == 2
    layout = incoming.find("tickets.csv").recognised.layout
    incoming.arrange("tickets.csv", replace(layout, team=("Mia Wong",)))
    assert incoming.preview("tickets.csv").refused == 1
    incoming.arrange("tickets.csv", Layout("messages", {}))
    assert "say which column" in incoming.preview("tickets.csv").problem


def test_a_file_of_the_same_name_gives_way_and_the_last_takes_all_with_it(incoming, tmp_path):
    hand_over(incoming, tmp_path, pairs=exports.CSV_PAIRS)
    hand_over(incoming, tmp_path, pairs=exports.CSV_MESSAGES)
    (found,) = incoming.found()
    assert found.recognised.layout.shape == "messages"
    incoming.drop("pairs.csv")
    assert incoming.found() == []
    with pytest.raises(AssistantError, match=r"pairs.csv does not wait here"):
        incoming.find("pairs.csv")


def test_the_job_imports_what_waits_and_leaves_what_it_could_not(tmp_path):
    workspace = open_workspace(tmp_path / "acme")
    incoming, jobs = Incoming(workspace.incoming), Jobs(workspace.jobs)
    silent = "ticket,role,text\n1,customer,Hello?\n2,customer,Well?\n"
    hand_over(incoming, tmp_path, pairs=exports.CSV_PAIRS, silent=silent)
    started = jobs.start(
        "assistant.conversations", {"workspace": str(workspace.root), "incoming": str(workspace.incoming)}
    )
    until(lambda: not jobs.find(started.key).active)
    assert jobs.find(started.key).status == "finished"
    events = {event["event"]: event for event in jobs.events(started.key)}
    assert events["kept"]["name"] == "pairs.csv" and events["refused"]["name"] == "silent.csv"
    assert [file.name for file in ConversationStore(workspace.conversations).files()] == ["pairs.csv"]
    (left,) = incoming.found()
    assert "no usable conversation" in left.problem


def test_the_job_stops_when_asked_and_keeps_nothing_of_the_file_at_work(tmp_path):
    workspace = open_workspace(tmp_path / "acme")
    incoming, jobs = Incoming(workspace.incoming), Jobs(workspace.jobs)
    hand_over(incoming, tmp_path, chats=unlike(20_000))
    started = jobs.start(
        "assistant.conversations", {"workspace": str(workspace.root), "incoming": str(workspace.incoming)}
    )
    until(lambda: jobs.events(started.key))
    jobs.stop(started.key)
    until(lambda: not jobs.find(started.key).active)
    assert jobs.find(started.key).status == "stopped"
    assert ConversationStore(workspace.conversations).files() == []
    assert [each.source.name for each in incoming.found()] == ["chats.csv"]


def test_a_file_that_comes_no_further_is_given_up_and_the_next_one_is_imported(tmp_path, monkeypatch):
    workspace = open_workspace(tmp_path / "acme")
    incoming, tried = Incoming(workspace.incoming), []
    hand_over(incoming, tmp_path, pairs=exports.CSV_PAIRS, stuck=unlike(3))
    real = job.import_file

    def stuck(store, source, *rest):
        while source.name == "stuck.csv" and len(tried) < 10:
            try:
                while True:
                    pass
            except AssistantError:
                tried.append(source.name)
                if len(tried) == 2:  # a library may take the first word for a fault of its own
                    raise
        return real(store, source, *rest)

    monkeypatch.setattr(job, "import_file", stuck)
    monkeypatch.setattr(job, "SILENCE", 0.2)
    monkeypatch.setattr(job, "AGAIN", 0.1)
    folder = workspace.jobs / "job"
    folder.mkdir(parents=True)
    write_json(folder / "job.json", {"workspace": str(workspace.root), "incoming": str(workspace.incoming)})
    job.main(folder)
    assert [file.name for file in ConversationStore(workspace.conversations).files()] == ["pairs.csv"]
    (left,) = incoming.found()
    assert "without coming any further" in left.problem
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


HUNGRY = """
import sys
from pathlib import Path
from assistant.conversations import __main__ as job
job.import_file = lambda *_: bytearray(job.MEMORY)
sys.exit(job.guarded(Path(sys.argv[1])))
"""


def test_a_file_that_takes_too_much_memory_costs_only_itself(tmp_path):
    workspace = open_workspace(tmp_path / "acme")
    incoming, folder = Incoming(workspace.incoming), workspace.jobs / "job"
    hand_over(incoming, tmp_path, pairs=exports.CSV_PAIRS)
    folder.mkdir(parents=True)
    write_json(folder / "job.json", {"workspace": str(workspace.root), "incoming": str(workspace.incoming)})
    subprocess.run([sys.executable, "-c", HUNGRY, str(folder)], check=True, cwd=Path(__file__).parents[3])
    assert [event["event"] for event in read_log(folder)] == ["progress", "refused", "finished"]
    (left,) = incoming.found()
    assert left.problem == (
        "pairs.csv needs more memory than is given to one file. Split it, or save it as CSV."
    )


def test_an_import_takes_half_of_a_small_machine_at_most(monkeypatch):
    for total, given in ((4 << 30, 2 << 30), (64 << 30, job.MEMORY)):
        monkeypatch.setattr(job.psutil, "virtual_memory", lambda total=total: SimpleNamespace(total=total))
        assert job.memory() == given


def test_the_companys_own_contacts_stay_and_customers_are_masked(tmp_path, store):
    def chat(number):
        return {
            "messages": [
                {"role": "user", "content": f"q{number} hi, I am customer{number}@example.org"},
                {
                    "role": "assistant",
                    "content": f"S{number}: write to help@acme.example, ring 01234 567 890.",
                },
                {"role": "user", "content": f"t{number} thanks"},
                {"role": "assistant", "content": f"We wrote to customer{number}@example.org, case {number}."},
            ]
        }

    data = "".join(json.dumps(chat(number)) + "\n" for number in range(4))
    put(tmp_path, store, data, "chats.jsonl", cleaning=replace(Cleaning(), folded=False))
    kept = (store.folder / "chats.jsonl").read_text()
    assert kept.count("help@acme.example") == kept.count("01234 567 890") == 4
    assert "@example.org" not in kept
    assert kept.count("[e-mail]") == 8


def test_a_contact_that_is_given_twice_only_is_masked_as_a_customers(tmp_path, store):
    chat = {
        "messages": [
            {"role": "user", "content": "Which address do you have?"},
            {"role": "assistant", "content": "We have ann@example.org."},
        ]
    }
    data = "".join(json.dumps(chat) + "\n" for _ in range(2))
    put(tmp_path, store, data, "chats.jsonl", cleaning=replace(Cleaning(), folded=False))
    assert "ann@example.org" not in (store.folder / "chats.jsonl").read_text()
