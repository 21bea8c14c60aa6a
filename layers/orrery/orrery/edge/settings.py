"""What the operator set. The only reader of the environment; everything else is handed a `Settings`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from orrery.providers.directory import variables

Mode = Literal["local", "lambda"]


class Misconfigured(Exception):
    """The environment cannot be used; the message names every offending variable, a line each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Read once at start, never changed. Secrets do not show in its repr.

    `providers` holds the raw `<PROVIDER>_API_KEY`, `_BASE_URL` and the like, `servers` the named OpenAI-speaking ones.
    """

    mode: Mode = "local"
    table: str = "orrery"
    region: str = "us-east-1"
    dynamodb_endpoint: str | None = None
    state: Path = Path(".orrery")
    port: int = 8080
    stage: str = "local"
    default_provider: str | None = None
    allow_unpriced: bool = False
    max_body_bytes: int = 6 * 1024 * 1024
    deadline_s: float = 600.0
    silence_s: float = 300.0
    log_format: Literal["json", "text"] = "text"
    sam_local: bool = False
    ca_file: str | None = None
    provider_secret: str | None = None
    pepper_secret: str | None = None
    credential_key: str | None = None
    pepper: str | None = field(default=None, repr=False)
    aws_access_key: str | None = field(default=None, repr=False)
    aws_secret_key: str | None = field(default=None, repr=False)
    aws_session_token: str | None = field(default=None, repr=False)
    providers: Mapping[str, str] = field(default_factory=dict, repr=False)
    servers: Mapping[str, str] = field(default_factory=dict)
    fetch_http_hosts: frozenset[str] = frozenset()
    media_buckets: frozenset[str] = frozenset()
    max_media_bytes: int = 20 * 1024 * 1024
    uploads_bucket: str | None = None
    queue_url: str | None = None
    interpreter: str | None = None
    edge_keys: tuple[bytes, ...] = field(default=(), repr=False)
    max_upload_bytes: int = 64 * 1024 * 1024


PROVIDER_VARIABLES = ("_API_KEY", "_BASE_URL")
"""Endings of the variables that speak of providers; `providers.directory` names those that end otherwise."""


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises `Misconfigured` naming every variable that cannot be read."""
    env = os.environ if environment is None else environment
    reading = _Reading(env)
    in_lambda = "AWS_LAMBDA_FUNCTION_NAME" in env
    settings = Settings(
        mode="lambda" if in_lambda else "local",
        table=env.get("ORRERY_TABLE_NAME") or "orrery",
        region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
        dynamodb_endpoint=env.get("ORRERY_DYNAMODB_ENDPOINT") or None,
        state=Path(env.get("ORRERY_STATE") or ".orrery"),
        port=reading.whole("ORRERY_PORT", 8080, 1, 65535),
        stage=env.get("ORRERY_STAGE") or ("prod" if in_lambda else "local"),
        default_provider=env.get("ORRERY_DEFAULT_PROVIDER") or None,
        allow_unpriced=reading.flag("ORRERY_ALLOW_UNPRICED_MODELS"),
        max_body_bytes=reading.whole("ORRERY_MAX_BODY_BYTES", 6 * 1024 * 1024, 1024, 64 * 1024 * 1024),
        deadline_s=float(reading.whole("ORRERY_DEADLINE_S", 600, 1, 900)),
        silence_s=float(reading.whole("ORRERY_SILENCE_S", 300, 1, 900)),
        log_format="json"
        if reading.choice("ORRERY_LOG", ("json", "text"), "json" if in_lambda else "text") == "json"
        else "text",
        sam_local="AWS_SAM_LOCAL" in env,
        ca_file=env.get("ORRERY_CA_FILE") or None,
        provider_secret=env.get("ORRERY_PROVIDER_SECRET_ARN") or None,
        pepper_secret=env.get("ORRERY_PEPPER_SECRET_ARN") or None,
        credential_key=env.get("ORRERY_CREDENTIAL_KEY_ARN") or None,
        pepper=env.get("ORRERY_KEY_PEPPER") or None,
        aws_access_key=env.get("AWS_ACCESS_KEY_ID") or None,
        aws_secret_key=env.get("AWS_SECRET_ACCESS_KEY") or None,
        aws_session_token=env.get("AWS_SESSION_TOKEN") or None,
        providers=provider_variables(env),
        servers=reading.servers("ORRERY_SERVERS"),
        fetch_http_hosts=reading.hosts("ORRERY_FETCH_HTTP_HOSTS"),
        media_buckets=reading.buckets("ORRERY_MEDIA_BUCKETS"),
        max_media_bytes=reading.whole("ORRERY_MAX_MEDIA_BYTES", 20 * 1024 * 1024, 1024, 256 * 1024 * 1024),
        uploads_bucket=env.get("ORRERY_UPLOADS_BUCKET") or None,
        queue_url=env.get("ORRERY_QUEUE_URL") or None,
        interpreter=env.get("ORRERY_INTERPRETER_FUNCTION") or None,
        edge_keys=reading.keys("ORRERY_EDGE_KEYS", at_most=2),
        max_upload_bytes=reading.whole("ORRERY_MAX_UPLOAD_BYTES", 64 * 1024 * 1024, 1024, 256 * 1024 * 1024),
    )
    if reading.faults:
        raise Misconfigured("\n".join(reading.faults))
    return settings


def provider_variables(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that speak of providers, from the environment or from the secret that holds the same names.

    White space around a value is a slip of whoever pasted it: a key with a line end in it could not be sent.
    """
    named = variables()
    spoken = {k: v.strip() for k, v in env.items() if k.endswith(PROVIDER_VARIABLES) or k in named}
    return {k: v for k, v in spoken.items() if v}


@dataclass(slots=True)
class _Reading:
    """Reads variables and keeps what was wrong with them, so that all of it is said at once."""

    env: Mapping[str, str]
    faults: list[str] = field(default_factory=list)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        text = self.env.get(name)
        if not text:
            return default
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        self.faults.append(f"{name} must be a whole number from {low} to {high}, not {text!r}")
        return default

    def flag(self, name: str) -> bool:
        return self.choice(name, ("true", "false", "1", "0"), "false") in ("true", "1")

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        text = (self.env.get(name) or default).lower()
        if text in choices:
            return text
        self.faults.append(f"{name} must be one of {', '.join(choices)}, not {text!r}")
        return default

    def servers(self, name: str) -> dict[str, str]:
        """`name=url` pairs, separated by commas: OpenAI-speaking servers that no built-in row knows."""
        found: dict[str, str] = {}
        for pair in filter(None, (part.strip() for part in self.env.get(name, "").split(","))):
            server, _, url = pair.partition("=")
            if server.replace("-", "").replace("_", "").isalnum() and url.startswith(("http://", "https://")):
                found[server.lower()] = url
            else:
                self.faults.append(f"{name} must hold name=https://… pairs separated by commas, not {pair!r}")
        return found

    def listed(self, name: str) -> frozenset[str]:
        """Words separated by commas, in lower case."""
        return frozenset(filter(None, (part.strip().lower() for part in self.env.get(name, "").split(","))))

    def keys(self, name: str, at_most: int) -> tuple[bytes, ...]:
        """Secrets separated by commas, of 16 bytes and more. The fault quotes none of them."""
        found = tuple(part.strip().encode() for part in self.env.get(name, "").split(",") if part.strip())
        if len(found) > at_most or any(len(key) < 16 for key in found):
            self.faults.append(f"{name} must hold at most {at_most} keys separated by commas, each of 16 bytes or more")
        return found

    def buckets(self, name: str) -> frozenset[str]:
        """`gs://name` and `s3://name`, separated by commas."""
        found = self.listed(name)
        for bucket in sorted(found):
            scheme, _, rest = bucket.partition("://")
            if scheme not in ("gs", "s3") or not rest or "/" in rest:
                self.faults.append(f"{name} must hold gs://… or s3://… bucket names, not {bucket!r}")
        return found

    def hosts(self, name: str) -> frozenset[str]:
        """Host names separated by commas, in lower case."""
        found = self.listed(name)
        for host in sorted(found):
            if not host.isascii() or not host.replace("-", "").replace("_", "").replace(".", "").isalnum():
                self.faults.append(f"{name} must hold host names without scheme and port, not {host!r}")
        return found
