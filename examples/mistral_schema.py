"""Mistral fills in a pydantic model through the SDK's own `.parse`.

Usage: python examples/mistral_schema.py [MODEL]. The gateway needs MISTRAL_API_KEY.
"""

import sys

from common import client, show
from pydantic import BaseModel

MODEL = sys.argv[1] if len(sys.argv) > 1 else "mistral/mistral-small-latest"


class Sky(BaseModel):
    """What we want to know."""

    moons: list[str]


def main() -> None:
    with client() as gateway:
        answer = gateway.chat.completions.parse(
            model=MODEL,
            messages=[{"role": "user", "content": "Name two moons of Saturn."}],
            response_format=Sky,
        )
        show(answer)
        print(repr(answer.choices[0].message.parsed))


if __name__ == "__main__":
    main()
