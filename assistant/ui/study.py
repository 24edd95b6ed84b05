"""The page Study: make a study, get its answers once, hand out the raters' links, follow and close the round.

It reads, calls the studio and shows. The look is known by `study_parts.py`, the place by `study_board.py`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from assistant.comparison import Criterion, Item, Study
from assistant.comparison.questions import from_chats, from_conversations, from_file, typed
from assistant.conversations import Conversation
from assistant.errors import AssistantError
from assistant.studio import Studio
from assistant.training import TrainingSettings
from assistant.training.task import split_for
from assistant.ui import study_parts as parts
from assistant.ui.dropzone import Delivery
from assistant.ui.guarding import whole
from assistant.ui.layout import CALM, EACH, notice
from assistant.ui.parts import PROBLEMS
from assistant.ui.study_board import Board, draw
from assistant.ui.study_planning import Plans, Standings
from assistant.wording import counted

MOST_CHATS = 200
"""Past chats whose questions are taken."""
Update = dict[Any, Any]
"""New values by component."""


class Handlers:
    """What happens on the page; each method reads, calls the studio, and says what to show."""

    def __init__(self, studio: Studio, board: Board) -> None:
        self._studio = studio
        self._board = board
        self._plans = Plans()
        self._standings = Standings()

    # -- which study --

    def load(self, request: gr.Request) -> Update:
        """The study that the page's address names, else the newest."""
        named = str(request.query_params.get("study", ""))
        studies = self._studio.studies.list()
        return self._shown(named or (studies[0].id if studies else ""))

    def open(self, event: gr.EventData) -> Update:
        """Show the study that was clicked."""
        return self._shown(str(event.name))

    def new(self, name: str, study_id: str) -> Update:
        """Begin a study."""
        try:
            made = self._studio.studies.new(name)
        except PROBLEMS as problem:
            return {self._board.said: notice(str(problem), "problem")}
        return self._shown(made.id) | {self._board.new_name: ""}

    def rename(self, name: str, study_id: str) -> Update:
        """Call the study something else."""
        if name == self._studio.studies.read(study_id).name:
            return {self._board.said: ""}
        return self._changed(study_id, lambda: self._studio.studies.rename(study_id, name))

    def remove(self, study_id: str) -> Update:
        """Remove the study with its votes."""
        self._studio.answering.stop(study_id)
        self._studio.studies.remove(study_id)
        studies = self._studio.studies.list()
        return self._shown(studies[0].id if studies else "")

    # -- questions --

    def add_typed(self, text: str, study_id: str) -> Update:
        """Add the questions that were typed."""
        return self._added(study_id, lambda: typed(text)) | {self._board.adding.typed: ""}

    def add_held_out(self, count: float, study_id: str) -> Update:
        """Add questions of conversations that no voice was learned from."""
        seed = self._studio.studies.read(study_id).settings.seed
        return self._added(study_id, lambda: from_conversations(self._held_out(), int(count or 0), seed=seed))

    def add_chats(self, study_id: str) -> Update:
        """Add the questions that past chats began with."""
        return self._added(study_id, lambda: from_chats(self._studio.chats.latest(MOST_CHATS)))

    def add_file(self, study_id: str, event: gr.EventData) -> Update:
        """Add the questions of the files that were dropped."""
        delivery = Delivery.of(event)

        def found() -> list[Item]:
            if delivery.failed:
                raise AssistantError(" ".join(delivery.failed))
            return [item for path, name in delivery.files for item in from_file(path, name)]

        return self._added(study_id, found)

    def remove_item(self, study_id: str, event: gr.EventData) -> Update:
        """Take out the question that was clicked."""
        item = whole(event.name)
        return self._changed(study_id, lambda: self._studio.studies.remove_items(study_id, [item]))

    def clear_items(self, study_id: str) -> Update:
        """Take out all questions."""
        every = [item.id for item in self._studio.studies.items(study_id)]
        return self._changed(study_id, lambda: self._studio.studies.remove_items(study_id, every))

    # -- criteria, raters, settings --

    def edit_criterion(self, study_id: str, event: gr.EventData) -> Update:
        """Put the criterion that was clicked where it can be changed."""
        editing = self._board.editing
        for each in self._studio.studies.read(study_id).criteria:
            if each.key == event.name:
                return {
                    editing.part: gr.Accordion(open=True),
                    editing.name: each.name,
                    editing.low: each.low,
                    editing.high: each.high,
                }
        return self._shown(study_id)

    def save_criterion(self, name: str, low: str, high: str, study_id: str) -> Update:
        """Add a criterion, or change the one of that name."""
        new = Criterion(name, low, high)
        there = {each.key: each for each in self._studio.studies.read(study_id).criteria} | {new.key: new}
        editing = self._board.editing
        shown = self._changed(
            study_id, lambda: self._studio.studies.save_criteria(study_id, list(there.values()))
        )
        if shown[self._board.said]:
            return shown
        return shown | {editing.name: "", editing.low: "", editing.high: ""}

    def remove_criterion(self, study_id: str, event: gr.EventData) -> Update:
        """Take out the criterion that was clicked."""
        kept = [each for each in self._studio.studies.read(study_id).criteria if each.key != event.name]
        return self._changed(study_id, lambda: self._studio.studies.save_criteria(study_id, kept))

    def save_settings(self, per_item: float, repeats: float, human: bool, study_id: str) -> Update:
        """Keep how the study is shared out."""
        settings = replace(
            self._studio.studies.read(study_id).settings,
            raters_per_item=int(per_item),
            repeat_share=repeats / 100,
            human=bool(human),
        )
        shown = self._changed(study_id, lambda: self._studio.studies.save_settings(study_id, settings))
        return {key: value for key, value in shown.items() if key not in self._board.sharing.values}

    def add_rater(self, name: str, study_id: str) -> Update:
        """Add a rater, who gets a link."""
        shown = self._changed(study_id, lambda: self._studio.rounds.add_rater(study_id, name))
        return shown if shown[self._board.said] else shown | {self._board.rater: ""}

    def remove_rater(self, study_id: str, event: gr.EventData) -> Update:
        """Remove the rater who was clicked."""
        rater = whole(event.name)
        return self._changed(study_id, lambda: self._studio.rounds.remove_rater(study_id, rater))

    # -- answers and votes --

    def start(self, study_id: str) -> Update:
        """Let the assistants answer, or go on with it."""
        return self._changed(study_id, lambda: self._studio.answer_study(study_id))

    def stop(self, study_id: str) -> Update:
        """Stop answering; what was answered is kept."""
        return self._changed(study_id, lambda: self._studio.answering.stop(study_id))

    def redraft(self, study_id: str) -> Update:
        """Go back to the draft and forget the answers."""
        return self._changed(study_id, lambda: self._studio.rounds.back_to_draft(study_id))

    def open_round(self, study_id: str) -> Update:
        """Let the raters vote."""
        return self._changed(study_id, lambda: self._studio.rounds.open(study_id))

    def close_round(self, study_id: str) -> Update:
        """End the round for good."""
        return self._changed(study_id, lambda: self._studio.rounds.close(study_id))

    def follow(self, study_id: str) -> Update:
        """How far the answers, the votes and the plan are; what is typed meanwhile stays."""
        board, studies = self._board, self._studio.studies
        try:
            study = studies.read(study_id)
        except AssistantError:  # removed in another window
            return {board.clock: gr.Timer(active=False)}
        if study.state == "open":
            return self._course(study)
        if study.state == "answering" and self._studio.answering.now(study_id, studies).running:
            return {board.now: self._now(study, 0, [])}
        shown = self._study(study)
        return {each: shown[each] for each in (board.now, board.raters, board.plan, board.items, board.clock)}

    def _course(self, study: Study) -> Update:
        """How far an open round is."""
        sheets = self._sheets(study)
        return {
            self._board.now: self._now(study, 0, sheets),
            self._board.raters: parts.raters_html(sheets, drawn=True, closed=False),
        }

    # -- what is shown --

    def _added(self, study_id: str, found: Callable[[], list[Item]]) -> Update:
        told: list[str] = []

        def add() -> None:
            items = found()
            added = self._studio.studies.add_items(study_id, items)
            there = len(items) - added
            known = f" {there} you had already." if there else ""
            told.append(f"{counted(added, 'question')} added.{known}")

        shown = self._changed(study_id, add)
        return shown | ({self._board.said: notice(told[0], "good")} if told else {})

    def _changed(self, study_id: str, change: Callable[[], object]) -> Update:
        try:
            change()
        except PROBLEMS as problem:
            return self._shown(study_id) | {self._board.said: notice(str(problem), "problem")}
        return self._shown(study_id)

    def _shown(self, study_id: str) -> Update:
        board, studies = self._board, self._studio.studies.list()
        study = next((each for each in studies if each.id == study_id), None)
        shown: Update = {
            board.study_id: study.id if study else "",
            board.studies: parts.list_html(studies, study.id if study else ""),
            board.said: "",
            board.nothing: "" if study else parts.NO_STUDY,
            board.body: gr.Column(visible=study is not None),
            board.clock: gr.Timer(active=False),
        }
        return shown | self._study(study) if study else shown

    def _study(self, study: Study) -> Update:
        board, draft = self._board, study.state == "draft"
        items, sheets = self._studio.studies.items(study.id), self._sheets(study)
        plan = self._plan(study, len(items), len(sheets))
        drawn = study.state in ("open", "closed")
        return {
            board.name: study.name,
            board.now: self._now(study, len(items), sheets),
            board.adding.part: gr.Accordion(visible=draft),
            board.items: parts.items_html(items, draft=draft),
            board.joining: gr.Row(visible=study.state != "closed"),
            board.raters: parts.raters_html(sheets, drawn=drawn, closed=study.state == "closed"),
            board.plan: plan,
            board.sharing.part: gr.Accordion(visible=draft),
            board.sharing.per_item: study.settings.raters_per_item,
            board.sharing.repeats: round(100 * study.settings.repeat_share),
            board.sharing.human: study.settings.human,
            board.criteria: parts.criteria_html(study.criteria, draft=draft),
            board.editing.part: gr.Accordion(visible=draft),
            board.remove: parts.remove_html(),
            board.clock: gr.Timer(active=study.state in ("answering", "open") or plan == parts.PLANNING),
        }

    def _now(self, study: Study, items: int, sheets: list[parts.Sheet]) -> str:
        return parts.steps_html(study) + self._state(study, items, sheets)

    def _state(self, study: Study, items: int, sheets: list[parts.Sheet]) -> str:
        if study.state == "draft":
            return parts.draft_html(items, len(sheets), self._missing())
        if study.state == "answering":
            return parts.answering_html(self._studio.answering.now(study.id, self._studio.studies))
        votes = sum(sheet.done for sheet in sheets)
        told = parts.standing_html(self._standings.of(self._studio.desk, study), study.id)
        if study.state == "closed":
            return parts.closed_html(votes) + told
        return parts.open_html(votes, sum(sheet.total for sheet in sheets)) + told

    def _missing(self) -> list[str]:
        """What can't answer yet, in words."""
        missing = [] if self._studio.has_adapter() else ["Fine-tuned"]
        missing += [] if len(self._studio.knowledge) else ["RAG"]
        return [*missing, "Combined"] if missing else []

    def _plan(self, study: Study, items: int, raters: int) -> str:
        if study.state != "draft" or not raters:
            return ""
        return parts.plan_html(self._plans.of(raters, study.settings.raters_per_item), items)

    def _sheets(self, study: Study) -> list[parts.Sheet]:
        counts = self._studio.votes.counts(study.id)
        return [
            parts.Sheet(rater, *counts.get(rater.id, (0, 0)))
            for rater in self._studio.rounds.raters(study.id)
        ]

    def _held_out(self) -> tuple[Conversation, ...]:
        """The conversations that the present voice did not learn from.

        Raises:
            AssistantError: none are held out of so few.
        """
        adapter = self._studio.adapter()
        used = adapter.lineage.settings if adapter and adapter.lineage else {}
        known = ("evaluation_share", "seed", "most_conversations")
        settings = TrainingSettings.of({name: used[name] for name in known if name in used})
        held = split_for(self._studio.conversations.read().conversations, settings).evaluation
        if not held:
            raise AssistantError(
                "No conversations are held out: there are too few, or a training held none out. Add more on "
                "the page Conversations, or type questions."
            )
        return held


def page(studio: Studio) -> None:
    """Draw the page and connect its handlers."""
    board = draw()
    does = Handlers(studio, board)
    study, shown = board.study_id, board.shown
    gr.on(None, does.load, None, shown, api_name="study_load", **CALM)
    board.studies.open(does.open, None, shown, api_name="study_open", **CALM)
    named = [board.new_name.submit, board.new.click]
    gr.on(named, does.new, [board.new_name, study], shown, api_name="study_new", **CALM)
    gr.on(
        [board.name.submit, board.name.blur],
        does.rename,
        [board.name, study],
        shown,
        api_name="study_rename",
        **CALM,
    )
    board.remove.remove_study(does.remove, study, shown, api_name="study_remove", **CALM)
    board.clock.tick(does.follow, study, shown, api_name="study_follow", **CALM)
    study.change(None, study, None, js="id => quartetStudy.address(id)")
    _connect_draft(does, board)
    for name in ("start", "stop", "redraft", "open_round", "close_round"):
        getattr(board.now, name)(getattr(does, name), study, shown, api_name=f"study_{name}", **CALM)


def _connect_draft(does: Handlers, board: Board) -> None:
    """What changes a draft."""
    study, shown, adding, editing = board.study_id, board.shown, board.adding, board.editing
    adding.add_typed.click(does.add_typed, [adding.typed, study], shown, api_name="study_add_typed", **CALM)
    adding.add_held_out.click(
        does.add_held_out, [adding.count, study], shown, api_name="study_add_held_out", **CALM
    )
    adding.add_chats.click(does.add_chats, study, shown, api_name="study_add_chats", **CALM)
    adding.drop.upload(does.add_file, study, shown, api_name="study_add_file", **CALM)
    board.items.remove_item(does.remove_item, study, shown, api_name="study_remove_item", **EACH)
    board.items.clear_items(does.clear_items, study, shown, api_name="study_clear_items", **CALM)
    edited = [editing.name, editing.low, editing.high, study]
    editing.save.click(does.save_criterion, edited, shown, api_name="study_save_criterion", **CALM)
    board.criteria.edit_criterion(does.edit_criterion, study, shown, api_name="study_edit_criterion", **CALM)
    board.criteria.remove_criterion(
        does.remove_criterion, study, shown, api_name="study_remove_criterion", **CALM
    )
    joined = [board.rater.submit, board.add_rater.click]
    gr.on(joined, does.add_rater, [board.rater, study], shown, api_name="study_add_rater", **CALM)
    board.raters.remove_rater(does.remove_rater, study, shown, api_name="study_remove_rater", **EACH)
    sharing = board.sharing
    changed = [sharing.per_item.release, sharing.repeats.release, sharing.human.input]
    gr.on(changed, does.save_settings, [*sharing.values, study], shown, api_name="study_settings", **CALM)
