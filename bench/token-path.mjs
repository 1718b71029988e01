// Measures the processor time of a token's way from the sampler to the socket: starts a server, streams chats from it, and
// reads what each of its threads used.
//
// Usage: bench/token-path [--model FOLDER] [--tokens 900] [--only 1,16,64,logprobs,tools,schema] [--seconds 8] [--rounds 3]
//                         [--warm-up 15] [--json]
//
// What counts, in microseconds a token:
// - write: all that the event loops use, in the kernel too: they do nothing else, so reading the requests is counted in
// - publish: of the step loop's thread what runs below Publisher.next but not below the sampler, by the share of
//   JFR's CPU-time samples of a round of their own (which is not counted), of all that the thread uses
// - gc: all that the collector uses, whoever made the garbage; the sampler makes little, since tokens are the most likely ones
// All is warmed up by 16 streams of the embedded model, lest a slow model's few tokens run through code that isn't compiled.
// Beside them: the wall time of the loop's publish phase, sampler included, which publish can't exceed; what the compilers use;
// tokens in a write (a chunk of HTTP); how often a token put an event loop to sleep; and what the system calls for one stream
// cost by themselves (wake-up.c, which needs cc).
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "./client.mjs";

const { values: options } = parseArgs({
  options: {
    model: { type: "string" },
    tokens: { type: "string", default: "900" },
    only: { type: "string", default: "1,16,64,logprobs,tools,schema" },
    seconds: { type: "string", default: "8" },
    rounds: { type: "string", default: "3" },
    "warm-up": { type: "string", default: "15" },
    json: { type: "boolean", default: false },
  },
});
const parameters = { type: "object", properties: { city: { type: "string" } } };
const CASES = {
  1: { streams: 1 },
  16: { streams: 16 },
  64: { streams: 64 },
  logprobs: { streams: 16, more: { logprobs: true, top_logprobs: 5 } },
  tools: { streams: 16, more: { tools: [{ type: "function", function: { name: "weather", parameters } }] } },
  schema: {
    streams: 16,
    more: {
      response_format: {
        type: "json_schema",
        json_schema: { name: "numbers", schema: { type: "array", items: { type: "integer" }, minItems: 10_000 } },
      },
    },
  },
};
const names = options.only.split(",");
const unknown = names.filter((name) => !CASES[name]);
if (unknown.length > 0) {
  console.error(`--only takes ${Object.keys(CASES).join(", ")}, not ${unknown.join(", ")}`);
  process.exit(2);
}

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "token-path-"));
const wakeUp = join(folder, "wake-up");
execFileSync("cc", ["-O2", "-o", wakeUp, join(here, "wake-up.c"), "-lpthread"]);
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const server = startServer();
process.on("exit", () => {
  server.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

async function freePort() {
  const socket = net.createServer();
  await new Promise((done) => socket.listen(0, "127.0.0.1", done));
  const { port } = socket.address();
  await new Promise((done) => socket.close(done));
  return port;
}

/** A server with a place for each stream, that makes one token of each in a step; the script ends with it. */
function startServer() {
  const config = join(folder, "penstock.yaml");
  const log = join(folder, "log");
  writeFileSync(config, "penstock: { engine: { max-running: 64, speculation: false } }");
  const penstock = join(here, "..", "penstock");
  const tiny = join(dirname(penstock), "src/main/resources/penstock-tiny");
  const models = [`measured=${options.model ?? tiny}`, `warm-up=${tiny}`];
  // Each has the threads that it would have alone.
  const named = models.flatMap((model) => ["--model", `${model},threads=${availableParallelism()}`]);
  const child = spawn(penstock, ["serve", "--port", `${port}`, "--config", config, ...named], {
    stdio: ["ignore", "ignore", openSync(log, "w")],
  });
  child.on("exit", (code) => {
    console.error(`The server has ended (${code}): ${readFileSync(log, "utf8").slice(-2000)}`);
    process.exit(1);
  });
  return child;
}

async function ready() {
  for (let tries = 0; tries < 1200; tries++) {
    try {
      if ((await fetch(`${url}/health/ready`)).ok) return;
    } catch {
      // not yet
    }
    await pause(100);
  }
  throw new Error(`nothing is ready at ${url}`);
}

/** Streams one chat to its end, by a raw socket: what the server sent, as it was framed. */
function chat(body) {
  return new Promise((resolve, reject) => {
    const parts = [];
    const socket = net.connect(port, "127.0.0.1", () =>
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      ));
    socket.on("data", (data) => parts.push(data));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(parts).toString("latin1")));
  });
}

/** Tokens, events that have a choice, and chunks of HTTP, of a reply; its JSON has no CR LF. */
function count(reply) {
  const tokens = Number(/"completion_tokens":(\d+)/.exec(reply)?.[1]);
  if (!reply.startsWith("HTTP/1.1 200") || !tokens) throw new Error(`no whole stream: ${reply.slice(0, 2000)}`);
  const framed = reply.slice(reply.indexOf("\r\n\r\n") + 4);
  return { tokens, events: framed.split('"choices":[{').length - 1, chunks: (framed.split("\r\n").length - 1) / 2 - 1 };
}

/** Streams chats for at least so many seconds, each client one after the other, and adds up what came. */
async function load({ streams, more }, seconds, model = "measured") {
  const replies = [];
  const untilMs = performance.now() + seconds * 1e3;
  const client = async () => {
    do {
      const body = {
        model,
        messages: [{ role: "user", content: String(Math.random()) }],
        max_tokens: Number(options.tokens),
        ignore_eos: true,
        temperature: 0,
        stream: true,
        stream_options: { include_usage: true },
        ...more,
      };
      replies.push(await chat(JSON.stringify(body)));
    } while (performance.now() < untilMs);
  };
  await Promise.all(Array.from({ length: streams }, client));
  const sum = { tokens: 0, events: 0, chunks: 0 };
  for (const reply of replies) for (const [key, n] of Object.entries(count(reply))) sum[key] += n;
  return sum;
}

/** Groups of threads by the first letters of their names, of which the kernel keeps 15. */
const GROUPS = {
  write: /^vert\.x-eventloop?/,
  loop: /^step-loop-meas/,
  gc: /^(VM Thread|GC Thread)/,
  compilers: /^C[12] Compiler/,
};

/** Nanoseconds of processor time, and waits for something, of each group so far. */
function used() {
  const sum = Object.fromEntries(Object.keys(GROUPS).map((group) => [group, { ns: 0, sleeps: 0 }]));
  for (const id of readdirSync(`/proc/${server.pid}/task`)) {
    const task = `/proc/${server.pid}/task/${id}`;
    const name = readFileSync(`${task}/comm`, "utf8");
    const group = Object.keys(GROUPS).find((key) => GROUPS[key].test(name));
    if (!group) continue;
    sum[group].ns += Number(readFileSync(`${task}/schedstat`, "utf8").split(" ")[0]);
    sum[group].sleeps += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`${task}/status`, "utf8"))[1]);
  }
  return sum;
}

/** Seconds that the loop spent in its publish phase so far. */
async function publishSeconds() {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^penstock_step_time_seconds_sum\{.*model="measured".*phase="publish".*\} (\S+)/m.exec(text)[1]);
}

const jdk = (tool, ...args) =>
  execFileSync(join(process.env.JAVA_HOME, "bin", tool), args, { encoding: "utf8", maxBuffer: 1 << 30 });

/** The share of the step loop's processor time that is a token's way, and how many samples say so. */
async function publishShare(which) {
  const file = join(folder, "samples.jfr");
  const event = ["enabled=true", "throttle=1ms"].map((setting) => `+jdk.CPUTimeSample#${setting}`);
  jdk("jcmd", `${server.pid}`, "JFR.start", "name=path", "settings=none", ...event);
  await load(which, 3 * Number(options.seconds));
  jdk("jcmd", `${server.pid}`, "JFR.stop", "name=path", `filename=${file}`);
  const samples = jdk("jfr", "print", "--stack-depth", "64", "--events", "CPUTimeSample", file)
    .split("jdk.CPUTimeSample {")
    .filter((sample) => sample.includes('eventThread = "step-loop-measured'));
  const stacks = samples.filter((sample) => sample.includes("failed = false"));
  const way = stacks.filter((stack) => {
    const [below, above] = stack.split("dev.penstock.engine.Publisher.next(");
    return above && !/dev\.penstock\.engine\.Sampler\.(sample|score)\(/.test(below);
  });
  return { share: way.length / stacks.length, samples: stacks.length, failed: samples.length - stacks.length };
}

async function round(which) {
  const before = used();
  const publishBefore = await publishSeconds();
  const startMs = performance.now();
  const sent = await load(which, Number(options.seconds));
  const seconds = (performance.now() - startMs) / 1e3;
  const after = used();
  const perToken = (ns) => ns / 1e3 / sent.tokens;
  const us = Object.fromEntries(Object.keys(GROUPS).map((g) => [g, perToken(after[g].ns - before[g].ns)]));
  return {
    ...us,
    publishPhase: perToken(((await publishSeconds()) - publishBefore) * 1e9),
    tokensPerSecond: sent.tokens / seconds,
    tokensPerEvent: sent.tokens / sent.events,
    tokensPerChunk: sent.tokens / sent.chunks,
    sleepsPerToken: (after.write.sleeps - before.write.sleeps) / sent.tokens,
  };
}

/** What a token of one stream costs in a program that does nothing but the system calls: see wake-up.c. Stops the server. */
async function bareSystemCalls(stepUs) {
  server.removeAllListeners("exit");
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  await ended;
  const [publish, write] = execFileSync(wakeUp, [`${Math.round(stepUs)}`, options.seconds], { encoding: "utf8" }).split(" ").map(Number);
  return { publish, write };
}

const n = (value, digits = 1) => value.toFixed(digits);
const COLUMNS = {
  case: (r) => r.case,
  "us a token (rounds)": (r) => `${n(r.usPerToken)} (${r.totals.map((us) => n(us)).join(", ")})`,
  publish: (r) => n(r.publish),
  write: (r) => n(r.write),
  gc: (r) => n(r.gc),
  "us a chunk": (r) => n(r.usPerToken * r.tokensPerChunk),
  "tokens a chunk": (r) => n(r.tokensPerChunk, 2),
  "publish phase": (r) => n(r.publishPhase),
  compilers: (r) => n(r.compilers),
  "sleeps a token": (r) => n(r.sleepsPerToken, 2),
  "tokens/s": (r) => n(r.tokensPerSecond, 0),
};
const row = (cells) => console.log(`| ${cells.join(" | ")} |`);

await ready();
const results = [];
if (!options.json) {
  row(Object.keys(COLUMNS));
  row(Object.keys(COLUMNS).map(() => "---"));
}
for (const name of names) {
  const which = CASES[name];
  await load({ ...which, streams: 16 }, Number(options["warm-up"]), "warm-up");
  await load(which, Number(options.seconds) / 2);
  const rounds = [];
  for (let i = 0; i < Number(options.rounds); i++) rounds.push(await round(which));
  const { share, samples, failed } = await publishShare(which);
  const middle = Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, median(rounds.map((r) => r[key]))]));
  const totals = rounds.map((r) => r.write + r.loop * share + r.gc);
  results.push({ case: name, ...middle, publish: middle.loop * share, share, samples, failed, usPerToken: median(totals), totals });
  if (!options.json) row(Object.values(COLUMNS).map((cell) => cell(results.at(-1))));
}
const one = results.find((r) => r.case === "1");
const bare = one && (await bareSystemCalls(1e6 / one.tokensPerSecond));
if (options.json) {
  console.log(JSON.stringify({ tokens: Number(options.tokens), results, bare }, null, 2));
} else if (bare) {
  console.log(`The same system calls in C, for one stream: ${n(bare.publish)} us to wake, ${n(bare.write)} us to be woken and to write`);
}
process.exit(0);
