"""Log probabilities as OpenAI lays them out.

Source: `LogprobsResult` of the google-genai Python SDK 3.4, read 2026-11-21: one chosen token for each step, and the
likeliest ones of each step, the likeliest first.
"""

from typing import Any

from orrery.core.types import Json
from orrery.providers.answer import object_of, text_of


def logprobs_of(result: Any) -> Json | None:
    """OpenAI's `logprobs` of a choice; None without any."""
    chosen = object_of(result).get("chosenCandidates")
    if not isinstance(chosen, list) or not chosen:
        return None
    listed = object_of(result).get("topCandidates")
    tops = listed if isinstance(listed, list) else []
    content = []
    for number, token in enumerate(chosen):
        top = object_of(tops[number]).get("candidates") if number < len(tops) else None
        top_logprobs = [_token(item) for item in top] if isinstance(top, list) else []
        content.append({**_token(token), "top_logprobs": top_logprobs})
    return {"content": content, "refusal": None}


def _token(token: Any) -> Json:
    text, logprob = text_of(object_of(token).get("token")), object_of(token).get("logProbability")
    value = logprob if isinstance(logprob, int | float) else 0.0  # JSON of Google's leaves zeros out
    return {"token": text, "logprob": float(value), "bytes": list(text.encode(errors="surrogatepass"))}
