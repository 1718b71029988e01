// Measures what HTTP costs: streaming clients at once against a running server, tokens of all together a second while
// every one of them decodes; and the TTFT that a client sees against the one that the engine counted.
//
// Usage: bench/http-stream [--url http://127.0.0.1:8080] [--model NAME] [--clients 16] [--prompt 256] [--tokens 64]
//                          [--rounds 3] [--folder FOLDER] [--json]
// --folder names the folder of the server's model: `penstock bench --engine` measures it before each round, and the share
// is the median of those of the rounds. Start the client as `chrt -r 10 bench/http-stream` where it shares the server's
// cores, lest its own waiting for one counts as the server's.
import { execFileSync } from "node:child_process";
import { Agent, request } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median, metrics, modelOf, serverOptions, stream } from "./client.mjs";

const { values: options } = parseArgs({
  options: {
    ...serverOptions,
    clients: { type: "string", default: "16" },
    prompt: { type: "string", default: "256" },
    tokens: { type: "string", default: "64" },
    rounds: { type: "string", default: "3" },
    vocabulary: { type: "string", default: "256" },
    folder: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const clients = Number(options.clients);
const model = await modelOf(options);

/** A prompt of its own for each request, so that no prefix is cached. */
const body = (prompt, tokens) => ({
  model,
  prompt: Array.from({ length: prompt }, () => Math.floor(Math.random() * (Number(options.vocabulary) - 3)) + 3),
  max_tokens: tokens,
  ignore_eos: true,
  temperature: 0,
});

/** Tokens a second while all decode: from the last one's first chunk until the first one's end. */
async function together() {
  const chunks = [];
  const results = await Promise.all(
    Array.from({ length: clients }, () =>
      stream(options.url, body(Number(options.prompt), Number(options.tokens)), { onChunk: (ms) => chunks.push(ms) })),
  );
  const from = Math.max(...results.map((r) => r.firstMs));
  const to = Math.min(...results.map((r) => r.endMs));
  if (to <= from) throw new Error("the first client ended before the last one began: let them generate more --tokens");
  const tokens = results.reduce((sum, r) => sum + r.tokens, 0);
  // A chunk holds a token, or more where text was held back: counted by the mean of this run.
  const perChunk = tokens / chunks.length;
  return (chunks.filter((ms) => ms > from && ms <= to).length * perChunk) / ((to - from) / 1e3);
}

/** Tokens a second of the engine alone, in a process of its own. */
function engine() {
  const penstock = join(dirname(fileURLToPath(import.meta.url)), "..", "penstock");
  const args = ["bench", "--model", options.folder, "--engine", "--prompt", "0", "--batch", options.clients];
  const out = execFileSync(penstock, [...args, "--context", options.prompt, "--rounds", "1", "--json"], {
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 1 << 24,
  });
  return JSON.parse(out).results.find((r) => r.kind === "engine").tokensPerSecond;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Milliseconds until the first bytes of a reply's body, by the smallest client that there is. */
function firstBytesMs(path, body) {
  return new Promise((resolve, reject) => {
    const bytes = body && Buffer.from(JSON.stringify(body));
    const headers = bytes ? { "content-type": "application/json", "content-length": bytes.length } : {};
    const startMs = performance.now();
    const call = request(new URL(path, options.url), { agent, method: bytes ? "POST" : "GET", headers }, (reply) => {
      let firstMs;
      reply.on("data", () => (firstMs ??= performance.now()));
      reply.on("end", () => (reply.statusCode === 200 ? resolve(firstMs - startMs) : reject(new Error(`${reply.statusCode}`))));
    });
    call.on("error", reject);
    call.end(bytes);
  });
}

/** A chat sends its first chunk with the first token, even if that has no text of its own. */
const chat = (tokens) =>
  firstBytesMs("/v1/chat/completions", {
    model,
    messages: [{ role: "user", content: String(Math.random()) }],
    max_tokens: tokens,
    ignore_eos: true,
    temperature: 0,
    stream: true,
  });

/** Milliseconds by which the TTFT at the client exceeds that in the engine, one request at a time. */
async function addedTtft(requests) {
  const added = [];
  for (let i = 0; i < requests; i++) {
    const before = await metrics(options.url);
    const firstMs = await chat(2);
    const after = await metrics(options.url);
    const name = [...after.keys()].find((key) => /(ttft|time_to_first_token).*_seconds_sum$/.test(key));
    if (!name) return undefined;
    added.push(firstMs - (after.get(name) - before.get(name)) * 1e3);
  }
  return median(added);
}

/** Milliseconds of a request that needs no engine. */
async function roundTrip(requests) {
  const times = [];
  for (let i = 0; i < requests; i++) times.push(await firstBytesMs("/v1/models"));
  return median(times);
}

await together(); // warms up what is compiled on the way
const rates = [];
const shares = [];
for (let round = 0; round < Number(options.rounds); round++) {
  const alone = options.folder ? engine() : NaN;
  rates.push(await together());
  if (options.folder) shares.push(rates.at(-1) / alone);
}
for (let i = 0; i < 2000; i++) await chat(1);
const addedMs = await addedTtft(100);
const roundTripMs = await roundTrip(100);
const report = {
  model,
  clients,
  tokensPerSecond: median(rates),
  rounds: rates,
  shareOfEngine: shares.length ? median(shares) : null,
  shares,
  addedTtftMsMedian: addedMs ?? null,
  roundTripMsMedian: roundTripMs,
};
if (options.json) {
  console.log(JSON.stringify(report, null, 2));
} else {
  const each = (values, scale, digits) => values.map((v) => (v * scale).toFixed(digits)).join(" ");
  console.log(`${model}: ${clients} streaming clients, ${report.tokensPerSecond.toFixed(1)} tokens/s (${each(rates, 1, 1)})`);
  if (shares.length) console.log(`${(100 * report.shareOfEngine).toFixed(1)} % of the engine's own (${each(shares, 100, 1)})`);
  if (addedMs !== undefined) console.log(`TTFT at the client less TTFT in the engine, median of 100: ${addedMs.toFixed(2)} ms`);
  console.log(`GET /v1/models, median of 100: ${roundTripMs.toFixed(2)} ms`);
}
process.exit(0);
