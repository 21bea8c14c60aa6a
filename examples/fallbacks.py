"""One conversation over several providers: a fallback takes over, and the first one goes on where it can.

Usage: python examples/fallbacks.py [MODEL FALLBACK…]. What one provider signed is withheld from the others, and given
back to it when it serves again.
"""

import sys
from typing import Any

from common import client, show

MODEL, *FALLBACKS = sys.argv[1:] or ["anthropic/claude-sonnet-4-5", "google/gemini-2.5-flash"]


def main() -> None:
    with client() as gateway:
        messages: list[Any] = []
        for question in ("Think of a planet with rings.", "How many moons has it?"):
            messages.append({"role": "user", "content": question})
            raw = gateway.chat.completions.with_raw_response.create(
                model=MODEL,
                messages=messages,
                reasoning_effort="low",
                max_tokens=4000,
                extra_body={"fallbacks": [{"model": name} for name in FALLBACKS], "retry": {"count": 1}},
            )
            answer = raw.parse()
            print(f"{raw.headers['x-orrery-provider']}, for {raw.headers['x-orrery-cost-usd']} USD:")
            show(answer)
            messages.append(answer.choices[0].message.model_dump(exclude_none=True))


if __name__ == "__main__":
    main()
