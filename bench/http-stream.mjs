// Measures what HTTP costs: streaming clients at once against a running server, tokens of all together a second while
// every one of them decodes; and the TTFT that a client sees against the one that the engine counted.
//
// Usage: bench/http-stream [--url http://127.0.0.1:8080] [--model NAME] [--clients 16] [--prompt 256] [--tokens 64]
//                          [--rounds 3] [--engine TOKENS_PER_SECOND] [--json]
// --engine takes the figure that `penstock bench --engine --batch 16` printed for the same model, and gives the share.
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
    engine: { type: "string" },
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

/** Milliseconds by which the TTFT at the client exceeds that in the engine, alone, over short prompts. */
async function addedTtft(requests) {
  const added = [];
  for (let i = 0; i < requests; i++) {
    const before = await metrics(options.url);
    const result = await stream(options.url, body(8, 2));
    const after = await metrics(options.url);
    const name = [...after.keys()].find((key) => /(ttft|time_to_first_token).*_seconds_sum$/.test(key));
    if (!name) return undefined;
    const engineMs = (after.get(name) - before.get(name)) * 1e3;
    added.push(result.firstMs - result.startMs - engineMs);
  }
  return median(added);
}

await together(); // warms up what is compiled on the way
const rates = [];
for (let round = 0; round < Number(options.rounds); round++) rates.push(await together());
const addedMs = await addedTtft(50);
const report = {
  model,
  clients,
  tokensPerSecond: median(rates),
  rounds: rates,
  shareOfEngine: options.engine ? median(rates) / Number(options.engine) : null,
  addedTtftMsMedian: addedMs ?? null,
};
if (options.json) {
  console.log(JSON.stringify(report, null, 2));
} else {
  console.log(`${model}: ${clients} streaming clients, ${report.tokensPerSecond.toFixed(1)} tokens/s (${rates.map((r) => r.toFixed(1)).join(" ")})`);
  if (report.shareOfEngine) console.log(`${(100 * report.shareOfEngine).toFixed(1)} % of the engine's own ${options.engine} tokens/s`);
  if (addedMs !== undefined) console.log(`TTFT at the client less TTFT in the engine, median of 50: ${addedMs.toFixed(2)} ms, the client's own time counted in`);
}
