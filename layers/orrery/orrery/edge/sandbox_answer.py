"""What the sandbox answers: the caller's own words, or the smallest JSON that a schema allows.

It calls tools where it must (`tool_choice`), and, as `sandbox_calls` says, where the last user message has it on a line
(`call <tool> {"arguments": …}`, `think …`) or plainly asks for the time. Tools' results are answered with what they
said.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from orrery.edge.sandbox_calls import (
    callable_tools,
    deltas,
    instructions,
    is_users_turn,
    must_call,
    next_call,
    results,
    thoughts,
)

NOTHING_SAID = "You said nothing, so there is nothing to echo."
DEEPEST = 16
"""Levels of a schema that are filled in; below, null."""

_TOKEN = re.compile(r"\s*\S+\s*$|\s*\S+")

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """One streamed step of a choice."""

    delta: Json
    finish_reason: str | None = None

    @staticmethod
    def whole(pieces: Sequence["Piece"]) -> Json:
        """The message and finish reason that all the pieces make together."""
        calls = _joined(call for piece in pieces for call in piece.delta.get("tool_calls", ()))
        text = "".join(piece.delta.get("content", "") for piece in pieces)
        message: Json = {"role": "assistant", "content": None if calls else text, "refusal": None}
        if calls:
            message["tool_calls"] = calls
        if thought := "".join(piece.delta.get("reasoning_content", "") for piece in pieces):
            message["reasoning_content"] = thought
        return {"message": message, "finish_reason": pieces[-1].finish_reason}


def answer_to(asked: Json) -> list[Piece]:
    """The answer in pieces: tool calls where they are wanted, JSON where a format is, else an echo word by word."""
    thought = [Piece({"reasoning_content": token}) for token in split(_thought(asked))]
    calls = list(_called(asked))
    if calls:
        return [*thought, *(Piece(delta) for delta in calls), Piece({}, "tool_calls")]
    tokens = split(_text(asked))
    stopped = _stopped(tokens, asked)
    limit = asked.get("max_completion_tokens") or asked.get("max_tokens")
    cut = limit is not None and len(stopped) > limit
    said = stopped[:limit] if cut else stopped
    return [*thought, *(Piece({"content": token}) for token in said), Piece({}, "length" if cut else "stop")]


def usage_of(asked: Json, pieces: Sequence[Piece]) -> Json:
    """Counted as it is split: a word with the space before it is one token; a tool call is as many as its text has."""
    prompt = sum(len(split(_content(message))) for message in asked.get("messages", ()))
    answer = Piece.whole(pieces)["message"]
    texts = [answer["content"] or "", *(c["function"]["arguments"] for c in answer.get("tool_calls", ()))]
    completion = sum(len(split(text)) for text in texts) * (asked.get("n") or 1)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def split(text: str) -> list[str]:
    """A text as tokens: words, each with the white space before it."""
    return _TOKEN.findall(text) or ([text] if text else [])


def _stopped(tokens: list[str], asked: Json) -> list[str]:
    stops = asked.get("stop") or []
    text = "".join(tokens)
    ends = [text.find(stop) for stop in ([stops] if isinstance(stops, str) else stops) if stop in text]
    return split(text[: min(ends)]) if ends else tokens


def _text(asked: Json) -> str:
    wanted = asked.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return orjson.dumps(instance(wanted["json_schema"].get("schema") or {"type": "object"})).decode()
    messages = asked.get("messages") or []
    heard = [f"{name} said: {_content(message)}" for name, message in results(messages)]
    said = "\n".join(heard) or next((_content(m) for m in reversed(messages) if m.get("role") == "user"), "")
    if wanted.get("type") == "json_object":
        return orjson.dumps({"echo": said}).decode()
    return said or NOTHING_SAID


def _content(message: Json) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, dict))


def _called(asked: Json) -> Iterator[Json]:
    """The calls that are wanted, as deltas; a demanded one that nobody described has the smallest arguments."""
    messages = asked.get("messages") or []
    if not is_users_turn(messages):
        return
    tools = callable_tools(asked)
    wanted = [(call.name, call.arguments) for call in instructions(asked, _content(messages[-1]))]
    if not wanted and must_call(asked):
        wanted = [(name, None) for name in list(tools)[:1]]
    first = next_call(messages)
    for index, (name, arguments) in enumerate(wanted):
        yield from deltas(first + index, index, name, _smallest(tools[name]) if arguments is None else arguments)


def _thought(asked: Json) -> str:
    messages = asked.get("messages") or []
    return thoughts(_content(messages[-1])) if is_users_turn(messages) else ""


def _smallest(tool: Json) -> str:
    return orjson.dumps(instance(tool.get("parameters") or {"type": "object"})).decode()


def _joined(pieces: Iterator[Json]) -> list[Json]:
    """Calls, each whole, of the pieces in which they were streamed."""
    calls: dict[int, Json] = {}
    for piece in pieces:
        call = {key: value for key, value in piece.items() if key != "index"}
        if piece["index"] not in calls:
            calls[piece["index"]] = {**call, "function": dict(call["function"])}
        else:
            calls[piece["index"]]["function"]["arguments"] += call["function"]["arguments"]
    return list(calls.values())


def instance(schema: Any, root: Any = None, depth: int = 0) -> Any:
    """A small value that the schema allows; what it does not understand becomes null."""
    root = schema if root is None else root
    if not isinstance(schema, dict) or depth > DEEPEST:
        return None
    if "$ref" in schema:
        return instance(_referred(schema["$ref"], root), root, depth + 1)
    fixed = [schema[name] for name in ("const", "default") if name in schema] or schema.get("enum")
    if fixed:
        return fixed[0]
    for name in ("anyOf", "oneOf", "allOf"):
        if schema.get(name):
            return instance(schema[name][0], root, depth + 1)
    return _of_type(schema, root, depth)


def _of_type(schema: Json, root: Any, depth: int) -> Any:
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind or ("object" if "properties" in schema else None)
    if kind == "object":
        properties = schema.get("properties") or {}
        return {k: instance(properties.get(k, {}), root, depth + 1) for k in schema.get("required") or ()}
    if kind == "array":
        return [instance(schema.get("items"), root, depth + 1) for _ in range(schema.get("minItems") or 0)]
    return _plain(kind, schema)


def _plain(kind: Any, schema: Json) -> Any:
    if kind == "string":
        return "echo".ljust(schema.get("minLength") or 0, ".")[: schema.get("maxLength")]
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return False if kind == "boolean" else None


def _referred(ref: str, root: Any) -> Any:
    for step in ref.removeprefix("#/").split("/"):
        root = root.get(step, {}) if isinstance(root, dict) else {}
    return root
