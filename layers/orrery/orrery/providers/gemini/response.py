"""An answer as far as it has come: candidates, usage, blocked prompts. Whole replies and streams both use it."""

from typing import Any, NamedTuple

from orrery.core.errors import UpstreamError
from orrery.core.types import Call, Json
from orrery.providers.answer import object_of, text_of
from orrery.providers.gemini.answer import FAILED, Candidate
from orrery.providers.gemini.errors import failure, fault
from orrery.providers.gemini.logprobs import logprobs_of
from orrery.providers.gemini.models import traits_of
from orrery.providers.gemini.usage import Counts


class Said(NamedTuple):
    """What choice number `choice` says next."""

    choice: int
    deltas: list[Json]
    logprobs: Json | None


class Response:
    """`GenerateContentResponse`s of one answer, one after the other."""

    def __init__(self, call: Call, issuer: str) -> None:
        self.id = ""
        self.model = ""
        self.counts = Counts()
        self.counted = False  # by the last one
        self.candidates: dict[int, Candidate] = {}
        self._call = call
        self._issuer = issuer
        self._is_blocked = False

    def add(self, data: Any) -> list[Said]:
        """What one of them says. Raises `UpstreamError` for an error, and for an answer that failed."""
        if isinstance(data, list) and data:
            data = data[0]
        if not isinstance(data, dict):
            raise UpstreamError("the provider sent an answer that is not a JSON object", upstream_status=200)
        if "error" in data and (err := fault(data)):
            raise err
        self.id = self.id or text_of(data.get("responseId"))
        self.model = self.model or text_of(data.get("modelVersion"))
        self.counted = self.counts.add(data.get("usageMetadata"))
        listed = data.get("candidates")
        candidates = listed if isinstance(listed, list) else []
        said = [self._read(c, number) for number, c in enumerate(candidates) if isinstance(c, dict)]
        if "promptFeedback" in data:
            self._blocked(object_of(data["promptFeedback"]))
        return said

    def _read(self, data: Json, number: int) -> Said:
        index = data.get("index", number)
        index = index if type(index) is int else number
        candidate = self.candidates.get(index)
        if candidate is None:
            id = self.id or f"{self._call.received_at:x}"
            candidate = self.candidates[index] = Candidate(self._issuer, id, index)
        content = data.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        deltas: list[Json] = []
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                deltas += candidate.add(part)
        if "finishReason" in data or "finishMessage" in data:
            candidate.end(data.get("finishReason"), data.get("finishMessage"))
            if candidate.reason in FAILED:
                raise failure(candidate.reason, candidate.message)
        return Said(index, deltas, logprobs_of(data["logprobsResult"]) if "logprobsResult" in data else None)

    def _blocked(self, feedback: Json) -> None:
        """A prompt that was blocked has no candidates: the refusal becomes the only one."""
        reason = text_of(feedback.get("blockReason"))
        if reason and not self.candidates:
            self._is_blocked = True
            self.candidates[0] = Candidate(self._issuer, self.id, 0)
            self.candidates[0].end("SAFETY", feedback.get("blockReasonMessage") or reason)

    def ended(self) -> bool:
        """Whether each choice that was asked for has ended: the only mark of a stream's end."""
        asked = int(self._call.body.get("n") or 1) if traits_of(self.model).several and not self._is_blocked else 1
        return len(self.candidates) >= asked and all(candidate.reason for candidate in self.candidates.values())
