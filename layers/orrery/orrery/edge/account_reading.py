"""A provider's account out of the operator's variables: where it is, and with which credential."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import orjson

from orrery.core.dialect import Provider
from orrery.flow.gateway import Account
from orrery.providers.directory import ENTRA, entry_of, keys_of, urls_of

_PLACEHOLDER = re.compile(r"\{(?!region\})(\w+)\}")


def is_lit(name: str, variables: Mapping[str, str]) -> bool:
    """Whether anything is set that speaks of the provider: if not, its dialect need not even be imported."""
    return any(variable in variables for variable in (*keys_of(name), *urls_of(name), *entry_of(name).lights))


def account_of(provider: Provider, variables: Mapping[str, str], here: str) -> Account:
    """The account, usable or not. `here` is the region of this process."""
    entry = entry_of(provider.name)
    url, password = without_password(first(variables, urls_of(provider.name)))
    secret = password or first(variables, keys_of(provider.name))
    fills = {part: first(variables, names) for part, names in entry.fills.items()}
    if provider.credential == "google" and secret:
        secret, fills["project"] = _google(secret, fills["project"])
    if provider.credential == "entra" and not secret:
        secret = _entra(variables)
    base_url, is_whole = filled(url or provider.base_url, fills)
    return Account(
        provider,
        base_url,
        secret if is_whole else "",
        region=first(variables, entry.region) or entry.home or here,
        has_role=provider.credential == "aws" and is_whole and bool(first(variables, entry.lights)),
    )


def first(variables: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The value of the first of these variables that is set; "" when none is."""
    return next((variables[name] for name in names if name in variables), "")


def without_password(url: str) -> tuple[str, str]:
    """`https://:KEY@host/v1` as the URL without the key, and the key."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, ""
    who, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=host)), unquote(who.rpartition(":")[2])


def filled(url: str, fills: Mapping[str, str]) -> tuple[str, bool]:
    """The URL with its placeholders filled, and whether all are; `{region}` is left to each target."""
    names = _PLACEHOLDER.findall(url)
    for name in names:
        url = url.replace(f"{{{name}}}", _bare(fills[name])) if fills.get(name) else url
    return url, all(fills.get(name) for name in names)


def _bare(value: str) -> str:
    """A host that was pasted as a URL, as Databricks writes DATABRICKS_HOST."""
    return value.partition("://")[2].rstrip("/") if "://" in value else value


def _google(secret: str, project: str) -> tuple[str, str]:
    """The credentials as JSON, which may be given by the name of a file, and the project; both "" if unreadable."""
    try:
        text = secret if secret.lstrip().startswith("{") else Path(secret).read_text(encoding="utf-8")
        held = orjson.loads(text)
        return text, project or held.get("project_id") or held.get("quota_project_id") or ""
    except (OSError, ValueError, AttributeError):
        return "", project


def _entra(variables: Mapping[str, str]) -> str:
    """The application that signs in where there is no key, as the JSON that `edge.minting` reads; "" for none."""
    if not all(name in variables for name in ENTRA):
        return ""
    return orjson.dumps({name.removeprefix("AZURE_").lower(): variables[name] for name in ENTRA}).decode()
