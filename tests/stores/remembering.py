"""What the tests of memory stores share: a store, an entity in it, and a model that embeds texts by their letters."""

from collections.abc import Awaitable, Callable, Sequence

from orrery.core.pages import Page
from orrery.core.ports import AwsCall
from orrery.core.types import Json
from orrery.stores.memory_stores import MemoryStoreStore
from orrery.stores.table import Table
from tests.stores.books import Clock, quick_table

A, B = "org-a", "org-b"
MODEL = "openai/text-embedding-3-small"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def body(**more: object) -> Json:
    return {"description": "people", "path": "Default", "embedding_config": {"model": MODEL}, **more}


def over(table: Table, call: AwsCall, clock: Clock | None = None) -> MemoryStoreStore:
    return MemoryStoreStore(quick_table(call, table.name), clock=clock or Clock())


class Embedder:
    """`core.tools.Embed`: how often each letter stands in a text. `asked` are the texts of each call."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.models: list[str] = []

    async def __call__(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        self.asked.append(list(texts))
        self.models.append(model)
        return [[float(text.lower().count(letter)) for letter in LETTERS] for text in texts]


def everything(store: MemoryStoreStore, organization: str, document: str) -> list[Callable[[], Awaitable[object]]]:
    """All that can be done to the entity `ann` in the store `k`, and to a document about her."""
    where = organization, "k", "ann"
    return [
        lambda: store.entity(*where),
        lambda: store.change_entity(*where, {"n": "1"}),
        lambda: store.add(*where, "mine", {}),
        lambda: store.documents(*where, Page()),
        lambda: store.document(*where, document),
        lambda: store.change_document(*where, document, text="mine"),
        lambda: store.remove_document(*where, document),
        lambda: store.remove_entity(*where),
    ]


def on_store(store: MemoryStoreStore, organization: str) -> list[Callable[[], Awaitable[object]]]:
    """All that can be done to the store `k`."""
    return [
        lambda: store.read(organization, "k"),
        lambda: store.change(organization, "k", lambda old: {**old, "description": "mine"}),
        lambda: store.add_entity(organization, "k", "bob", {}),
        lambda: store.entities(organization, "k", Page()),
        lambda: store.write(organization, "k", "ann", "mine", Embedder()),
        lambda: store.search(organization, "k", "ann", "mine", top_k=5, embed=Embedder()),
        lambda: store.remove(organization, "k"),
    ]
