// Measures what it costs to pass a request on to an upstream on loopback: by Penstock, by nginx as a plain reverse proxy, and
// by an AI gateway from npm, each beside the upstream asked directly, in turn, over several rounds.
//
// Usage: bench/gateway [--only direct,nginx,penstock,portkey] [--rate 1000] [--seconds 8] [--rounds 2] [--warm-up 30]
//                      [--clients 32] [--json]
//
// Added latency is a gateway's quantile less the direct one's. Open loop: streams of 16 chunks at the rate, at random times, 2 ms
// between chunks or all at once; latencies count from when a request was due. Closed loop: --clients ask one request after the
// other. Client and upstream (http-load.c) have core 0, at real-time priority, and the gateway core 1, before all else but the
// kernel (nice -15), so that the most that is measured is what one core gives; beside it stand requests over the processor
// time that the gateway used. Needs root for that.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "./client.mjs";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "direct,nginx,penstock,portkey" },
    rate: { type: "string", default: "1000" },
    seconds: { type: "string", default: "8" },
    rounds: { type: "string", default: "2" },
    "warm-up": { type: "string", default: "30" },
    clients: { type: "string", default: "32" },
    json: { type: "boolean", default: false },
  },
});
const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gateway-"));
const httpLoad = join(folder, "http-load");
const children = [];
process.on("exit", () => {
  children.forEach((child) => child.kill("SIGTERM"));
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

const ENDS = ["taskset", "-c", "0", "chrt", "-r", "10"];
const BETWEEN = ["nice", "-n", "-15", "taskset", "-c", "1"];
const CASES = [
  { name: "stream, a chunk each 2 ms", kind: "stream2000", open: true },
  { name: "stream, chunks at once", kind: "stream", open: true },
  { name: "stream, chunks at once", kind: "stream", open: false },
  { name: "plain", kind: "plain", open: false },
];

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts a process that ends with this one. */
function start([command, ...args], env = {}) {
  const log = join(folder, `log-${children.length}`);
  const child = spawn(command, args, {
    stdio: ["ignore", "ignore", openSync(log, "w")],
    env: { ...process.env, ...env },
  });
  children.push(child);
  child.on("exit", (code) => {
    console.error(`${args.join(" ")} has ended (${code}): ${readFileSync(log, "utf8").slice(-2000)}`);
    process.exit(1);
  });
  return child.pid;
}

/** Waits until something answers there. */
async function answers(port) {
  for (let i = 0; i < 600; i++) {
    try {
      return await fetch(`http://127.0.0.1:${port}/v1/models`);
    } catch {
      await pause(100);
    }
  }
  throw new Error(`nothing answers on port ${port}`);
}

const GATEWAYS = {
  direct: (upstream) => ({ port: upstream }),

  async nginx(upstream) {
    const port = await freePort();
    const file = join(folder, "nginx.conf");
    writeFileSync(file, `
      daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr error;
      events { worker_connections 8192; }
      http {
        access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
        fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
        keepalive_requests 1000000000;
        upstream u { server 127.0.0.1:${upstream}; keepalive 2048; keepalive_requests 1000000000; }
        server {
          listen 127.0.0.1:${port} backlog=4096;
          location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
        }
      }`);
    return { port, pid: start([...BETWEEN, "nginx", "-p", folder, "-c", file]) };
  },

  async penstock(upstream) {
    const port = await freePort();
    const file = join(folder, "penstock.yaml");
    // Under another name, so that it has to be replaced in each chunk.
    writeFileSync(file, `penstock: { models: { fast: { backends: [ { kind: upstream, url: "http://127.0.0.1:${upstream}/v1",
      model: upstream/fast, price: { prompt: 0.2, completion: 0.4 } } ] } } }`);
    return { port, pid: start([...BETWEEN, join(here, "..", "penstock"), "serve", "--port", `${port}`, "--config", file]) };
  },

  // Its streams need @hono/node-server before 1.14.2: package.json pins it (its issue 1389).
  async portkey(upstream) {
    const port = await freePort();
    const main = join(here, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js");
    return {
      port,
      pid: start([...BETWEEN, "node", main, "--headless", `--port=${port}`], { NODE_ENV: "production" }),
      headers: ["x-portkey-provider: openai", `x-portkey-custom-host: http://127.0.0.1:${upstream}/v1`, "authorization: Bearer none"],
    };
  },
};

/** Seconds of processor time of a process and those below it. */
function cpuSeconds(pid) {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, "utf8").replace(/.*\) /s, "").split(" ");
      return [{ pid: Number(name), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }];
    } catch {
      return []; // it has just ended
    }
  });
  const below = (root) => all.filter((p) => p.parent === root).reduce((sum, p) => sum + below(p.pid), 0) + (all.find((p) => p.pid === root)?.ticks ?? 0);
  return below(pid) / 100;
}

/** Waits until a gateway has done what is left over from an overload, 20 s at most. */
async function idle(gateway) {
  for (let i = 0, before = -1; gateway.pid && i < 80; i++) {
    const cpu = cpuSeconds(gateway.pid);
    if (cpu - before < 0.03) return;
    before = cpu;
    await pause(250);
  }
}

/** One run of the client, and the processor time that the gateway took for it. */
async function load(gateway, { kind, open }, seconds) {
  const before = gateway.pid ? cpuSeconds(gateway.pid) : 0;
  const ask = ["load", gateway.port, kind, open ? options.rate : 0, open ? 2000 : options.clients, seconds];
  const [command, ...args] = [...ENDS, httpLoad, ...ask.map(String), ...(gateway.headers ?? [])];
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  for await (const bytes of child.stdout) out += bytes;
  if (!out) throw new Error(`${gateway.name}: no figures for ${kind}`);
  const result = JSON.parse(out);
  const cpu = gateway.pid ? cpuSeconds(gateway.pid) - before : NaN;
  await idle(gateway);
  return {
    ttftP50Ms: result.ttftMs.p50 ?? Infinity,
    ttftP99Ms: result.ttftMs.p99 ?? Infinity,
    totalP50Ms: result.totalMs.p50 ?? Infinity,
    totalP99Ms: result.totalMs.p99 ?? Infinity,
    lost: result.failed + result.unended,
    perSecond: result.requests / result.seconds,
    perCoreSecond: cpu > 0 ? result.requests / cpu : NaN,
  };
}

execFileSync("cc", ["-O2", "-o", httpLoad, join(here, "http-load.c"), "-lm"]);
const upstream = await freePort();
start([...ENDS, httpLoad, "upstream", `${upstream}`]);
await answers(upstream);
const gateways = [];
for (const name of options.only.split(",")) {
  const gateway = { name, ...(await GATEWAYS[name](upstream)) };
  await answers(gateway.port);
  // What is compiled on the way must be compiled.
  for (const one of CASES) await load(gateway, { ...one, open: false }, gateway.pid ? Number(options["warm-up"]) / CASES.length : 1);
  gateways.push(gateway);
}
const runs = [];
for (let round = 0; round < Number(options.rounds); round++) {
  for (const one of CASES) {
    for (const gateway of gateways) {
      const run = { gateway: gateway.name, case: one.name, open: one.open, ...(await load(gateway, one, Number(options.seconds))) };
      runs.push(run);
      console.error(JSON.stringify(run));
    }
  }
}
const FIGURES = ["ttftP50Ms", "ttftP99Ms", "totalP50Ms", "totalP99Ms", "perSecond", "perCoreSecond", "lost"];
const report = CASES.flatMap((one) =>
  gateways.map(({ name }) => {
    const own = runs.filter((run) => run.gateway === name && run.case === one.name && run.open === one.open);
    const medians = Object.fromEntries(FIGURES.map((figure) => [figure, median(own.map((run) => run[figure]))]));
    return { gateway: name, case: one.name, open: one.open, ...medians };
  }),
);
if (options.json) {
  console.log(JSON.stringify({ rate: Number(options.rate), medians: report, runs }, null, 2));
} else {
  console.log(`| case | gateway | TTFT p50, ms | p99 | to the end p50, ms | p99 | requests/s | a core | lost |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |`);
  for (const row of report) {
    const direct = report.find((r) => r.gateway === "direct" && r.case === row.case && r.open === row.open);
    const added = (figure) =>
      row[figure] === Infinity ? "no end" : row === direct || !direct || !row.open ? row[figure].toFixed(2) : `${row[figure].toFixed(2)} (+${(row[figure] - direct[figure]).toFixed(2)})`;
    const times = FIGURES.slice(0, 4).map(added).join(" | ");
    const loop = row.open ? `${options.rate}/s` : `${options.clients} clients`;
    const core = Number.isNaN(row.perCoreSecond) ? "" : row.perCoreSecond.toFixed(0);
    console.log(`| ${row.case}, ${loop} | ${row.gateway} | ${times} | ${row.perSecond.toFixed(0)} | ${core} | ${row.lost} |`);
  }
}
process.exit(0);
