"""A provider that cannot read URLs, and requests that hold some."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orrery import providers
from orrery.core.dialect import Provider
from orrery.core.types import Fetched, Json, Operation
from orrery.flow.gateway import Account, Policy
from tests.fakes import FakeAccounts, FakeTransport, FakeWeb, Room, completion, json_reply

PNG, PDF = b"\x89PNG\r\n\x1a\n", b"%PDF-1.7"
PICTURE, PAPER = "https://files.example/a.png", "https://files.example/b/paper.pdf?x=1"
PICTURE_DATA, PAPER_DATA = "data:image/png;base64,iVBORw0KGgo=", "data:application/pdf;base64,JVBERi0xLjc="
NEEDY = {"model": "needy/gpt-4o-mini"}


def unavailable() -> Any:
    return json_reply({"error": {"message": "no", "type": "server_error"}}, 503)


def needy(needs: Callable[[str, str], bool]) -> Provider:
    """OpenAI's dialect, but for URLs."""
    provider = providers.get("openai")
    assert provider is not None
    chat = replace(provider.adapters[Operation.CHAT], needs_bytes=needs)
    return replace(provider, name="needy", adapters={Operation.CHAT: chat})


class Accounts(FakeAccounts):
    """Those of every test, and `needy`."""

    def __init__(self, needs: Callable[[str, str], bool]) -> None:
        super().__init__()
        self.needy = needy(needs)

    async def find(self, name: str) -> Account | None:
        return Account(self.needy, "http://needy.test/v1", "k") if name == "needy" else await super().find(name)


def room(
    *replies: Any, needs: Callable[[str, str], bool] = lambda kind, url: True, web: Any = None, **policy: Any
) -> Room:
    pages = {PICTURE: Fetched("image/png", PNG), PAPER: Fetched("application/pdf", PDF)}
    return Room(
        transport=FakeTransport(*(replies or [completion()])),
        accounts=Accounts(needs),
        web=web or FakeWeb(pages),
        policy=Policy(allow_unpriced=True, **policy),
    )


def image(url: str = PICTURE, **more: Any) -> Json:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def file(**held: Any) -> Json:
    return {"type": "file", "file": held}


def user(*parts: Json) -> list[Json]:
    return [{"role": "user", "content": list(parts)}]


def sent(found: Room, number: int = -1) -> Any:
    return found.transport.body(number)["messages"]
