"""The ballot: blind until the round is over, votes stored before it says so, nothing behind another token."""

import re

import pytest
from fastapi.testclient import TestClient

from assistant.comparison import HUMAN, SYSTEM_NAMES, StudySettings
from assistant.ratings import Desk
from assistant.store import open_database
from assistant.workspace import open_workspace
from tests.studies import (
    ADAPTER,
    BASE,
    FOLLOWED,
    INDEX,
    SOURCE,
    SYSTEMS,
    answer,
    answered,
    drafted,
    judgement,
    opened,
)

KEY = "0123456789abcdef" * 2
SCORES = {"brand-voice": [1, 2, 3, 4], "accuracy": [5, 4, 3, 2]}
VOTE = {"key": KEY, "ranks": [1, 2, 2, 4], "scores": SCORES, "seconds": 12.0}
WORDS = (*SYSTEMS, HUMAN, "lanes?", "tuning", "fine-tuned", "grounded", "retrieval", "adapters?", "models?")
RECORDED = (
    ADAPTER,
    BASE,
    INDEX,
    SOURCE.document,
    SOURCE.title,
    SOURCE.text,
    SYSTEM_NAMES[HUMAN],
    FOLLOWED.order,
)
TELLING = re.compile(
    rf"\b(?:{'|'.join(WORDS)})\b|{'|'.join(map(re.escape, RECORDED))}",
    re.IGNORECASE,
)
"""Whatever would tell a rater who wrote an answer."""


@pytest.fixture
def study(desk):
    return opened(desk)


@pytest.fixture
def rater(desk, study):
    return desk.rounds.raters(study.id)[0]


@pytest.fixture
def link(rater):
    return f"/rate/{rater.token}"


def vote_on(place, answers=4):
    """A vote as the page sends it."""
    scores = {criterion: [3] * answers for criterion in SCORES}
    return {"key": f"{place:032x}", "ranks": list(range(1, answers + 1)), "scores": scores}


def whole_round(client, desk, study, rater):
    """All that the server sends to a rater from the first page to the last, headers and addresses too."""
    link, sheet = f"/rate/{rater.token}", desk.rounds.sheet(rater.id)
    answers = [client.get(link)]
    for showing in sheet:
        answers.append(client.get(f"{link}/{showing.place}"))
        answers.append(client.post(f"{link}/{showing.place}", json={"key": "nonsense"}))
        answers.append(
            client.post(f"{link}/{showing.place}", json=vote_on(showing.place, len(showing.systems)))
        )
        answers.append(client.get(f"{link}/{showing.place}"))
    for showing in [each for each in sheet if each.kind == "item"][:4]:
        guess = {"looked_up": [True] * len(showing.systems)}
        answers.append(client.post(f"{link}/{showing.place}/guess", json=guess))
    answers.append(client.get(link))
    return answers


@pytest.mark.parametrize("human", [False, True], ids=["four", "with the real agent's"])
def test_no_byte_sent_before_the_round_is_over_tells_who_wrote_an_answer(client, desk, human):
    study = opened(desk, settings=StudySettings(seed=7, human=human))
    for rater in desk.rounds.raters(study.id):
        sent = whole_round(client, desk, study, rater)
        for reply in sent:
            seen = f"{reply.url} {dict(reply.headers)} {reply.content.decode()}"
            assert TELLING.search(seen) is None, TELLING.search(seen)
        assert "Thank you" in sent[-1].text
    assert len(desk.votes.of_study(study.id)) == 24
    desk.rounds.close(study.id)
    told = client.get(f"/rate/{rater.token}").text
    expected = {name for system, name in SYSTEM_NAMES.items() if system != HUMAN or human}
    assert {name for name in SYSTEM_NAMES.values() if f"<b>{name}</b>" in told} == expected
    assert "Returns &gt; Unopened pots" in told


def test_the_four_answers_differ_in_nothing_but_their_words(client, desk, study, link):
    cards = re.findall(r"<article.*?</article>", client.get(link).text, re.DOTALL)
    assert len(cards) == 4
    bare = {
        re.sub(
            r"(?<=[>\"])[A-D](?=[<\"])|Alpha|Bravo|Charlie|Delta|answer [A-D]|-\d|data-answer=\"\d\"",
            "",
            card,
        )
        for card in cards
    }
    assert len(bare) == 1


def test_letters_stand_for_the_lanes_in_an_order_that_is_drawn_for_each(client, desk, study):
    """The first words on the page are those of whoever the sheet names, in its order."""
    words = dict(zip(SYSTEMS, ("Alpha", "Bravo", "Charlie", "Delta"), strict=True))
    orders = set()
    for rater in desk.rounds.raters(study.id):
        for showing in desk.rounds.sheet(rater.id):
            page = client.get(f"/rate/{rater.token}").text
            shown = re.findall(r"(Alpha|Bravo|Charlie|Delta) says", page)
            assert shown == [words[system] for system in showing.systems]
            orders.add(showing.systems)
            client.post(f"/rate/{rater.token}/{showing.place}", json=vote_on(showing.place))
    assert len(orders) > 10


def test_a_vote_is_stored_under_the_lanes_when_the_page_hears_of_it(client, desk, study, rater, link):
    marked = {
        "wrong": [[1], [], [0, 7, -1], []],
        "comment": "So so.",
        "better": "Five days.",
        "unusable": True,
    }
    answer = client.post(f"{link}/1", json=VOTE | marked)
    assert answer.status_code == 200
    (vote,) = desk.votes.of_study(study.id)
    item = desk.studies.item(vote.showing.item_id)
    assert vote.showing == desk.rounds.sheet(rater.id)[0]
    assert vote.ranks == dict(zip(vote.showing.systems, (1, 2, 2, 3), strict=True))
    assert vote.scores("brand-voice") == dict(zip(vote.showing.systems, (1, 2, 3, 4), strict=True))
    third = item.answers[vote.showing.systems[2]].text
    assert vote.judgement.wrong == (("Sure.",), (), (third.removesuffix(" Sure."),), ())
    said = vote.judgement
    assert (said.comment, said.better, said.unusable, said.seconds) == ("So so.", "Five days.", True, 12.0)
    assert "<b>2</b> of 8" in answer.json()["html"]


def test_the_same_vote_sent_twice_counts_once_and_another_corrects_it(client, desk, study, link):
    first = client.post(f"{link}/1", json=VOTE)
    assert client.post(f"{link}/1", json=VOTE).json() == first.json()
    client.post(f"{link}/1", json=VOTE | {"key": "f" * 32, "ranks": [4, 3, 2, 1]})
    (vote,) = desk.votes.of_study(study.id)
    assert (vote.judgement.ranks, vote.corrections) == ((4, 3, 2, 1), 1)
    assert [each.judgement.ranks for each in desk.votes.history(vote.showing.id)] == [
        (1, 2, 2, 3),
        (4, 3, 2, 1),
    ]


def test_what_was_judged_is_shown_filled_in_to_be_changed(client, desk, link):
    client.post(f"{link}/1", json=VOTE | {"comment": "<b>Bold</b>", "wrong": [[0], [], [], []]})
    page = client.get(f"{link}/1").text
    assert re.findall(r'name="accuracy-(\d)" value="(\d)" checked', page) == [
        *(("0", "5"), ("1", "4"), ("2", "3"), ("3", "2"))
    ]
    assert re.findall(r"data-rank=(\d)", page) == ["1", "2", "2", "3"]
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert page.count('aria-pressed="true" data-number') == 1
    assert "Change it" in page


def test_nobody_can_look_ahead_or_vote_ahead(client, desk, study, link):
    assert "<b>1</b> of 8" in client.get(f"{link}/5").text
    answer = client.post(f"{link}/5", json=VOTE)
    assert (answer.status_code, "Load the page again" in answer.json()["problem"]) == (404, True)
    assert desk.votes.of_study(study.id) == ()


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"ranks": [1, 2, 3]}, 422, "ranks 3 of 4 answers"),
        ({"scores": {"accuracy": [1, 1, 1, 1]}}, 422, "Brand voice: each of the 4 answers needs a score"),
        ({"key": "short"}, 422, "key"),
        ({"ranks": [1] * 6}, 422, "ranks"),
        ({"scores": "all"}, 422, "scores"),
        ({"seconds": -1}, 422, "seconds"),
    ],
    ids=["three ranks", "a criterion", "key", "six ranks", "no scores", "time"],
)
def test_what_is_no_vote_is_refused_and_not_stored(client, desk, study, link, wrong, status, says):
    answer = client.post(f"{link}/1", json=VOTE | wrong)
    assert (answer.status_code, says in answer.text) == (status, True)
    assert desk.votes.of_study(study.id) == ()


@pytest.mark.parametrize("token", ["x" * 32, "..%2f..", "%00", "' OR 1=1"])
def test_behind_another_token_there_is_nothing(client, desk, study, token):
    for reply in (client.get(f"/rate/{token}"), client.get(f"/rate/{token}/1")):
        assert reply.status_code in (404, 422)
        assert "Question" not in reply.text
    for path, value in (("1", VOTE), ("1/guess", {"looked_up": [True] * 4})):
        assert client.post(f"/rate/{token}/{path}", json=value).status_code in (404, 422)


def test_one_raters_link_shows_nothing_of_another(client, desk, study):
    first, second, _ = desk.rounds.raters(study.id)
    client.post(f"/rate/{first.token}/1", json=VOTE | {"comment": "From the first"})
    page = client.get(f"/rate/{second.token}/1").text
    assert first.name not in page
    assert first.token not in page
    assert "From the first" not in page
    assert "<b>1</b> of 8" in page


def test_the_page_asks_for_nothing_else_and_its_address_is_not_passed_on(client, link):
    answer = client.get(link)
    assert re.findall(r'(?:src|href)="(?!/rate/|data:)[^"]*"', answer.text) == []
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    (nonce,) = set(re.findall(r'nonce="([^"]+)"', answer.text))
    assert f"'nonce-{nonce}'" in policy
    assert nonce not in client.get(link).text


def test_text_from_models_and_people_can_do_nothing(client, desk):
    study = drafted(desk, questions=1)
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    desk.rounds.begin(study.id, SYSTEMS[:2], {})
    (item,) = desk.studies.items(study.id)
    desk.rounds.save_answers(item.id, [answer(system, hostile) for system in SYSTEMS[:2]])
    desk.rounds.open(study.id)
    page = client.get(f"/rate/{desk.rounds.raters(study.id)[0].token}").text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


def test_what_comes_before_and_after_is_told(client, desk):
    study = drafted(desk)
    rater = desk.rounds.raters(study.id)[0]
    link = f"/rate/{rater.token}"
    assert "still being prepared" in client.get(link).text
    assert client.post(f"{link}/1", json=VOTE).status_code == 404
    answered(desk, study)
    assert "still being prepared" in client.get(link).text
    desk.rounds.open(study.id)
    for showing in desk.rounds.sheet(rater.id):
        reply = client.post(f"{link}/{showing.place}", json=vote_on(showing.place))
    assert "Which of these do you think looked things up?" in reply.json()["html"]
    for showing in [each for each in desk.rounds.sheet(rater.id) if each.kind == "item"][:4]:
        reply = client.post(f"{link}/{showing.place}/guess", json={"looked_up": [False, True, False, False]})
    assert "All your votes are stored" in reply.json()["html"]
    guesses = desk.votes.guesses(study.id)
    assert [guess.by_system[guess.showing.systems[1]] for guess in guesses] == [True] * 4
    client.post(f"{link}/2", json=vote_on(99))
    assert desk.votes.of_rater(rater.id)[2].corrections == 1
    desk.rounds.close(study.id)
    late = client.post(f"{link}/2", json=vote_on(100))
    assert (late.status_code, desk.votes.of_rater(rater.id)[2].corrections) == (404, 1)


def test_one_who_has_nothing_to_judge_is_told(client, desk):
    study = opened(desk, questions=1, raters=2, settings=StudySettings(raters_per_item=1))
    pages = [client.get(f"/rate/{rater.token}").text for rater in desk.rounds.raters(study.id)]
    assert sorted("There is nothing for you to judge" in page for page in pages) == [False, True]


def test_a_link_leads_to_its_company_whichever_is_open(client, workspace):
    other = open_workspace(workspace.root.parent / "other")
    desk = Desk.of(open_database(other.database))
    rater = desk.rounds.raters(opened(desk).id)[0]
    assert "<b>1</b> of 8" in client.get(f"/rate/{rater.token}").text
    broken = open_workspace(workspace.root.parent / "broken")
    broken.database.write_bytes(b"not a database " * 100)
    assert client.get("/rate/nobody").status_code == 404


def test_time_left_goes_by_the_raters_own_pace(client, desk, study, rater, link):
    assert "about 10 min left" in client.get(link).text
    for showing, seconds in zip(desk.rounds.sheet(rater.id), (20, 30, 5000), strict=False):
        client.post(f"{link}/{showing.place}", json=vote_on(showing.place) | {"seconds": seconds})
    assert "about 2 min left" in client.get(link).text  # five more at half a minute


def test_where_all_looked_things_up_nobody_is_asked_to_guess(client, desk):
    study = drafted(desk, questions=1, raters=1)
    desk.rounds.begin(study.id, ["rag", "combined"], {})
    (item,) = desk.studies.items(study.id)
    desk.rounds.save_answers(item.id, [answer("rag", "One."), answer("combined", "Two.")])
    desk.rounds.open(study.id)
    (rater,) = desk.rounds.raters(study.id)
    said = {"key": KEY, "ranks": [1, 2], "scores": {"brand-voice": [1, 2], "accuracy": [1, 2]}}
    assert "All your votes are stored" in client.post(f"/rate/{rater.token}/1", json=said).json()["html"]
    assert desk.votes.of_study(study.id)[0].judgement.ranks == judgement(2).ranks


def test_behind_a_proxy_with_a_prefix_the_links_of_the_page_hold_it(client, link, rater):
    page = TestClient(client.app, root_path="/quartet").get(link).text
    assert f'data-home="/quartet/rate/{rater.token}"' in page
    assert f'data-post="/quartet/rate/{rater.token}/1"' in page
