"""What responses leave behind, by the OpenAI SDK's own methods, against the server of `make run`; all is judged."""

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.responses import Response

from tests.edge.responses_judge import async_judged, judged
from tests.edge.running import Running, running

MODEL = "sandbox/echo"
WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}
SEALED = "reasoning.encrypted_content"
ENDED = ("completed", "incomplete", "failed", "cancelled")
MOST_LOOKS = 10_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("state")) as server:
        yield server


@pytest.fixture
def client(server: Running) -> Iterator[OpenAI]:
    with judged(server) as client:
        yield client


def texts(items: Any) -> list[str]:
    return [item.content[0].text for item in items]


def message(text: str) -> Any:
    return {"role": "user", "content": text}


def ended(client: OpenAI, response: Response) -> Response:
    """The response, looked at until it has ended."""
    for _ in range(MOST_LOOKS):
        if response.status in ENDED:
            return response
        response = client.responses.retrieve(response.id)
    raise AssertionError(f"it never ended: {response.status}")


def test_a_response_is_retrieved_as_it_was_given(client):
    told = client.responses.create(model=MODEL, input="hello", metadata={"a": "b"})
    assert client.responses.retrieve(told.id) == told


def test_a_response_is_continued_from_the_moment_it_is_there(client):
    first = client.responses.create(model=MODEL, input="one")
    events = client.responses.create(model=MODEL, input="two", previous_response_id=first.id, stream=True)
    second = list(events)[-1].response
    third = client.responses.create(model=MODEL, input="three", previous_response_id=second.id)
    other = client.responses.create(model=MODEL, input="three", previous_response_id=first.id)
    used = [each.usage.input_tokens for each in (first, other, second, third)]
    assert used == [1, 3, 3, 5], "each hears all that was said before it, and nothing else"


def test_a_deleted_response_is_gone(client):
    first = client.responses.create(model=MODEL, input="one")
    second = client.responses.create(model=MODEL, input="two", previous_response_id=first.id)
    assert client.responses.delete(first.id) is None
    for gone in (client.responses.retrieve, client.responses.delete, client.responses.input_items.list):
        with pytest.raises(openai.NotFoundError):
            gone(first.id)
    with pytest.raises(openai.NotFoundError) as caught:
        client.responses.create(model=MODEL, input="three", previous_response_id=second.id)
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")
    assert client.responses.retrieve(second.id).previous_response_id == first.id


def test_nothing_is_kept_where_nobody_wants_it(client):
    told = client.responses.create(model=MODEL, input="hello", store=False)
    assert told.store is False
    named = {"type": "item_reference", "id": told.output[0].id}
    for body in ({"input": "more", "previous_response_id": told.id}, {"input": [named]}):
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model=MODEL, **body)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(told.id)


def test_without_state_what_was_thought_goes_along_sealed(client):
    asked = {"model": MODEL, "tools": [WEATHER], "store": False}
    said = message("think of Norway\ncall get_weather {}")
    assert reasoning(client.responses.create(**asked, input=[said])).encrypted_content is None
    with client.responses.stream(**asked, input=[said], include=[SEALED]) as stream:
        for _ in stream:
            pass
        first = stream.get_final_response()
    assert "Norway" not in reasoning(first).encrypted_content
    items = [item.to_dict(exclude_none=True) for item in first.output]
    output = {"type": "function_call_output", "call_id": items[-1]["call_id"], "output": "rain"}
    for item in items:
        item.pop("parsed_arguments", None)
    again = client.responses.create(**asked, input=[said, *items, output], include=[SEALED])
    assert again.output_text == "get_weather said: rain"


def test_what_was_thought_is_kept_sealed_and_shown_on_demand(client):
    told = client.responses.create(model=MODEL, input="think of Norway", background=True, stream=True)
    told = list(told)[-1].response
    for shown in (told, client.responses.retrieve(told.id), client.responses.cancel(told.id)):
        assert reasoning(shown).encrypted_content is None
    assert reasoning(client.responses.retrieve(told.id, include=[SEALED])).encrypted_content


def reasoning(response: Response) -> Any:
    return next(item for item in response.output if item.type == "reasoning")


def test_input_items_by_pages_in_both_directions(client):
    said = [f"item {number}" for number in range(7)]
    told = client.responses.create(model=MODEL, input=[message(text) for text in said])
    items = client.responses.input_items
    assert texts(items.list(told.id)) == said[::-1], "the newest first"
    assert texts(items.list(told.id, order="asc", limit=2)) == said, "the SDK turns the pages itself"
    first = items.list(told.id, order="asc", limit=3)
    assert (texts(first.data), first.has_more) == (said[:3], True)
    last = items.list(told.id, order="asc", limit=4, after=first.last_id)
    assert (texts(last.data), last.has_more) == (said[3:], False)
    back = items.list(told.id, order="asc", limit=2, extra_query={"before": last.first_id})
    assert (texts(back.data), back.has_more) == (said[1:3], True)
    newest = items.list(told.id, limit=2)
    assert texts(items.list(told.id, limit=2, after=newest.last_id).data) == ["item 4", "item 3"]


def test_items_are_listed_as_resources_whichever_way_they_came(client):
    """The SDK lets most fields be left out of what is sent, and of nothing that it is told."""
    call = {"type": "function_call", "call_id": "c", "name": "get_weather", "arguments": "{}"}
    said = [
        {"role": "system", "content": "Be kind."},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
        message("hello"),
        {"role": "assistant", "content": "hi"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "there"}], "phase": None},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}]},
        call,
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "rain"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "so"}], "encrypted_content": "theirs"},
        message("and now?"),
    ]
    told = client.responses.create(model=MODEL, input=said)
    listed = list(client.responses.input_items.list(told.id, order="asc", limit=100))
    assert [item.type for item in listed] == [item.get("type", "message") for item in said]
    assert [item.role for item in listed if item.type == "message"] == [item["role"] for item in said if "role" in item]
    made = client.conversations.create(items=[{"type": "message", **item} for item in said])
    kept = list(client.conversations.items.list(made.id, order="asc", limit=100))
    assert [item.type for item in kept] == [item.type for item in listed]
    assert [client.conversations.items.retrieve(item.id, conversation_id=made.id) for item in kept] == kept


@pytest.mark.parametrize(
    ("more", "param"),
    [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"order": "up"}, "order"), ({"after": "msg_0"}, "after")],
)
def test_a_page_that_cannot_be_is_refused(client, more, param):
    told = client.responses.create(model=MODEL, input="hello")
    conversation = client.conversations.create(items=[{"type": "message", **message("hi")}])
    for listing in (client.responses.input_items.list, client.conversations.items.list):
        with pytest.raises(openai.BadRequestError) as caught:
            listing(told.id if listing == client.responses.input_items.list else conversation.id, **more)
        assert caught.value.param == param


def test_the_items_of_a_response_are_its_own_and_not_those_before(client):
    first = client.responses.create(model=MODEL, input="one")
    second = client.responses.create(model=MODEL, input="two", previous_response_id=first.id)
    assert texts(client.responses.input_items.list(second.id)) == ["two"]


@pytest.mark.parametrize("more", [{}, {"store": False}])
def test_items_of_earlier_responses_are_named_by_their_ids(client, more):
    told = [client.responses.create(model=MODEL, input=text) for text in ("one two", "three")]
    named = [{"type": "item_reference", "id": each.output[0].id} for each in told]
    again = client.responses.create(model=MODEL, input=[*named, message("four")], **more)
    assert (again.output_text, again.usage.input_tokens) == ("four", 4)
    after = client.responses.create(
        model=MODEL, input=[*named, message("five")], previous_response_id=told[0].id, **more
    )
    assert after.usage.input_tokens == 2 + 2 + 1 + 1, "what came before is there already, and is not said twice"
    client.responses.delete(told[0].id)
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model=MODEL, input=[*named, message("four")])


def test_a_conversation_from_its_beginning_to_its_end(client):
    opening = {"type": "message", **message("hello")}
    made = client.conversations.create(items=[opening], metadata={"topic": "planets"})
    assert client.conversations.retrieve(made.id) == made and made.metadata == {"topic": "planets"}
    changed = client.conversations.update(made.id, metadata={"topic": "moons"})
    assert (changed.id, changed.metadata) == (made.id, {"topic": "moons"})
    told = client.responses.create(model=MODEL, input="Name one", conversation=made.id)
    events = list(client.responses.create(model=MODEL, input="Another", conversation={"id": made.id}, stream=True))
    assert told.conversation.id == events[-1].response.conversation.id == made.id
    listed = list(client.conversations.items.list(made.id, order="asc", limit=2))
    assert texts(listed) == ["hello", "Name one", "Name one", "Another", "Another"]
    assert [item.role for item in listed] == ["user", "user", "assistant", "user", "assistant"]
    assert client.conversations.items.retrieve(listed[2].id, conversation_id=made.id) == listed[2]
    assert client.conversations.delete(made.id).deleted
    for gone in (client.conversations.retrieve, client.conversations.delete, client.conversations.items.list):
        with pytest.raises(openai.NotFoundError):
            gone(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model=MODEL, input="More", conversation=made.id)


def test_items_are_added_to_a_conversation_and_heard(client):
    made = client.conversations.create()
    said = [f"item {number}" for number in range(5)]
    added = client.conversations.items.create(made.id, items=[{"type": "message", **message(text)} for text in said])
    assert texts(added.data) == said
    items = client.conversations.items
    assert [item.id for item in items.list(made.id, limit=2)] == [item.id for item in added.data][::-1]
    page = items.list(made.id, order="asc", limit=2, after=added.data[1].id)
    assert (texts(page.data), page.has_more) == (said[2:4], True)
    told = client.responses.create(model=MODEL, input="x", conversation=made.id)
    assert told.usage.input_tokens == 2 * len(said) + 1


def test_a_function_is_answered_within_a_conversation(client):
    made = client.conversations.create()
    asked = {"model": MODEL, "tools": [WEATHER], "conversation": made.id}
    call = client.responses.create(**asked, input="call get_weather {}").output[0]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    assert client.responses.create(**asked, input=[output]).output_text == "get_weather said: rain"
    kinds = [item.type for item in client.conversations.items.list(made.id, order="asc")]
    assert kinds == ["message", "function_call", "function_call_output", "message"]


def test_what_was_said_is_made_short_and_goes_on(client):
    first = client.responses.create(model=MODEL, input="one two three")
    made = client.responses.compact(model=MODEL, previous_response_id=first.id)
    assert (made.object, [item.type for item in made.output]) == ("response.compaction", ["compaction"])
    assert made.usage.total_tokens > 0
    items = [item.to_dict() for item in made.output]
    told = client.responses.create(model=MODEL, input=[*items, message("more")])
    assert told.output_text == "more"
    assert told.usage.input_tokens > made.usage.output_tokens, "the summary was heard"
    again = client.responses.compact(model=MODEL, input=[message("one"), message("two")], instructions="Be short.")
    assert again.output[0].id != made.output[0].id
    with pytest.raises(openai.BadRequestError):
        client.responses.compact(model=MODEL)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_one_in_the_background_is_looked_at_until_it_has_ended(client):
    told = client.responses.create(model=MODEL, input="take your time", background=True)
    assert (told.status, told.background, told.output, told.usage) == ("queued", True, [], None)
    done = ended(client, told)
    assert (done.id, done.status, done.output_text) == (told.id, "completed", "take your time")
    again = client.responses.create(model=MODEL, input="go on", previous_response_id=told.id)
    assert again.output_text == "go on"


def test_one_in_the_background_is_followed_and_taken_up_anywhere(client):
    asked = {"model": MODEL, "input": "What time is it? one two", "tools": [{"type": "orq:current_date"}]}
    events = list(client.responses.create(**asked, background=True, stream=True))
    assert [event.type for event in events[:3]] == [f"response.{each}" for each in ("created", "queued", "in_progress")]
    final = events[-1].response
    assert final == client.responses.retrieve(final.id)
    for number in range(len(events)):
        rest = list(client.responses.retrieve(final.id, stream=True, starting_after=number))
        assert rest == events[number + 1 :]
    assert list(client.responses.retrieve(final.id, stream=True)) == events


def test_who_leaves_a_stream_takes_it_up_where_it_broke_off(client):
    slow = {"sandbox_chunk_delay_ms": "30"}
    stream = client.responses.create(model=MODEL, input="a b c d e f", background=True, stream=True, metadata=slow)
    told = []
    for event in stream:
        told.append(event)
        if event.type == "response.output_text.delta":
            break
    stream.close()
    id, last = told[0].response.id, told[-1].sequence_number
    told += client.responses.retrieve(id, stream=True, starting_after=last)
    assert [event.sequence_number for event in told] == list(range(len(told)))
    assert told[-1].response.output_text == "a b c d e f"


@pytest.mark.parametrize("followed", [False, True])
def test_one_that_is_cancelled_ends(client, followed):
    asked = {"model": MODEL, "input": "one two three", "background": True, "metadata": {"sandbox_hang_after": "3"}}
    told = []
    if followed:
        stream = client.responses.create(**asked, stream=True)
        told.append(next(stream))
        id = told[0].response.id
    else:
        id = client.responses.create(**asked).id
    assert client.responses.cancel(id).status == "cancelled"
    if followed:
        told += stream
        assert (told[-1].type, told[-1].response.status) == ("response.incomplete", "cancelled")
    assert client.responses.retrieve(id).status == "cancelled"
    assert client.responses.cancel(id).status == "cancelled", "again changes nothing"
    with pytest.raises(openai.NotFoundError) as caught:
        client.responses.create(model=MODEL, input="more", previous_response_id=id)
    assert caught.value.code == "previous_response_not_found"


def test_only_the_background_is_cancelled_and_streamed_again(client):
    told = client.responses.create(model=MODEL, input="hello")
    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(told.id)
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.retrieve(told.id, stream=True)
    assert caught.value.param == "stream"
    with pytest.raises(openai.NotFoundError):
        client.responses.cancel("resp_gone")


def test_one_that_fails_in_the_background_says_so(client):
    broken = {"sandbox_status": "503"}
    told = ended(client, client.responses.create(model=MODEL, input="x", background=True, metadata=broken))
    assert (told.status, told.error.code) == ("failed", "sandbox_failure")
    with pytest.raises(openai.APIError, match="told to fail"):
        list(client.responses.retrieve(told.id, stream=True))


def test_coroutines_follow_continue_and_delete(server):
    async def main() -> list[str]:
        async with async_judged(server) as client:

            async def one(number: int) -> str:
                stream = await client.responses.create(model=MODEL, input=f"{number}", background=True, stream=True)
                first = [event async for event in stream][-1].response
                rest = await client.responses.retrieve(first.id, stream=True, starting_after=2)
                assert [event async for event in rest][-1].response == first
                told = await client.responses.create(model=MODEL, input="go on", previous_response_id=first.id)
                assert texts([item async for item in client.responses.input_items.list(told.id)]) == ["go on"]
                made = await client.conversations.create(items=[{"type": "message", **message("hi")}])
                said = texts([item async for item in client.conversations.items.list(made.id)])
                await client.conversations.delete(made.id)
                await client.responses.delete(first.id)
                return f"{first.output_text} {said[0]}"

            return await asyncio.gather(*map(one, range(6)))

    assert asyncio.run(main()) == [f"{number} hi" for number in range(6)]
