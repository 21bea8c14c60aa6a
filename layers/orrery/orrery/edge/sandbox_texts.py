"""What the sandbox makes of texts: vectors, verdicts, ranks and pages."""

import base64
import hashlib
import math
import re
import secrets
import struct
from typing import Any

from orrery.edge.sandbox_behavior import Refused

type Json = dict[str, Any]

DIMENSIONS, MOST_DIMENSIONS = 256, 4096
FLAG = "FLAG ME"
MOST_PAGES = 100
_PAGE = re.compile(rb"/Type\s*/Page\b")
CATEGORIES = (
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm"),
    *("self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic"),
)
"""OpenAI's. Source: its API document 2.3.0, read 2026-11-21."""


def vector(value: Any, dimensions: int) -> list[float]:
    """A vector of length 1 that follows from the input alone."""
    seed = repr(value).encode()
    blocks = (hashlib.sha256(seed + bytes([n % 256, n // 256])).digest() for n in range(-(-dimensions // 8)))
    raw = b"".join(blocks)[: dimensions * 4]
    found = [number / 2**31 - 1 for number in struct.unpack(f"<{dimensions}I", raw)]
    length = math.sqrt(sum(each * each for each in found)) or 1.0
    return list(struct.unpack(f"<{dimensions}f", struct.pack(f"<{dimensions}f", *(each / length for each in found))))


def embeddings(asked: Json) -> Json:
    """OpenAI's list of vectors. Raises `Refused` for more dimensions than there are."""
    given = asked["input"]
    inputs = [given] if isinstance(given, str) or isinstance(given[0], int) else given
    dimensions = int(asked.get("dimensions") or DIMENSIONS)
    if dimensions > MOST_DIMENSIONS:
        raise Refused(f"The sandbox has at most {MOST_DIMENSIONS} dimensions.", "dimensions")
    rows = [
        {"object": "embedding", "index": index, "embedding": _written(vector(each, dimensions), asked)}
        for index, each in enumerate(inputs)
    ]
    tokens = sum(len(each.split()) if isinstance(each, str) else len(each) for each in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": "embed", "usage": usage}


def _written(found: list[float], asked: Json) -> Any:
    if asked.get("encoding_format") != "base64":
        return found
    return base64.b64encode(struct.pack(f"<{len(found)}f", *found)).decode()


def moderations(asked: Json) -> Json:
    """OpenAI's verdicts: a text is flagged where it says so."""
    given = asked["input"]
    one = isinstance(given, str) or isinstance(given[0], dict)  # parts are judged together
    inputs = [given] if one else given
    results = []
    for each in inputs:
        found = FLAG in str(each)
        scores = dict.fromkeys(CATEGORIES, 0.0)
        scores["violence"] = 1.0 if found else 0.0
        results.append(
            {
                "flagged": found,
                "categories": {name: score > 0 for name, score in scores.items()},
                "category_scores": scores,
                "category_applied_input_types": {name: ["text"] for name in scores},
            }
        )
    return {"id": f"modr-sandbox{secrets.token_hex(8)}", "model": "moderate", "results": results}


def rerank(asked: Json) -> Json:
    """Ranks by the share of the query's words that a document has."""
    wanted = set(asked["query"].lower().split())
    shares = [len(wanted & set(text.lower().split())) / len(wanted) for text in asked["documents"]]
    order = sorted(range(len(shares)), key=lambda index: -shares[index])[: asked.get("top_n") or len(shares)]
    results = [{"index": index, "relevance_score": shares[index]} for index in order]
    return {"id": f"rerank-sandbox{secrets.token_hex(8)}", "results": results}


def ocr(asked: Json) -> Json:
    """Mistral's pages, each of which says what was sent: as many as a PDF has, or one."""
    document = asked["document"]
    held = document[document["type"]]
    data = _bytes_of(held["url"] if isinstance(held, dict) else held)
    what = "an address, which it does not visit" if data is None else f"{len(data)} bytes"
    count = min(len(_PAGE.findall(data or b"")), MOST_PAGES) or 1
    wanted = [number for number in range(count) if number in (_wanted(asked.get("pages")) or range(count))]
    pages = [_page(number, f"# Sandbox\n\nPage {number + 1} of {count}. It was sent {what}.") for number in wanted]
    return {
        "model": "read",
        "pages": pages,
        "usage_info": {"pages_processed": len(pages), "doc_size_bytes": len(data or b"")},
    }


def _bytes_of(url: str) -> bytes | None:
    """What a data URL holds; None for an address."""
    head, comma, data = url.partition(",")
    return base64.b64decode(data + "==") if comma and head.startswith("data:") else None


def _page(number: int, text: str) -> Json:
    return {"index": number, "markdown": text, "images": [], "dimensions": {"dpi": 72, "height": 842, "width": 595}}


def _wanted(pages: Any) -> list[int]:
    """The numbers in a list of pages, or in Mistral's way to write one (`0-2,5`)."""
    if not isinstance(pages, str):
        return list(pages or ())
    spans = (part.partition("-") for part in pages.split(","))
    return [number for first, _, last in spans for number in range(int(first), min(int(last or first), MOST_PAGES) + 1)]
