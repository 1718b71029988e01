#!/usr/bin/env node
// Writes a GGUF file (version 3) of a decoder's shape with random weights, so that llama.cpp can be measured on the
// shape that `penstock bench --shape` measures. Usage: write-gguf.mjs SHAPE FILE
//
// Projections and the embedding table are Q4_0 (blocks of 32 with an fp16 scale), the head of an untied model is Q8_0:
// int4 in Penstock keeps its head at 8 bits too. The file has no tokenizer (`no_vocab`): tokens go in as ids.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
import { createWriteStream, renameSync } from "node:fs";
import { once } from "node:events";
import { SHAPES } from "./shapes.mjs";

const ALIGNMENT = 32;
const F32 = { id: 0, block: 1, bytes: 4 };
const Q4_0 = { id: 2, block: 32, bytes: 18, spread: 4.6 };
const Q8_0 = { id: 8, block: 32, bytes: 34, spread: 74 };

const [shapeName, path] = process.argv.slice(2);
const shape = SHAPES[shapeName];
if (!shape || !path) {
  console.error(`usage: write-gguf.mjs ${Object.keys(SHAPES).join("|")} FILE`);
  process.exit(2);
}

const uint32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
const uint64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };
const text = (s) => Buffer.concat([uint64(Buffer.byteLength(s)), Buffer.from(s)]);
const float32 = (x) => { const b = Buffer.alloc(4); b.writeFloatLE(x); return b; };
const property = {
  uint32: (key, n) => Buffer.concat([text(key), uint32(4), uint32(n)]),
  float32: (key, x) => Buffer.concat([text(key), uint32(6), float32(x)]),
  text: (key, s) => Buffer.concat([text(key), uint32(8), text(s)]),
};

/** The bits of a small positive normal number as IEEE 754 binary16. */
function float16Bits(x) {
  const exponent = Math.floor(Math.log2(x));
  return ((exponent + 15) << 10) | Math.round((x / 2 ** exponent - 1) * 1023);
}

const q = shape.heads * shape.headSize;
const kv = shape.kvHeads * shape.headSize;
const { hidden, inner, vocab } = shape;
const arch = "llama";
// Shapes as GGUF writes them: the fastest dimension, the inputs, comes first.
const tensors = [{ name: "token_embd.weight", type: Q4_0, dims: [hidden, vocab] }, { name: "output_norm.weight", type: F32, dims: [hidden] }];
if (!shape.tied) tensors.push({ name: "output.weight", type: Q8_0, dims: [hidden, vocab] });
for (let layer = 0; layer < shape.layers; layer++) {
  const add = (name, type, ...dims) => tensors.push({ name: `blk.${layer}.${name}.weight`, type, dims });
  add("attn_norm", F32, hidden);
  add("attn_q", Q4_0, hidden, q);
  add("attn_k", Q4_0, hidden, kv);
  add("attn_v", Q4_0, hidden, kv);
  add("attn_output", Q4_0, q, hidden);
  add("ffn_norm", F32, hidden);
  add("ffn_gate", Q4_0, hidden, inner);
  add("ffn_up", Q4_0, hidden, inner);
  add("ffn_down", Q4_0, inner, hidden);
}

const properties = [
  property.text("general.architecture", arch),
  property.text("general.name", `${shapeName} with random weights`),
  property.uint32("general.alignment", ALIGNMENT),
  property.uint32(`${arch}.context_length`, shape.context),
  property.uint32(`${arch}.embedding_length`, hidden),
  property.uint32(`${arch}.block_count`, shape.layers),
  property.uint32(`${arch}.feed_forward_length`, inner),
  property.uint32(`${arch}.attention.head_count`, shape.heads),
  property.uint32(`${arch}.attention.head_count_kv`, shape.kvHeads),
  property.uint32(`${arch}.attention.key_length`, shape.headSize),
  property.uint32(`${arch}.attention.value_length`, shape.headSize),
  property.uint32(`${arch}.rope.dimension_count`, shape.headSize),
  property.float32(`${arch}.rope.freq_base`, 10000),
  property.float32(`${arch}.attention.layer_norm_rms_epsilon`, 1e-5),
  property.uint32(`${arch}.vocab_size`, vocab),
  property.text("tokenizer.ggml.model", "no_vocab"),
];

const padding = (offset) => Buffer.alloc((ALIGNMENT - (offset % ALIGNMENT)) % ALIGNMENT);
let offset = 0;
const infos = tensors.map((t) => {
  t.bytes = (t.dims.reduce((a, b) => a * b, 1) / t.type.block) * t.type.bytes;
  const info = Buffer.concat([text(t.name), uint32(t.dims.length), ...t.dims.map(uint64), uint32(t.type.id), uint64(offset)]);
  offset += t.bytes + padding(offset + t.bytes).length;
  return info;
});

let state = 0x2545f491; // xorshift32: the same file on every run
function random32() {
  state ^= state << 13; state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5; state >>>= 0;
  return state;
}

function row(type, inputs) {
  if (type === F32) {
    const ones = Buffer.alloc(inputs * 4);
    for (let i = 0; i < inputs; i++) ones.writeFloatLE(1, i * 4);
    return ones;
  }
  const bytes = Buffer.alloc((inputs / type.block) * type.bytes);
  for (let i = 0; i + 1 < bytes.length; i += 2) bytes.writeUInt16LE(random32() & 0xffff, i);
  // Variance of an output near that of the inputs, so that activations stay in range over all layers.
  const scale = float16Bits(0.9 / Math.sqrt(inputs) / type.spread);
  for (let i = 0; i < bytes.length; i += type.bytes) bytes.writeUInt16LE(scale, i);
  return bytes;
}

const out = createWriteStream(path + ".part");
let written = 0;
async function write(buffer) {
  written += buffer.length;
  if (!out.write(buffer)) await once(out, "drain");
}
await write(Buffer.concat([Buffer.from("GGUF"), uint32(3), uint64(tensors.length), uint64(properties.length), ...properties, ...infos]));
await write(padding(written));
for (const t of tensors) {
  const rows = t.dims.length === 1 ? 1 : t.dims[1];
  for (let r = 0; r < rows; r++) await write(row(t.type, t.dims[0]));
  await write(padding(t.bytes));
}
out.end();
await once(out, "finish");
renameSync(path + ".part", path);
console.error(`${path}: ${written} bytes`);
