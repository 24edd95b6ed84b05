"""The process behind `knowledge.documents.guard`: reads the documents that it is asked for."""

from pathlib import Path
from typing import Any

from knowledge.confined import serve
from knowledge.documents import read_document
from knowledge.documents.guard import document_to_json
from knowledge.errors import KnowledgeError


def answer(request: dict[str, str]) -> dict[str, Any]:
    """What becomes of one file: its document, or why it was refused."""
    try:
        return {"document": document_to_json(read_document(Path(request["path"]), request["name"]))}
    except KnowledgeError as problem:
        return {"refused": str(problem)}


if __name__ == "__main__":
    serve(answer)
