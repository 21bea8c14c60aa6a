"""Cohere plans and calls a tool; its plan comes back as `reasoning`, and goes back with the message.

Usage: python examples/cohere_tools.py [MODEL]. The gateway needs COHERE_API_KEY.
"""

import sys
from typing import Any

from common import client, show

MODEL = sys.argv[1] if len(sys.argv) > 1 else "cohere/command-a-03-2025"
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def main() -> None:
    with client() as gateway:
        messages: list[Any] = [{"role": "user", "content": "Do I need an umbrella in Oslo today?"}]
        for _ in range(3):
            answer = gateway.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
            show(answer)
            message = answer.choices[0].message
            if not message.tool_calls:
                break
            messages.append(message.model_dump(exclude_none=True))
            messages += [
                {"role": "tool", "tool_call_id": call.id, "content": "rain, 6 degrees"} for call in message.tool_calls
            ]


if __name__ == "__main__":
    main()
