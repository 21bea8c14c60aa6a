// The OpenAI SDK for Node against a running gateway: audio and images, with real bytes. Usage: families.mjs URL KEY
import assert from "node:assert/strict";
import OpenAI, { toFile } from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });

async function speech() {
  const answer = await client.audio.speech.create({
    model: "sandbox/speak",
    voice: "alloy",
    input: "Hello planets",
    response_format: "wav",
  });
  const wav = Buffer.from(await answer.arrayBuffer());
  assert.equal(wav.subarray(0, 4).toString(), "RIFF");
  assert.equal(answer.headers.get("content-type"), "audio/wav");
  return wav;
}

async function transcriptions(wav) {
  const whole = await client.audio.transcriptions.create({
    model: "sandbox/listen",
    file: await toFile(wav, "speech.wav", { type: "audio/wav" }),
  });
  assert.match(whole.text, /sandbox/);
  const text = await client.audio.transcriptions.create({
    model: "sandbox/listen",
    file: await toFile(wav, "speech.wav"),
    response_format: "text",
  });
  assert.match(text, /sandbox/);
  const stream = await client.audio.transcriptions.create({
    model: "sandbox/listen",
    file: await toFile(wav, "speech.wav"),
    stream: true,
  });
  const types = [];
  for await (const event of stream) types.push(event.type);
  assert.equal(types.at(-1), "transcript.text.done");
  assert.ok(types.includes("transcript.text.delta"));
  const english = await client.audio.translations.create({
    model: "sandbox/listen",
    file: await toFile(wav, "speech.wav"),
  });
  assert.match(english.text, /sandbox/);
}

async function images() {
  const drawn = await client.images.generate({ model: "sandbox/draw", prompt: "a comet", response_format: "b64_json" });
  const png = Buffer.from(drawn.data[0].b64_json, "base64");
  assert.equal(png.subarray(1, 4).toString(), "PNG");
  const edited = await client.images.edit({
    model: "sandbox/draw",
    prompt: "a brighter comet",
    image: [await toFile(png, "one.png", { type: "image/png" }), await toFile(png, "two.png", { type: "image/png" })],
  });
  assert.ok(edited.data[0].b64_json || edited.data[0].url);
  const stream = await client.images.generate({
    model: "sandbox/draw",
    prompt: "a comet",
    stream: true,
    partial_images: 2,
  });
  const types = [];
  for await (const event of stream) types.push(event.type);
  assert.equal(types.at(-1), "image_generation.completed");
}

async function refusals() {
  await assert.rejects(
    client.images.edit({ model: "sandbox/draw", prompt: "x", image: await toFile(Buffer.from("no picture"), "x.png") }),
    (err) => err.status === 400 && err.type === "invalid_request_error",
  );
  await assert.rejects(client.files.list(), (err) => err.status === 404 && err.code === "not_served");
}

await transcriptions(await speech());
await images();
await refusals();
console.log("the Node SDK was answered: speech, transcriptions, translations, images, refusals");
