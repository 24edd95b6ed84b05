"""The audit log: every entry kept, in order, also beside a line that a crash cut off."""

from assistant.access import AuditLog, Person, Role

ANN = Person("ann", Role.MANAGER)


def test_entries_come_back_newest_first(tmp_path):
    log = AuditLog(tmp_path / "audit.jsonl")
    assert log.entries() == []
    log.record(ANN, "documents add")
    log.record(Person("bob", Role.PRESENTER), "chat send")
    newest, oldest = log.entries()
    assert (newest.who, newest.role, newest.what) == ("bob", "presenter", "chat send")
    assert (oldest.who, oldest.what) == ("ann", "documents add")
    assert newest.when >= oldest.when
    assert log.entries(count=1) == [newest]


def test_a_line_that_was_cut_off_is_left_out_and_the_next_is_whole(tmp_path):
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.record(ANN, "first")
    path.write_text(path.read_text() + '{"when": "2026\n')
    log.record(ANN, "second")
    assert [entry.what for entry in log.entries()] == ["second", "first"]


def test_as_csv_it_is_oldest_first_and_nothing_begins_a_formula(tmp_path):
    log = AuditLog(tmp_path / "audit.jsonl")
    log.record(ANN, "=1+1")
    log.record(ANN, "train start")
    head, first, second = log.to_csv().splitlines()
    assert head == "when,who,role,what"
    assert first.endswith(",ann,manager,'=1+1")
    assert second.endswith(",ann,manager,train start")
