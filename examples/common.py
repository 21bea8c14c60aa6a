"""Where the gateway is: ORRERY_BASE_URL and ORRERY_API_KEY, else what `make run` wrote into .orrery/connection.json."""

import json
import os
from pathlib import Path
from typing import Any

from openai import OpenAI

CONNECTION = Path(__file__).parents[1] / ".orrery" / "connection.json"


def client() -> OpenAI:
    """The OpenAI SDK, pointed at the gateway."""
    known = json.loads(CONNECTION.read_text()) if CONNECTION.exists() else {}
    url = os.environ.get("ORRERY_BASE_URL") or known.get("base_url")
    key = os.environ.get("ORRERY_API_KEY") or known.get("api_key")
    if not url or not key:
        raise SystemExit("Start the gateway with `make run`, or set ORRERY_BASE_URL and ORRERY_API_KEY.")
    return OpenAI(base_url=url, api_key=key)


def show(answer: Any) -> None:
    """What an answer says, how it reasoned, what it calls, and what it cost in tokens."""
    message = answer.choices[0].message
    if reasoning := getattr(message, "reasoning", None):
        print(f"(thinks) {reasoning}")
    if message.content:
        print(message.content)
    for call in message.tool_calls or ():
        print(f"(calls) {call.function.name}({call.function.arguments})")
    usage = answer.usage
    print(f"[{answer.choices[0].finish_reason}: {usage.prompt_tokens} tokens in, {usage.completion_tokens} out]")
