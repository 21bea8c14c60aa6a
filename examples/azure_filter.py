"""Azure OpenAI: the model is the name of your deployment; what its content filter refuses is an error that says so.

Usage: python examples/azure_filter.py DEPLOYMENT. The gateway needs AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_API_KEY.
A deployment that is not called like its model has no price until you give it one:
`orrery models set azure/NAME --like openai/gpt-4o`.
"""

import sys

from common import client, show
from openai import BadRequestError

MODEL = f"azure/{sys.argv[1] if len(sys.argv) > 1 else 'gpt-4o-mini'}"


def main() -> None:
    with client() as gateway:
        try:
            answer = gateway.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "Why is the sky dark at night?"}]
            )
            show(answer)
        except BadRequestError as err:
            if err.code != "content_filter":
                raise
            print(f"Azure's filter refused it: {err.message}")


if __name__ == "__main__":
    main()
