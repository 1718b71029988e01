// Loads a running server with a mix of requests for a long time, a third of which break off at random, and looks for what
// does not come back: blocks of the KV cache, threads, memory. Prints a line a minute; exit 1 if something leaks.
//
// Usage: bench/soak --pid PID [--url http://127.0.0.1:8080] [--model NAME] [--minutes 30] [--clients 12]
//                   [--long-prompt 400] [--memory-slack-mib 64]
// PID is the server's process, on this machine. With -XX:NativeMemoryTracking=summary in PENSTOCK_JAVA_OPTS the table
// has the JVM's native memory, too.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { complete, metrics, modelOf, serverOptions, stream } from "./client.mjs";

const { values: options } = parseArgs({
  options: {
    ...serverOptions,
    pid: { type: "string" },
    minutes: { type: "string", default: "30" },
    clients: { type: "string", default: "12" },
    "long-prompt": { type: "string", default: "400" },
    "memory-slack-mib": { type: "string", default: "64" },
  },
});
if (!options.pid) {
  console.error("--pid PID names the server's process");
  process.exit(2);
}
const minutes = Number(options.minutes);
const model = await modelOf(options);
const counts = { done: 0, broken: 0, refused: 0, failed: 0 };
const failures = new Set();
const until = performance.now() + minutes * 60_000;

const one = (n) => Math.floor(Math.random() * n);
const WORDS = "the a cat dog sun tree went to play with red ball and was very happy one day she saw little".split(" ");
const text = (words) => Array.from({ length: words }, () => WORDS[one(WORDS.length)]).join(" ");

async function client() {
  while (performance.now() < until) {
    const long = Math.random() < 0.2;
    const body = {
      model,
      prompt: text(long ? 1 + one(Number(options["long-prompt"])) : 1 + one(20)),
      max_tokens: 1 + one(100),
      temperature: Math.random() < 0.5 ? 0 : 1,
      ignore_eos: Math.random() < 0.5,
    };
    const breaks = Math.random() < 0.33;
    // From before the first token to the middle of the text.
    const signal = breaks ? AbortSignal.timeout(1 + one(1500)) : AbortSignal.timeout(600_000);
    try {
      await (Math.random() < 0.6 ? stream : complete)(options.url, body, { signal });
      counts.done++;
    } catch (e) {
      if (breaks && (e.name === "TimeoutError" || e.name === "AbortError")) counts.broken++;
      else if (/^(429|503):/.test(e.message)) counts.refused++;
      else {
        counts.failed++;
        failures.add(`${e.name}: ${e.message} ${e.cause?.message ?? ""}`.slice(0, 300));
      }
    }
  }
}

function status(key) {
  const line = readFileSync(`/proc/${options.pid}/status`, "utf8").split("\n").find((l) => l.startsWith(`${key}:`));
  return Number(line.replace(/\D/g, ""));
}

/** MiB that the JVM's native memory tracking has committed; undefined where it is off. */
function nativeMiB() {
  try {
    const jcmd = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin/jcmd") : "jcmd";
    const out = execFileSync(jcmd, [options.pid, "VM.native_memory", "summary"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const match = /Total:.*committed=(\d+)KB/.exec(out);
    return match ? Number(match[1]) / 1024 : undefined;
  } catch {
    return undefined;
  }
}

async function sample() {
  const m = await metrics(options.url);
  return {
    rssMiB: status("VmRSS") / 1024,
    threads: status("Threads"),
    nativeMiB: nativeMiB(),
    running: m.get("vllm:num_requests_running"),
    waiting: m.get("vllm:num_requests_waiting"),
    kv: m.get("vllm:kv_cache_usage_perc"),
  };
}

const started = performance.now();
function print(s) {
  const cell = (v, digits = 0) => (v === undefined ? "-" : v.toFixed(digits)).padStart(9);
  const minute = ((performance.now() - started) / 60_000).toFixed(1).padStart(7);
  console.log([minute, cell(counts.done), cell(counts.broken), cell(counts.refused), cell(counts.failed), cell(s.rssMiB), cell(s.nativeMiB), cell(s.threads), cell(s.running), cell(s.waiting), cell(s.kv === undefined ? undefined : 100 * s.kv, 1)].join(""));
}

console.log(["minutes", "done", "broken", "refused", "failed", "RSS MiB", "NMT MiB", "threads", "running", "waiting", "KV %"].map((h, i) => h.padStart(i ? 9 : 7)).join(""));
const load = Promise.all(Array.from({ length: Number(options.clients) }, client));
const samples = [];
while (performance.now() < until) {
  await pause(Math.min(60_000, Math.max(1, until - performance.now())));
  samples.push(await sample());
  print(samples.at(-1));
}
await load;

// What broke off at the end has a moment to be noticed; then nothing may be held.
let end = await sample();
for (let i = 0; i < 100 && (end.running !== 0 || end.waiting !== 0 || end.kv !== 0); i++) {
  await pause(100);
  end = await sample();
}
print(end);

const leaks = [];
if (end.running !== 0 || end.waiting !== 0) leaks.push(`${end.running} requests run and ${end.waiting} wait with no client there`);
if (end.kv !== 0) leaks.push(`${(100 * end.kv).toFixed(2)} % of the KV cache is held with no request there`);
// The first third fills caches and compiles code; what grows after it is a leak.
const reference = samples[Math.floor(samples.length / 3)];
const slack = Number(options["memory-slack-mib"]);
if (end.rssMiB > reference.rssMiB + slack) leaks.push(`RSS grew from ${reference.rssMiB.toFixed(0)} to ${end.rssMiB.toFixed(0)} MiB`);
if (end.nativeMiB > reference.nativeMiB + slack) leaks.push(`native memory grew from ${reference.nativeMiB.toFixed(0)} to ${end.nativeMiB.toFixed(0)} MiB`);
if (end.threads > reference.threads + 8) leaks.push(`threads grew from ${reference.threads} to ${end.threads}`);
if (counts.failed > 0) leaks.push(`${counts.failed} requests failed: ${[...failures].slice(0, 5).join("; ")}`);
if (counts.done === 0) leaks.push("no request was answered");
console.log(leaks.length ? `NOT CLEAN: ${leaks.join("; ")}` : "clean: nothing is held, nothing grew");
process.exit(leaks.length ? 1 : 0);
