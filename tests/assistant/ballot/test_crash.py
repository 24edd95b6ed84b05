"""Votes while the server is killed again and again: none lost, none doubled, none half."""

import pytest

from tests.assistant.ballot.voting import PLACES, Round, Server, round_through_kills


@pytest.mark.slow
def test_no_vote_is_lost_or_doubled_when_the_server_is_killed_at_random_points(workspace, desk):
    server = Server(workspace.root)
    try:
        found = round_through_kills(desk, server, raters=4, kills=8)
    finally:
        server.kill()
    assert found == Round(told=4 * PLACES, lost=0, doubled=0, broken=0)
