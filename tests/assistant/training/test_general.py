from assistant.training.general import QUESTIONS, company_phrases, examine, phrases_in

REPLIES = [f"Hello! Your parcel is on its way, number {n}. Anything else?" for n in range(10)]


def test_there_are_forty_different_everyday_questions():
    assert len(set(QUESTIONS)) == 40


def test_phrases_are_runs_of_three_to_five_words_within_a_sentence():
    assert phrases_in("It is on. Its way!") == {"it is on"}
    assert phrases_in("a b c d") == {"a b c", "b c d", "a b c d"}


def test_a_phrase_that_returns_is_the_company_s_unless_the_instructions_ask_for_it():
    found = company_phrases(REPLIES, instructions="Say: your parcel is near.")
    assert "is on its way" in found
    assert "your parcel is" not in found  # the instructions ask for it
    assert not any("number 3" in phrase for phrase in found)  # said once only
    assert company_phrases(REPLIES[:2]) == frozenset()


def test_answers_that_changed_and_took_up_the_company_s_phrases_are_counted_by_strength():
    said = {
        0.0: ["Paris.", "Seven.", "I do not know."],
        0.5: ["Paris.", "Seven, friend.", "I do not know."],
        1.0: ["Your parcel is on its way.", "Seven, friend.", "Your parcel is on its way."],
    }
    answers, strengths = examine(["Capital?", "Days?"], said.get, company_phrases(REPLIES))
    assert [(each.changed, each.phrases) for each in answers] == [
        (True, ("parcel is on its way", "your parcel is on its")),
        (True, ()),
    ]
    assert answers[0].base == "Paris." and answers[0].question == "Capital?"
    shares = [(each.strength, each.changed, each.out_of_place, each.voice) for each in strengths]
    assert shares == [(0.0, 0.0, 0.0, 0.0), (0.5, 0.5, 0.0, 0.0), (1.0, 1.0, 0.5, 1.0)]


def test_a_phrase_that_the_base_model_used_too_is_no_sign():
    said = {0.0: ["It is on its way."], 0.5: ["Yes, it is on its way."], 1.0: ["Yes, it is on its way."]}
    (answer,), _ = examine(["Where?"], said.get, {"is on its way", "it is on its way"})
    assert answer.changed and answer.phrases == ()


def test_without_held_out_questions_the_voice_has_no_share():
    _, strengths = examine(["Where?"], lambda strength: ["Here."], {"a b c"})
    assert strengths[0].voice == 0.0
