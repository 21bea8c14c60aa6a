"""The gateway's own fields of a request, read.

They are taken at the top level and inside the older `orq` object; per field the top level wins whole. `variables` and
the older `inputs` are put together, name by name. Those that later versions act on are refused rather than ignored.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orrery.core.errors import InvalidRequest
from orrery.core.options import Identity, Options, Retry, Thread, Weighted
from orrery.core.types import Json
from orrery.wire import credentials
from orrery.wire.option_shapes import FIELDS
from orrery.wire.shapes import checking, record

GATEWAY_FIELDS = frozenset(FIELDS) | credentials.FIELDS | {"orq"}
"""What never goes to a provider. (An endpoint with a `prompt` of its own, such as completions, keeps that one.)"""

LATER = ("knowledge_bases", "guardrails", "plugins")
"""What this gateway does not do yet: to ignore a redaction would be worse than to refuse it."""

CACHED_S = 1_800
"""How long an answer is cached where the caller does not say. Source: Orq's field trees, read 2026-11-21."""

_check = checking(record({}, {**FIELDS, "orq": record({}, FIELDS)}))

EVEN = 0.5
"""The weight of a model that has none."""

_NONE = Options()

type Given = Callable[..., Any]


def read_options(body: Mapping[str, Any], own: frozenset[str] = frozenset()) -> Options:
    """The options of a request. Raises `InvalidRequest` for a gateway field outside its published bounds.

    `own` are fields that mean something else at this endpoint. Without a retry object nothing is retried; one without
    `count` means 3, one without `on_codes` means 429.
    """
    if own:
        body = {name: value for name, value in body.items() if name not in own}
    if GATEWAY_FIELDS.isdisjoint(body):
        return _NONE
    _check(body)
    nested = body.get("orq") or {}

    def given(*names: str) -> Any:
        for level in (body, nested):
            for name in names:
                if level.get(name) is not None:
                    return level[name]
        return None

    _refuse_later(body, nested)
    fallbacks, timeout, cache = given("fallbacks") or (), given("timeout"), given("cache")
    return Options(
        retry=_retry(given("retry", "retries")),
        fallbacks=tuple(fallback["model"] for fallback in fallbacks),
        call_timeout_s=None if timeout is None else timeout["call_timeout"] / 1000,
        credentials=credentials.read_credentials(body, nested),
        balance=_weighted(given("load_balancer")),
        cache_ttl_s=None if cache is None else int(cache.get("ttl") or CACHED_S),
        variables=_variables(given),
        prompt=(given("prompt") or {}).get("id", ""),
        identity=_identity(given("identity", "contact")),
        thread=_thread(given("thread")),
        name=given("name") or "",
    )


def passed_on(body: Mapping[str, Any], own: frozenset[str] = frozenset()) -> Json:
    """What of a body is for the provider: all but the gateway's fields, those among them that are the endpoint's `own`
    excepted."""
    return {name: value for name, value in body.items() if name not in GATEWAY_FIELDS or name in own}


def _refuse_later(body: Mapping[str, Any], nested: Mapping[str, Any]) -> None:
    for name in LATER:
        for path, level in ((name, body), (f"orq.{name}", nested)):
            if level.get(name):
                raise InvalidRequest(
                    f"Unsupported parameter: '{path}' is not supported by this gateway yet.",
                    param=path,
                    code="unsupported_parameter",
                )


def _retry(retry: Json | None) -> Retry:
    if retry is None:
        return Retry()
    codes = retry.get("on_codes") or (429,)
    return Retry(count=int(retry.get("count") or 3), on_codes=frozenset(map(int, codes)))


def _weighted(given: Json | Sequence[Json] | None) -> tuple[Weighted, ...]:
    """The models that share the requests, of the object or of the older list."""
    models = given.get("models") if isinstance(given, Mapping) else given
    return tuple(Weighted(each["model"], float(each.get("weight") or EVEN)) for each in models or ())


def _variables(given: Given) -> Any:
    variables, inputs = given("variables"), given("inputs")
    if not variables and not inputs:
        return None
    from orrery.wire.variables import read_variables

    return read_variables(variables, inputs, given("template_engine"))


def _identity(given: Json | None) -> Identity | None:
    if given is None:
        return None
    return Identity(given["id"], {name: value for name, value in given.items() if name != "id" and value is not None})


def _thread(given: Json | None) -> Thread | None:
    return None if given is None else Thread(given["id"], tuple(given.get("tags") or ()))
