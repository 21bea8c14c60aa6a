"""Gemini looks at an image, thinks a little, and answers in a JSON schema.

Usage: python examples/gemini_vision.py [MODEL]. The gateway needs GEMINI_API_KEY. The same with
`vertex/gemini-2.5-flash` needs VERTEX_CREDENTIALS; a region may stand before the name, as in
`vertex/europe-west4/gemini-2.5-flash`.
"""

import sys
from typing import Any

from common import client, show

MODEL = sys.argv[1] if len(sys.argv) > 1 else "google/gemini-2.5-flash"
RED_DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO"
    "9TXL0Y4OHwAAAABJRU5ErkJggg=="
)
SCHEMA = {
    "type": "object",
    "properties": {"color": {"type": "string"}, "shape": {"type": "string"}},
    "required": ["color", "shape"],
    "additionalProperties": False,
}


def main() -> None:
    with client() as gateway:
        look: list[Any] = [
            {"type": "text", "text": "What is in this picture?"},
            {"type": "image_url", "image_url": {"url": RED_DOT}},
        ]
        answer = gateway.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": look}],
            reasoning_effort="low",
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "picture", "strict": True, "schema": SCHEMA},
            },
        )
        show(answer)


if __name__ == "__main__":
    main()
