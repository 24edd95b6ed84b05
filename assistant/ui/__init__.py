"""The pages of the workbench. Nothing outside this package imports gradio."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount

from assistant.studio import Studio
from assistant.ui import company, compare, conversations, documents, report, study, train
from assistant.ui.guarding import GuardedBlocks
from assistant.ui.layout import Page, frame
from assistant.ui.open_pages import CAPACITY, OpenPages
from assistant.ui.theme import head, theme
from assistant.workspace import quartet_home

PAGES = (
    Page("Compare", "", compare.page),
    Page("Documents", "documents", documents.page),
    Page("Conversations", "conversations", conversations.page),
    Page("Train", "train", train.page),
    Page("Study", "study", study.page),
    Page("Report", "report", report.page),
    Page("Company", "company", company.page),
)
"""All pages, in the order of the header."""

FAVICON = Path(__file__).parent / "favicon.svg"
UPLOAD_LIMIT = "2gb"
CLEAN_UP = (3600, 24 * 3600)
"""Seconds: every hour, uploads older than a day are deleted; what was added has a copy of its own."""


def build(studio: Studio) -> gr.Blocks:
    """All pages of a studio."""
    with _no_application_yet():
        with GuardedBlocks(
            title="Quartet", analytics_enabled=False, fill_width=True, delete_cache=CLEAN_UP
        ) as demo:
            frame(studio, PAGES[0], PAGES)
        for each in PAGES[1:]:
            with demo.route(each.name, each.address):
                frame(studio, each, PAGES)
        demo.record = lambda person, handler: studio.audit.record(person, handler)
        demo.state_session_capacity = CAPACITY
        return demo.queue(max_size=64)


@contextmanager
def _no_application_yet() -> Iterator[None]:
    """Gradio makes no web application after each page, to be thrown away: `mount` makes the one there is."""
    create = gr.routes.App.create_app
    gr.routes.App.create_app = staticmethod(lambda blocks, **options: None)
    try:
        yield
    finally:
        gr.routes.App.create_app = staticmethod(create)


def mount(app: FastAPI, studio: Studio) -> FastAPI:
    """Put the pages at the root of a web application."""
    with warnings.catch_warnings():
        # Said of every application with several pages, also where it is off as here.
        warnings.filterwarnings("ignore", message="SSR mode is not supported")
        demo = build(studio)
        mounted = gr.mount_gradio_app(
            app,
            demo,
            path="/",
            run_history=False,
            enable_monitoring=False,
            show_error=False,
            footer_links=[],
            max_file_size=UPLOAD_LIMIT,
            ssr_mode=False,
            theme=theme(),
            favicon_path=str(FAVICON),
            head=head(),
            blocked_paths=[str(quartet_home()), str(studio.workspace.root)],
        )
    pages = OpenPages()
    pages.set_blocks(demo)
    _gradio(mounted).state_holder = pages
    return mounted


def _gradio(app: FastAPI) -> gr.routes.App:
    """Gradio's own application within ours."""
    return next(
        route.app for route in app.routes if isinstance(route, Mount) and isinstance(route.app, gr.routes.App)
    )
