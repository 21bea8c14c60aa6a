"""Claude thinks, calls a tool, and gets its signed thinking back: send the message on as it came.

Usage: python examples/claude_thinking.py [MODEL]. The gateway needs ANTHROPIC_API_KEY.
"""

import sys
from typing import Any

from common import client, show

MODEL = sys.argv[1] if len(sys.argv) > 1 else "anthropic/claude-sonnet-4-5"
MOONS = {"earth": 1, "mars": 2, "saturn": 274}
TOOL = {
    "type": "function",
    "function": {
        "name": "moons",
        "description": "How many moons a planet has.",
        "parameters": {"type": "object", "properties": {"planet": {"type": "string"}}, "required": ["planet"]},
    },
}


def main() -> None:
    with client() as gateway:
        messages: list[Any] = [{"role": "user", "content": "Which has more moons, Mars or Saturn? Use the tool."}]
        thinking = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
        for _ in range(3):
            answer = gateway.chat.completions.create(
                model=MODEL, messages=messages, tools=[TOOL], max_tokens=8000, extra_body=thinking
            )
            show(answer)
            message = answer.choices[0].message
            messages.append(message.model_dump(exclude_none=True))
            if not message.tool_calls:
                break
            for call in message.tool_calls:
                found = [str(count) for planet, count in MOONS.items() if planet in call.function.arguments.lower()]
                messages.append({"role": "tool", "tool_call_id": call.id, "content": ", ".join(found) or "unknown"})


if __name__ == "__main__":
    main()
