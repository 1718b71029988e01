// The work of bench/compare-llama-cpp; see there.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SHAPES } from "./shapes.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    shape: { type: "string", default: "tinyllama-1.1b" },
    turns: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    steps: { type: "string", default: "16" },
    threads: { type: "string" },
    prompt: { type: "string", default: "128,512" },
    cases: { type: "string", default: "1x256,4x256,8x256,16x256,8x1500" },
    json: { type: "boolean", default: false },
  },
});
if (!(options.shape in SHAPES)) {
  console.error(`--shape knows ${Object.keys(SHAPES).join(", ")}, not ${options.shape}`);
  process.exit(2);
}

// Batches by context: each process measures one context, so that its peak memory is that of one size of KV cache.
const batchesByContext = new Map();
for (const text of options.cases.split(",").filter(Boolean)) {
  const [batch, context] = text.split("x");
  batchesByContext.set(context, [...(batchesByContext.get(context) ?? []), batch]);
}
const runs = [...batchesByContext].map(([context, batches], i) => ({
  context,
  batch: batches.join(","),
  prompt: i === 0 ? options.prompt : "0",
}));

const binaries = join(here, "node_modules/@node-llama-cpp/linux-x64/bins");
const library = join(binaries, readdirSync(binaries)[0]);
const gguf = join(here, "out", `${options.shape}.gguf`);
if (!existsSync(gguf)) {
  mkdirSync(dirname(gguf), { recursive: true });
  console.error("Writing a GGUF with random weights (once)");
  execFileSync("node", [join(here, "write-gguf.mjs"), options.shape, gguf], { stdio: "inherit" });
}

const key = {
  prompt: (tokens) => `prompt of ${tokens}`,
  decode: (batch, context) => `decode, batch ${batch}, context ${context}`,
  memory: (context) => `peak memory, context ${context}`,
};

/** Runs llama.cpp; a map from case to tokens per second, and from memory to bytes. */
function llama(run) {
  const java = join(process.env.JAVA_HOME, "bin/java");
  const args = ["-Xmx64m", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED", join(here, "LlamaCpp.java"), library, gguf, String(SHAPES[options.shape].vocab)];
  args.push(`prompt=${run.prompt}`, `batch=${run.batch}`, `context=${run.context}`, `rounds=${options.rounds}`, `steps=${options.steps * options.rounds}`);
  if (options.threads) args.push(`threads=${options.threads}`);
  const out = execFileSync(java, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const figures = new Map();
  for (const line of out.trim().split("\n").map((l) => JSON.parse(l))) {
    if (line.what === "prefill") figures.set(key.prompt(line.prompt), line.tokens_per_second);
    if (line.what === "decode") figures.set(key.decode(line.batch, line.context), line.tokens_per_second);
    if (line.what === "memory") {
      figures.set(key.memory(run.context), line.peak_bytes);
      variant = line.cpu_variant;
    }
  }
  return figures;
}
let variant = "";

/** Runs Penstock; figures likewise. Its memory counts the JVM in, llama.cpp's does not. */
function penstock(run) {
  const args = ["bench", "--shape", options.shape, "--precision", "int4", "--json"];
  args.push("--prompt", run.prompt, "--batch", run.batch, "--context", run.context, "--rounds", options.rounds, "--steps", options.steps);
  if (options.threads) args.push("--threads", options.threads);
  const out = execFileSync(join(here, "../penstock"), args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const report = JSON.parse(out.slice(out.indexOf("{")));
  const figures = new Map();
  for (const r of report.results) {
    if (r.kind === "prompt") figures.set(key.prompt(r.context), r.tokensPerSecond);
    if (r.kind === "decode") figures.set(key.decode(r.batch, r.context), r.tokensPerSecond);
  }
  figures.set(key.memory(run.context), report.peakMemoryBytes);
  return figures;
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

const pairs = new Map(); // case -> [{penstock, llama}, ...], a pair a turn
for (let turn = 0; turn < Number(options.turns); turn++) {
  for (const run of runs) {
    const a = penstock(run);
    const b = llama(run);
    for (const [name, value] of a) pairs.set(name, [...(pairs.get(name) ?? []), { penstock: value, llama: b.get(name) }]);
    console.error(`turn ${turn + 1} of ${options.turns}, context ${run.context} done`);
  }
}

const rows = [...pairs].map(([name, values]) => ({
  case: name,
  unit: name.startsWith("peak") ? "MiB" : "tokens/s",
  penstock: median(values.map((v) => v.penstock)),
  llamaCpp: median(values.map((v) => v.llama)),
  ratio: median(values.map((v) => v.penstock / v.llama)),
  ratios: values.map((v) => v.penstock / v.llama),
}));
if (options.json) {
  console.log(JSON.stringify({ shape: options.shape, turns: Number(options.turns), cpu: cpus()[0].model, llamaCppVariant: variant, results: rows }, null, 2));
} else {
  console.log(`${options.shape}: Penstock int4 against llama.cpp v0.5.0 Q4_0 (${variant}), ${options.turns} turns, ${cpus().length} processors, ${cpus()[0].model}\n`);
  console.log("".padEnd(34) + "Penstock".padStart(10) + "llama.cpp".padStart(11) + "ratio".padStart(8) + "  (of each turn)");
  for (const r of rows) {
    const shown = (v) => (r.unit === "MiB" ? `${Math.round(v / 2 ** 20)} MiB` : v.toFixed(1));
    console.log(r.case.padEnd(34) + shown(r.penstock).padStart(10) + shown(r.llamaCpp).padStart(11) + r.ratio.toFixed(2).padStart(8) + `  (${r.ratios.map((x) => x.toFixed(2)).join(" ")})`);
  }
}
