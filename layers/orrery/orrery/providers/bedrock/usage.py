"""Token counts as OpenAI lays them out: what the cache read and wrote are parts of the prompt, not beside it.

Source: `TokenUsage` and `CacheDetail` in botocore 1.44.5's service model; that the cache's counts lie beside
`inputTokens`: "Prompt caching" (docs.aws.amazon.com/bedrock). Read 2026-11-21. Reasoning is not counted apart.
"""

from typing import Any

from orrery.core.types import Usage


def usage_of(usage: Any) -> Usage | None:
    """The counts, or None where there are none."""
    if not isinstance(usage, dict) or not any(name in usage for name in ("inputTokens", "outputTokens")):
        return None
    read, written = _count(usage.get("cacheReadInputTokens")), _count(usage.get("cacheWriteInputTokens"))
    listed = usage.get("cacheDetails")
    details = [detail for detail in listed if isinstance(detail, dict)] if isinstance(listed, list) else []
    hour = sum(_count(detail.get("inputTokens")) for detail in details if detail.get("ttl") == "1h")
    written = max(written, sum(_count(detail.get("inputTokens")) for detail in details))
    return Usage(
        prompt=_count(usage.get("inputTokens")) + read + written,
        completion=_count(usage.get("outputTokens")),
        cache_read=read,
        cache_write=written - hour,
        cache_write_1h=hour,
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
