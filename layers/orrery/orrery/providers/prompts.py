"""Completions of several prompts where a provider takes one at a time: a call for each, and one answer of all."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import orjson

from orrery.core.dialect import Frame
from orrery.core.errors import InvalidRequest
from orrery.core.types import Call, Json, Target, Usage
from orrery.wire.completions import prompts_of
from orrery.wire.usage import write_usage

MOST_CALLS = 128
"""For one request: as many as OpenAI lets `n` be."""


def one_each(call: Call, target: Target) -> Sequence[Call]:
    """A call for each prompt. Raises `InvalidRequest` where several are to be streamed: they would take turns."""
    prompts = prompts_of(call.body)
    if len(prompts) == 1:
        return (call,)
    if call.stream:
        raise InvalidRequest(f"{target.provider} streams the completion of one prompt at a time.", param="prompt")
    if len(prompts) > MOST_CALLS:
        raise InvalidRequest(f"{target.provider} gets a call for each prompt, at most {MOST_CALLS}.", param="prompt")
    return [replace(call, body={**call.body, "prompt": prompt}) for prompt in prompts]


def text_of(call: Call, who: str) -> str:
    """The one prompt. Raises `InvalidRequest` for tokens, which only the model that they were made for can read, and
    for no text at all."""
    (prompt,) = prompts_of(call.body)
    if isinstance(prompt, list):
        raise InvalidRequest(f"{who} takes text, not tokens.", param="prompt")
    if not prompt:
        raise InvalidRequest(f"{who} completes no empty prompt.", param="prompt")
    return str(prompt)


def joined(frames: Sequence[Frame], call: Call) -> Frame:
    """One answer of several: the choices of each prompt follow those of the one before, `n` of them each.

    Where one of them told no usage, none is told: what came is counted instead.
    """
    answers = [_body(frame) for frame in frames]
    wanted = int(call.body.get("n") or 1)
    choices = [
        {**choice, "index": number * wanted + place}
        for number, answer in enumerate(answers)
        for place, choice in enumerate(sorted(answer["choices"], key=_index))
    ]
    usage = _sum([frame.usage for frame in frames])
    rest = {name: value for name, value in answers[0].items() if name not in ("choices", "usage")}
    told = {"usage": write_usage(usage)} if usage else {}
    return Frame({**rest, "choices": choices, **told}, usage, sum(frame.output_chars for frame in frames))


def _body(frame: Frame) -> Json:
    found: Json = orjson.loads(frame.payload) if isinstance(frame.payload, bytes) else dict(frame.payload or {})
    return found


def _index(choice: Json) -> Any:
    return choice["index"]


_COUNTS = tuple(field.name for field in fields(Usage) if field.type is int or field.type == "int")


def _sum(usages: Sequence[Usage | None]) -> Usage | None:
    told = [usage for usage in usages if usage is not None]
    if len(told) < len(usages):
        return None
    counts = {name: sum(getattr(usage, name) for usage in told) for name in _COUNTS}
    return Usage(**counts, ours=any(usage.ours for usage in told))
