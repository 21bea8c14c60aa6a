"""Amazon Bedrock by an inference profile, streamed; a region may stand before the model's name.

Usage: python examples/bedrock_stream.py [MODEL]. The gateway needs BEDROCK_REGION and credentials at AWS,
or a Bedrock API key.
"""

import sys

from common import client

MODEL = sys.argv[1] if len(sys.argv) > 1 else "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def main() -> None:
    with client() as gateway:
        stream = gateway.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Name the planets, a line each."}],
            max_tokens=300,
            stream=True,
            stream_options={"include_usage": True},
        )
        for chunk in stream:
            for choice in chunk.choices:
                print(choice.delta.content or "", end="", flush=True)
            if chunk.usage:
                print(f"\n[{chunk.usage.prompt_tokens} tokens in, {chunk.usage.completion_tokens} out]")


if __name__ == "__main__":
    main()
