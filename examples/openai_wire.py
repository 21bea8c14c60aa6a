"""Any provider that speaks OpenAI's wire, streamed, with its reasoning where it tells it.

Usage: python examples/openai_wire.py PROVIDER/MODEL, for example deepseek/deepseek-reasoner with DEEPSEEK_API_KEY set
for the gateway. Without an argument it is `sandbox/echo`, which needs no key.
"""

import sys

from common import client

MODEL = sys.argv[1] if len(sys.argv) > 1 else "sandbox/echo"


def main() -> None:
    with client() as gateway:
        stream = gateway.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "How many r are in strawberry?"}], stream=True
        )
        thinking = False
        for chunk in stream:
            delta = chunk.choices[0].delta
            if reasoning := getattr(delta, "reasoning", None):
                print("(thinks) " * (not thinking) + reasoning, end="", flush=True)
                thinking = True
            if delta.content:
                print("\n" * thinking + delta.content, end="", flush=True)
                thinking = False
        print()


if __name__ == "__main__":
    main()
