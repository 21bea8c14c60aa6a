// The OpenAI SDK for Node against a running gateway: responses, whole and streamed. Usage: responses.mjs URL KEY
import assert from "node:assert/strict";
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = "sandbox/echo";
const input = "Hello, planets, hello moons";
const weather = {
  type: "function",
  name: "get_weather",
  description: "The weather of a city.",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
  strict: true,
};
const CALL = 'call get_weather {"city": "Oslo"}';

// What was said, without what the SDK adds.
const plain = ({ output_parsed, output, _request_id, ...rest }) => ({
  ...rest,
  output: output.map(({ parsed_arguments, content, ...item }) => ({
    ...item,
    ...(content && { content: content.map(({ parsed, ...part }) => part) }),
  })),
});

async function whole() {
  const told = await client.responses.create({ model, input, metadata: { topic: "planets" } });
  assert.equal(told.output_text, input);
  assert.equal(told.status, "completed");
  const kept = await client.responses.retrieve(told.id);
  assert.deepEqual(plain(kept), plain(told));
  const [item] = (await client.responses.inputItems.list(told.id)).data;
  assert.deepEqual(item.content, [{ type: "input_text", text: input }]);
  await client.responses.delete(told.id);
  await assert.rejects(client.responses.retrieve(told.id), (err) => err instanceof OpenAI.NotFoundError);
}

async function streamed() {
  const events = [];
  for await (const event of await client.responses.create({ model, input, stream: true })) events.push(event);
  assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
  const deltas = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta);
  assert.ok(deltas.length > 3);
  assert.equal(deltas.join(""), input);
  assert.equal(events.at(-1).type, "response.completed");
}

async function helper() {
  for (const said of [input, CALL, `think of Norway\n${CALL}`]) {
    const stream = client.responses.stream({ model, input: said, tools: [weather] });
    const heard = [];
    stream.on("response.output_text.delta", (event) => heard.push(event.delta));
    stream.on("response.function_call_arguments.delta", (event) => heard.push(event.delta));
    const final = await stream.finalResponse();
    const last = final.output.at(-1);
    assert.equal(heard.join(""), last.type === "message" ? final.output_text : last.arguments);
    assert.deepEqual(plain(final), plain(await client.responses.retrieve(final.id)));
  }
}

async function tools() {
  const first = await client.responses.create({ model, input: CALL, tools: [weather] });
  const call = first.output[0];
  assert.deepEqual([call.type, call.name], ["function_call", "get_weather"]);
  assert.deepEqual(JSON.parse(call.arguments), { city: "Oslo" });
  const output = { type: "function_call_output", call_id: call.call_id, output: "rain" };
  const asked = { model, tools: [weather] };
  const kept = await client.responses.create({ ...asked, input: [output], previous_response_id: first.id });
  assert.equal(kept.output_text, "get_weather said: rain");
  const stateless = [{ role: "user", content: CALL }, ...first.output, output];
  const again = await client.responses.create({ ...asked, input: stateless, store: false });
  assert.equal(again.output_text, "get_weather said: rain");
}

async function hosted() {
  const asked = { model, input: "What is the current CET time?", tools: [{ type: "orq:current_date" }] };
  const final = await client.responses.stream(asked).finalResponse();
  assert.deepEqual(final.output.map((item) => item.type), ["function_call", "orq:current_date", "message"]);
  assert.match(final.output_text, /^current_date said: /);
}

async function parsed() {
  const properties = { name: { type: "string" } };
  const schema = { type: "object", properties, required: ["name"], additionalProperties: false };
  const format = { type: "json_schema", name: "planet", schema, strict: true };
  const told = await client.responses.create({ model, input, text: { format } });
  assert.equal(typeof JSON.parse(told.output_text).name, "string");
  assert.deepEqual(told.text.format.schema, schema);
}

async function background() {
  const stream = await client.responses.create({ model, input, background: true, stream: true });
  const events = [];
  for await (const event of stream) events.push(event);
  assert.equal(events[1].type, "response.queued");
  const { id } = events[0].response;
  const rest = [];
  for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: 4 })) rest.push(event);
  assert.deepEqual(rest, events.slice(5));
  const resumed = await client.responses.stream({ response_id: id }).finalResponse();
  assert.equal(resumed.output_text, input);
}

async function conversations() {
  const made = await client.conversations.create({ items: [{ type: "message", role: "user", content: "hello" }] });
  await client.responses.create({ model, input: "Name one", conversation: made.id });
  const roles = [];
  for await (const item of client.conversations.items.list(made.id, { order: "asc", limit: 1 })) roles.push(item.role);
  assert.deepEqual(roles, ["user", "user", "assistant"]);
  assert.equal((await client.conversations.delete(made.id)).deleted, true);
}

async function refusals() {
  await assert.rejects(
    client.responses.create({ model, input, previous_response_id: "resp_gone" }),
    (err) => err.status === 404 && err.code === "previous_response_not_found" && err.requestID.startsWith("req_"),
  );
  const cut = await client.responses.create({ model, input, stream: true, metadata: { sandbox_cut_after: "3" } });
  await assert.rejects(async () => {
    for await (const event of cut) assert.notEqual(event.type, "response.completed");
  }, OpenAI.APIError);
}

await whole();
await streamed();
await helper();
await tools();
await hosted();
await parsed();
await background();
await conversations();
await refusals();
console.log("the Node SDK was answered: responses, streams, functions, background, conversations, refusals");
