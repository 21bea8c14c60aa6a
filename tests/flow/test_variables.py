"""Variables of a request: where they go, and who sees the secret ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from orrery.core.errors import InvalidRequest, TooLarge, Unavailable
from orrery.core.options import Options, Variables
from orrery.core.types import Call, Operation, Upload
from orrery.flow.gateway import Gateway, Policy
from orrery.flow.variables import rendered
from tests.fakes import Room

SECRET = "hunter2-canary"


@dataclass
class Engines:
    """Puts values in where a name stands in angle brackets, and notes what it was given."""

    asked: list[tuple[list[str], Mapping[str, Any], str]] = field(default_factory=list)
    refuses: Any = None

    async def render(self, texts: Sequence[str], values: Mapping[str, Any], engine: str) -> list[str]:
        self.asked.append((list(texts), values, engine))
        if self.refuses and (refusal := self.refuses(texts, values)):
            raise refusal
        rendered = []
        for text in texts:
            for name, value in values.items():
                text = text.replace("{<" + name + ">}", str(value))
            rendered.append(text)
        return rendered


def gateway(engines: Any = None, **policy: Any) -> Gateway:
    return Room(policy=Policy(**policy), extras=SimpleNamespace(templates=engines)).gateway()


def call(body: dict[str, Any], operation: Operation = Operation.CHAT, engine: Any = "text", **named: Any) -> Call:
    secrets = frozenset(name for name in named if name.startswith("secret"))
    options = Options(variables=Variables(named, secrets, engine))
    return Call(operation, "m", body, options=options, body_bytes=len(orjson.dumps(body)))


def said(*contents: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content} for content in contents]}


async def test_a_call_without_variables_is_the_same_call():
    plain = Call(Operation.CHAT, "m", said("{{a}}"))
    assert await rendered(plain, gateway()) is plain


async def test_a_call_without_a_brace_is_the_same_call():
    plain = call(said("hello"), a=1, secret="s")
    assert await rendered(plain, gateway()) is plain


async def test_variables_go_into_strings_and_text_parts_of_messages_alone():
    parts = [
        {"type": "text", "text": "{{a}}"},
        {"type": "image_url", "image_url": {"url": "https://x/{{a}}"}},
        {"type": "file", "name": "{{a}}"},
    ]
    body = {
        "messages": [
            {"role": "system", "content": "be {{a}}", "name": "{{a}}"},
            {"role": "user", "content": parts},
            {"role": "assistant", "content": None, "tool_calls": [{"function": {"arguments": "{{a}}"}}]},
        ],
        "metadata": {"{{a}}": "{{a}}"},
        "stop": "{{a}}",
        "user": "{{a}}",
    }
    asked = call(body, a="kind")
    found = await rendered(asked, gateway())
    changed = orjson.loads(orjson.dumps(body))
    changed["messages"][0]["content"] = "be kind"
    changed["messages"][1]["content"][0]["text"] = "kind"
    assert found.body == changed
    assert asked.body["messages"][0]["content"] == "be {{a}}", "the call before it was changed"


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        (Operation.COMPLETIONS, {"prompt": "{{a}}", "suffix": "{{a}}"}, {"prompt": "A", "suffix": "{{a}}"}),
        (Operation.COMPLETIONS, {"prompt": ["{{a}}", "b"]}, {"prompt": ["A", "b"]}),
        (Operation.EMBEDDINGS, {"input": "{{a}}"}, {"input": "A"}),
        (Operation.EMBEDDINGS, {"input": [[1, 2], "{{a}}"]}, {"input": [[1, 2], "A"]}),
        (Operation.IMAGES, {"prompt": "{{a}}", "size": "{{a}}"}, {"prompt": "A", "size": "{{a}}"}),
        (Operation.IMAGE_EDITS, {"prompt": "{{a}}"}, {"prompt": "A"}),
        (Operation.VIDEOS, {"prompt": "{{a}}"}, {"prompt": "A"}),
        (Operation.SPEECH, {"input": "{{a}}", "voice": "{{a}}"}, {"input": "A", "voice": "{{a}}"}),
        (Operation.TRANSCRIPTIONS, {"prompt": "{{a}}"}, {"prompt": "A"}),
        (
            Operation.MODERATIONS,
            {"input": [{"type": "text", "text": "{{a}}"}]},
            {"input": [{"type": "text", "text": "A"}]},
        ),
        (
            Operation.RERANK,
            {"query": "{{a}}", "documents": ["{{a}}", {"text": "{{a}}", "title": "{{a}}"}]},
            {"query": "A", "documents": ["A", {"text": "A", "title": "{{a}}"}]},
        ),
    ],
)  # fmt: skip
async def test_each_operation_has_its_texts(operation, body, expected):
    assert (await rendered(call(body, operation, a="A"), gateway())).body == expected


async def test_an_operation_without_texts_is_the_same_call():
    asked = call({"document": {"document_url": "{{a}}"}}, Operation.OCR, a="A")
    assert await rendered(asked, gateway()) is asked


async def test_secrets_are_masked_for_all_but_the_provider():
    asked = call(said("{{name}}: {{secret.key}} {{secret}}"), name="Ada", secret={"key": SECRET})
    found = await rendered(asked, gateway())
    assert found.body == said("Ada: *** ***")
    assert found.private == said(f'Ada: {SECRET} {{"key":"{SECRET}"}}')
    assert SECRET not in repr(found)


async def test_without_secrets_in_it_nothing_is_private():
    assert (await rendered(call(said("{{a}}"), a=1), gateway())).private is None
    assert (await rendered(call(said("{{a}}"), a=1, secret=SECRET), gateway())).private is None


async def test_the_size_is_that_of_the_larger_body():
    longer, shorter = "s" * 1_000, "s"
    for secret, larger in ((longer, "private"), (shorter, "body")):
        found = await rendered(call(said("{{secret}}"), secret=secret), gateway())
        assert found.body_bytes == len(orjson.dumps(getattr(found, larger)))


async def test_the_files_of_a_form_stay_in_the_size():
    asked = replace(
        call({"prompt": "{{a}}"}, Operation.IMAGE_EDITS, a="A" * 100), body_bytes=5_000,
        files=(Upload("image", "image.png", "image/png", b"x"),),
    )  # fmt: skip
    assert (await rendered(asked, gateway())).body_bytes == 5_000 + 95


@pytest.mark.parametrize("engine", ["jinja", "mustache"])
async def test_other_engines_are_asked_with_all_texts_at_once(engine):
    engines = Engines()
    found = await rendered(call(said("{<a>}", "b"), engine=engine, a="A"), gateway(engines))
    assert engines.asked == [(["{<a>}", "b"], {"a": "A"}, engine)]
    assert found.body == said("A", "b")
    assert found.private is None


async def test_other_engines_never_see_a_secret_where_all_may_look():
    engines = Engines()
    secret = {"key": SECRET, "hunter2": [SECRET, {"n": 5}], "none": None}
    found = await rendered(call(said("{<secret>} key none"), engine="jinja", secret=secret), gateway(engines))
    masked = {"secret": {"key": "***", "***": ["***", {"***": "***"}], "none": "***"}}
    assert [values for _, values, _ in engines.asked] == [{"secret": secret}, masked]
    assert "hunter2" not in str(found.body)
    assert SECRET in str(found.private)


async def test_what_needs_more_of_a_secret_than_stars_is_all_stars():
    def refuses(texts: Sequence[str], values: Mapping[str, Any]) -> InvalidRequest | None:
        return InvalidRequest("no", param="0") if values["secret"] == "***" else None

    engines = Engines(refuses=refuses)
    found = await rendered(call(said("{<secret>} + 1", "plain"), engine="jinja", secret=5), gateway(engines))
    assert found.body == said("***", "plain")
    assert found.private == said("5 + 1", "plain")


async def test_the_place_of_a_broken_template_is_named():
    engines = Engines(refuses=lambda texts, values: InvalidRequest("no", param="1"))
    with pytest.raises(InvalidRequest) as raised:
        await rendered(call(said("a", [{"type": "text", "text": "{{"}]), engine="jinja", a=1), gateway(engines))
    assert raised.value.param == "messages[1].content[0].text"


async def test_a_fault_of_no_text_in_particular_names_the_field():
    engines = Engines(refuses=lambda texts, values: InvalidRequest("no"))
    with pytest.raises(InvalidRequest) as raised:
        await rendered(call({"prompt": "{{"}, Operation.IMAGES, "jinja", a=1), gateway(engines))
    assert raised.value.param == "prompt"


async def test_engines_that_are_gone_are_no_fault_of_the_request():
    engines = Engines(refuses=lambda texts, values: Unavailable("gone"))
    with pytest.raises(Unavailable):
        await rendered(call(said("{{"), engine="jinja", a=1), gateway(engines))


async def test_too_much_text_names_its_place():
    with pytest.raises(InvalidRequest) as raised:
        await rendered(call(said("a", "{{a}}" * 10), a="x" * 1_000), gateway(max_body_bytes=5_000))
    assert raised.value.param == "messages[1].content"


async def test_a_secret_counts_against_the_room_in_full():
    with pytest.raises(InvalidRequest):
        await rendered(call(said("{{secret}}" * 10), secret="x" * 1_000), gateway(max_body_bytes=5_000))


async def test_a_body_that_grows_beyond_what_may_be_posted_is_refused():
    with pytest.raises(TooLarge):
        await rendered(call(said("{{a}}"), a="é" * 3_000), gateway(max_body_bytes=5_000))
