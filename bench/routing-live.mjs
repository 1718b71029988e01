// How well latencies are foretold where they are lived through: a gateway with two replicas of one model, of different precision
// and thread count, and one upstream, a second Penstock, all on this machine, under mixed load at random times. Prints for each
// backend the mean error of predictions (MAPE) and how often the bound of nine in ten held, from the gateway's own metrics, after
// the first requests have been learned from.
//
// Usage: bench/routing-live --model FOLDER [--requests 1000] [--warm-up 500] [--rate 1.5] [--beside-decodes 16] [--json]
// --beside-decodes is the engine's max-prompt-tokens-beside-decodes, in both.
// FOLDER is a Hugging Face folder, such as bench/random-model.mjs smollm-135m FOLDER writes.
import { spawn } from "node:child_process";
import { mkdtempSync, openSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stream } from "./client.mjs";

const { values: options } = parseArgs({
  options: {
    model: { type: "string" },
    requests: { type: "string", default: "1000" },
    "warm-up": { type: "string", default: "500" },
    rate: { type: "string", default: "1.5" },
    "beside-decodes": { type: "string", default: "16" },
    json: { type: "boolean", default: false },
  },
});
if (!options.model) {
  console.error("--model FOLDER names a Hugging Face folder");
  process.exit(2);
}
const penstock = join(dirname(fileURLToPath(import.meta.url)), "../penstock");
const folder = mkdtempSync(join(tmpdir(), "routing-live-"));
const children = [];

async function serve(name, port, yaml) {
  const config = join(folder, `${name}.yaml`);
  writeFileSync(config, yaml);
  const log = openSync(join(folder, `${name}.log`), "w");
  const child = spawn(penstock, ["serve", "--port", String(port), "--config", config], { stdio: ["ignore", log, log], detached: true });
  children.push(child);
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 600; i++) {
    if (child.exitCode !== null) throw new Error(`${name} has ended; see ${folder}/${name}.log`);
    const ready = await fetch(`${url}/health/ready`).then((r) => r.ok, () => false);
    if (ready) return url;
    await pause(500);
  }
  throw new Error(`${name} is not ready after five minutes; see ${folder}/${name}.log`);
}

/** The sum of a metric's samples by backend and kind of latency. */
async function metric(url, name) {
  const values = {};
  for (const line of (await (await fetch(`${url}/metrics`)).text()).split("\n")) {
    const match = new RegExp(`^${name}\\{(.*)\\} (\\S+)$`).exec(line);
    if (match) {
      const labels = Object.fromEntries([...match[1].matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1], m[2]]));
      values[`${labels.backend} ${labels.latency}`] = Number(match[2]);
    }
  }
  return values;
}

let seed = 1;
function random() {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
}
const one = (n) => Math.floor(random() * n);
const WORDS = "the a cat dog sun tree went to play with red ball and was very happy one day she saw little".split(" ");
const text = (words) => Array.from({ length: words }, () => WORDS[one(WORDS.length)]).join(" ");

/** Some want the fastest whatever it costs, some are in a hurry, the rest want the least cost within seconds: each backend gets some. */
function request() {
  const long = random() < 0.3;
  const body = { model: "m", prompt: text(long ? 60 + one(200) : 4 + one(40)), max_tokens: 32 + one(128), ignore_eos: true };
  const kind = random();
  const headers = {};
  if (kind < 0.35) body.provider = { sort: kind < 0.2 ? "latency" : "throughput" };
  else headers[kind < 0.65 ? "x-slo-ttft-ms" : "x-penstock-max-latency-ms"] = kind < 0.65 ? "1500" : "10000";
  return { body, headers };
}

try {
  const upstream = await serve(
    "upstream",
    8097,
    `penstock:\n  engine: { max-prompt-tokens-beside-decodes: ${options["beside-decodes"]} }\n  models:\n    m:\n      source: ${options.model}\n      backends: [{ kind: replica, precision: int8, threads: 1 }]\n`,
  );
  const gateway = await serve(
    "gateway",
    8096,
    `penstock:
  engine: { max-prompt-tokens-beside-decodes: ${options["beside-decodes"]} }
  models:
    m:
      source: ${options.model}
      backends:
        - { name: int4x1, kind: replica, precision: int4, threads: 1, price: { per-hour: 0.10 } }
        - { name: int8x2, kind: replica, precision: int8, threads: 2, price: { per-hour: 0.20 } }
        - { name: upstream, kind: upstream, url: "${upstream}/v1", price: { prompt: 0.02, completion: 0.05 } }
`,
  );
  const total = Number(options.requests);
  const warmUp = Number(options["warm-up"]);
  const ERROR = "penstock_latency_prediction_error_ratio";
  const running = new Set();
  let done = 0;
  let failed = 0;
  let before;
  const failures = new Set();
  for (let i = 0; i < total; i++) {
    if (i === warmUp) before = { sum: await metric(gateway, `${ERROR}_sum`), count: await metric(gateway, `${ERROR}_count`) };
    const { body, headers } = request();
    const run = stream(gateway, body, { headers })
      .then(() => done++, (e) => { failed++; failures.add(e.message.slice(0, 60)); })
      .finally(() => running.delete(run));
    running.add(run);
    await pause((-Math.log(1 - random()) / Number(options.rate)) * 1000);
  }
  await Promise.all(running);
  const sum = await metric(gateway, `${ERROR}_sum`);
  const count = await metric(gateway, `${ERROR}_count`);
  const coverage = await metric(gateway, "penstock_bound_coverage_ratio");
  const rows = Object.keys(count).sort().map((key) => {
    const n = count[key] - (before.count[key] ?? 0);
    const off = sum[key] - (before.sum[key] ?? 0);
    return { backend: key.split(" ")[0], latency: key.split(" ")[1], requests: n, mape: n ? off / n : 0, coverage: coverage[key] };
  });
  for (const latency of ["ttft", "tpot"]) {
    const of = rows.filter((r) => r.latency === latency);
    const n = of.reduce((a, r) => a + r.requests, 0);
    rows.push({
      backend: "all",
      latency,
      requests: n,
      mape: of.reduce((a, r) => a + r.requests * r.mape, 0) / n,
      coverage: of.reduce((a, r) => a + r.requests * r.coverage, 0) / n,
    });
  }
  if (options.json) console.log(JSON.stringify({ done, failed, rows }));
  else {
    console.log(`${done} requests done, ${failed} failed${failed ? `: ${[...failures].join("; ")}` : ""}`);
    for (const r of rows)
      console.log(`${r.backend.padEnd(10)} ${r.latency}  ${String(r.requests).padStart(5)} requests  MAPE ${(100 * r.mape).toFixed(1).padStart(5)} %  bound held ${(100 * r.coverage).toFixed(1)} %`);
  }
  process.exitCode = failed ? 1 : 0;
} finally {
  for (const child of children) child.kill("SIGTERM");
}
