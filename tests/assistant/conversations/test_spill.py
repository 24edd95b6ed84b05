"""Rows in groups, kept on disk meanwhile under no name."""

import tempfile

from assistant.conversations.formats.spill import BUCKET, Spill


def test_rows_come_back_by_key_and_in_order_and_no_file_has_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Spill(5 * BUCKET) as spill:
        for number in range(30):
            spill.add(f"ticket {number % 3}", [number, "My secret"])
        groups = dict(spill.groups())
        assert list(tmp_path.iterdir()) == []
    assert {key: [number for number, _ in rows] for key, rows in groups.items()} == {
        f"ticket {rest}": list(range(rest, 30, 3)) for rest in range(3)
    }
