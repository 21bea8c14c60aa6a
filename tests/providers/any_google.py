"""Any answer of Gemini's at all, whole and streamed."""

from base64 import b64encode

import orjson
from hypothesis import strategies as st

from orrery.core.types import Json

words = st.text(st.characters(codec="utf-8"), max_size=12)
args = st.dictionaries(words, st.one_of(st.integers(-9, 9), words, st.none(), st.booleans()), max_size=3)
signatures = st.binary(min_size=1, max_size=6).map(lambda raw: b64encode(raw).decode())
counts = st.integers(0, 10**6)


def _part(**fields: object) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


maybe_signed = st.one_of(st.none(), signatures)
text = st.builds(lambda t, s: _part(text=t, thoughtSignature=s), words, maybe_signed)
thought = st.builds(lambda t, s: _part(text=t, thought=True, thoughtSignature=s), words, maybe_signed)
call = st.builds(
    lambda i, a, s: _part(functionCall=_part(id=i, name="f", args=a), thoughtSignature=s),
    st.sampled_from([None, "own_id"]),
    st.one_of(st.none(), args),
    maybe_signed,
)
image = st.builds(
    lambda s: _part(inlineData={"mimeType": "image/png", "data": "iVBO"}, thoughtSignature=s), maybe_signed
)
other = st.just({"executableCode": {"language": "PYTHON", "code": "1"}})
reasons = st.sampled_from(["STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "INVENTED"])


@st.composite
def candidates(draw: st.DrawFn, index: int) -> Json:
    parts = draw(st.lists(st.one_of(text, thought, call, image, other), max_size=6))
    for number, part in enumerate(parts):
        if "id" in part.get("functionCall", {}):
            part["functionCall"] = {**part["functionCall"], "id": f"id-{index}-{number}"}
    found: Json = {"index": index, "content": {"role": "model", "parts": parts}, "finishReason": draw(reasons)}
    return found | ({"finishMessage": draw(words)} if draw(st.booleans()) else {})


@st.composite
def replies(draw: st.DrawFn) -> Json:
    usage: Json = {"promptTokenCount": draw(counts), "candidatesTokenCount": draw(counts)}
    for name in ("thoughtsTokenCount", "cachedContentTokenCount", "toolUsePromptTokenCount"):
        if draw(st.booleans()):
            usage[name] = draw(counts)
    if draw(st.booleans()):
        usage["promptTokensDetails"] = [{"modality": m, "tokenCount": draw(counts)} for m in ("TEXT", "AUDIO")]
    whole: Json = {"responseId": "r-1", "modelVersion": "gemini-2.5-flash", "usageMetadata": usage}
    if draw(st.integers(0, 9)) == 0:
        return {**whole, "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    return {**whole, "candidates": [draw(candidates(index)) for index in range(draw(st.integers(1, 3)))]}


def pieces(part: Json, size: int) -> list[Json]:
    """A part as it may be streamed: only texts without a signature come in pieces."""
    said = part.get("text", "")
    if "thoughtSignature" in part or not said:
        return [part]
    return [{**part, "text": said[start : start + size]} for start in range(0, len(said), size)]


def streamed(reply: Json, size: int, *, counted_late: bool) -> bytes:
    """The reply as Gemini would stream it, `size` characters at a time; each candidate shows up in the first event."""
    head = {name: reply[name] for name in ("responseId", "modelVersion")}
    usage = reply["usageMetadata"]
    events: list[Json] = []
    if "candidates" in reply:
        begun = [{"index": c["index"], "content": {"role": "model", "parts": []}} for c in reply["candidates"]]
        events.append({**head, "candidates": begun, "usageMetadata": {"promptTokenCount": usage["promptTokenCount"]}})
    queues = {c["index"]: [p for part in c["content"]["parts"] for p in pieces(part, size)] for c in begun_of(reply)}
    while any(queues.values()):
        for index, queue in queues.items():
            if queue:
                said = {"index": index, "content": {"role": "model", "parts": [queue.pop(0)]}}
                events.append({**head, "candidates": [said]})
    ends = [{name: value for name, value in c.items() if name != "content"} for c in begun_of(reply)]
    last = {**head, **({"candidates": ends} if ends else {"promptFeedback": reply["promptFeedback"]})}
    events += [last, {**head, "usageMetadata": usage}] if counted_late else [{**last, "usageMetadata": usage}]
    return b"".join(b"data: %b\r\n\r\n" % orjson.dumps(event) for event in events)


def begun_of(reply: Json) -> list[Json]:
    found: list[Json] = reply.get("candidates", [])
    return found


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A stream, and the same answer whole."""
    reply = draw(replies())
    return streamed(reply, draw(st.integers(1, 9)), counted_late=draw(st.booleans())), orjson.dumps(reply)
