"""Reads PowerPoint files (.pptx, .pptm, .ppsx): slides with their titles, text, tables, charts and notes.

It knows slides. Pictures, and what masters repeat on every slide, are left out.
"""

import io
from collections import Counter
from collections.abc import Iterator, Sequence

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.shapes.base import BaseShape
from pptx.shapes.group import GroupShape
from pptx.slide import Slide
from pptx.text.text import TextFrame

from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.refusals import no_text
from knowledge.documents.tables import write_table
from knowledge.documents.text import one_line

MIN_CHARACTERS = 20  # fewer than this in a whole file are the names of pictures
FURNITURE = (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.HEADER)


def read_slides(data: bytes, name: str, digest: str) -> Document:
    """A presentation, a section for every slide, its title as the heading.

    Raises:
        KnowledgeError: it holds pictures only.
    """
    show = Presentation(io.BytesIO(data))
    slides = [slide for slide in show.slides if slide._element.get("show") != "0"]
    shapes = [list(_shapes(slide)) for slide in slides]
    repeated = _repeated(shapes)
    builder = DocumentBuilder(name, digest, unit="slide")
    for slide, on_it in zip(slides, shapes, strict=True):
        builder.page(show.slides.index(slide) + 1)
        _write_slide(slide, [shape for shape in on_it if _text_of(shape) not in repeated], builder)
    if sum(_letters(shape) for on_it in shapes for shape in on_it) < MIN_CHARACTERS:
        raise no_text(name, f"its {len(slides)} slides show pictures")
    return builder.finish(declared=show.core_properties.title or "")


def _letters(shape: BaseShape) -> int:
    """How much a shape says in words; the numbers of a chart say nothing alone."""
    if getattr(shape, "has_table", False):
        return sum(len("".join(cell.text.split())) for row in shape.table.rows for cell in row.cells)
    return len("".join(_text_of(shape).split()))


def _shapes(slide: Slide) -> Iterator[BaseShape]:
    """All shapes with text, a table or a chart, from top to bottom, groups opened."""
    waiting = list(slide.shapes)
    while waiting:
        shape = waiting.pop(0)
        if isinstance(shape, GroupShape):
            waiting = [*shape.shapes, *waiting]
        elif not (shape.is_placeholder and shape.placeholder_format.type in FURNITURE):
            yield shape


def _text_of(shape: BaseShape) -> str:
    return one_line(shape.text_frame.text) if shape.has_text_frame else ""


def _repeated(shapes: Sequence[Sequence[BaseShape]]) -> set[str]:
    """Texts that most slides hold, such as the company's name at the bottom."""
    seen: Counter[str] = Counter()
    for on_it in shapes:
        seen.update({text for shape in on_it if (text := _text_of(shape))})
    return {text for text, count in seen.items() if count >= 3 and count > len(shapes) / 2}


def _write_slide(slide: Slide, shapes: Sequence[BaseShape], builder: DocumentBuilder) -> None:
    title = slide.shapes.title
    if title is not None:
        builder.heading(1, title.text_frame.text)
    body = [shape for shape in shapes if title is None or shape.shape_id != title.shape_id]
    for shape in sorted(body, key=lambda shape: (shape.top or 0, shape.left or 0)):
        _write_shape(shape, builder)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text
        if len(notes.split()) > 1:
            builder.block(f"Notes: {notes}")


def _write_shape(shape: BaseShape, builder: DocumentBuilder) -> None:
    if shape.has_text_frame:
        _write_text(shape.text_frame, builder)
    elif getattr(shape, "has_table", False):
        write_table(builder, [[cell.text for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        _write_chart(shape, builder)


def _write_text(frame: TextFrame, builder: DocumentBuilder) -> None:
    """The paragraphs of a shape; more than one read as a list."""
    paragraphs = [text for paragraph in frame.paragraphs if (text := one_line(paragraph.text))]
    for place, text in enumerate(paragraphs):
        builder.block(f"- {text}" if len(paragraphs) > 2 else text, tight=place > 0)


def _write_chart(shape: BaseShape, builder: DocumentBuilder) -> None:
    """A chart as the table it draws."""
    chart = shape.chart
    if chart.has_title and chart.chart_title.has_text_frame:
        builder.block(chart.chart_title.text_frame.text)
    for plot in chart.plots:
        rows = [["", *(series.name for series in plot.series)]]
        values = [list(series.values) for series in plot.series]
        for place, category in enumerate(plot.categories):
            numbers = [line[place] if place < len(line) else None for line in values]
            rows.append([str(category), *("" if value is None else f"{value:g}" for value in numbers)])
        builder.table(rows)
