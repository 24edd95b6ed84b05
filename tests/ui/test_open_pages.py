"""What is remembered of open pages, and what it costs to leave their fields alone."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import pytest

from assistant.ui.guarding import GuardedBlocks
from assistant.ui.open_pages import OpenPage, OpenPages


@pytest.fixture
def demo():
    """Three fields and a handler for all of them, with nothing but what is asked of it."""
    with GuardedBlocks(analytics_enabled=False) as built:
        fields = [gr.HTML(elem_id=name) for name in ("a", "b", "c")]
        gr.Button().click(lambda: None, None, fields, api_name="fill")
    return built


def fields_of(demo):
    (handler,) = demo.fns.values()
    return handler, handler.outputs


def taken(demo, predictions, page):
    handler, _ = fields_of(demo)
    with (
        ThreadPoolExecutor() as pool
    ):  # a loop of its own: the browser of other tests runs one in this thread
        return pool.submit(asyncio.run, demo.postprocess_data(handler, predictions, page)).result()


def test_a_page_changes_its_own_fields_alone(demo):
    _, (first, *_) = fields_of(demo)
    page, other = OpenPage(demo), OpenPage(demo)
    page[first._id] = gr.HTML("new")
    assert page[first._id].value == "new"
    assert other[first._id] is first


def test_no_values_and_no_descriptions_are_kept(demo):
    _, (first, *_) = fields_of(demo)
    page = OpenPage(demo)
    taken(demo, {first: "what somebody was answered"}, page)
    taken(demo, {first: gr.update(visible=False)}, page)
    assert page.config_values == {}
    assert page[first._id].visible is False


def test_fields_that_a_handler_leaves_alone_are_not_built_anew(demo):
    _, (first, second, third) = fields_of(demo)
    page = OpenPage(demo)
    assert taken(demo, {second: "text"}, page) == [gr.skip(), "text", gr.skip()]
    assert (page[first._id], page[third._id]) == (first, third)
    assert taken(demo, {first: "1", third: "3"}, page) == ["1", gr.skip(), "3"]


def test_a_list_of_values_and_a_foreign_field_go_gradios_own_way(demo):
    page = OpenPage(demo)
    assert taken(demo, ["1", "2", "3"], page) == ["1", "2", "3"]
    with pytest.raises(ValueError, match="Returned component"):
        taken(demo, {gr.HTML(): "text"}, page)


def test_the_longest_unused_page_is_forgotten(demo):
    pages = OpenPages()
    pages.set_blocks(demo)
    pages.capacity = 2
    kept = pages["one"]
    for name in ("two", "one", "three"):
        assert isinstance(pages[name], OpenPage)
    assert list(pages.session_data) == ["one", "three"]
    assert pages["one"] is kept
