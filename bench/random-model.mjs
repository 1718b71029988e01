#!/usr/bin/env node
// Writes a Hugging Face folder of a decoder's shape with random weights in bfloat16, so that a server can be measured on
// the shape that `penstock bench --shape` measures. Usage: random-model.mjs SHAPE FOLDER
//
// Its tokenizer is that of penstock-tiny, filled up to the vocabulary's size with words that no text is cut into but that
// are text when they are generated.
import { mkdirSync, readFileSync, writeFileSync, createWriteStream } from "node:fs";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SHAPES } from "./shapes.mjs";

const [shapeName, folder] = process.argv.slice(2);
const shape = SHAPES[shapeName];
if (!shape || !folder) {
  console.error(`usage: random-model.mjs ${Object.keys(SHAPES).join("|")} FOLDER`);
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const tiny = join(dirname(fileURLToPath(import.meta.url)), "../src/main/resources/penstock-tiny");

const tokenizer = JSON.parse(readFileSync(join(tiny, "tokenizer.json"), "utf8"));
for (let id = Object.keys(tokenizer.model.vocab).length; id < shape.vocab; id++) tokenizer.model.vocab[`\u0120w${id}`] = id;
writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
writeFileSync(join(folder, "tokenizer_config.json"), readFileSync(join(tiny, "tokenizer_config.json")));
writeFileSync(
  join(folder, "config.json"),
  JSON.stringify({
    ...JSON.parse(readFileSync(join(tiny, "config.json"), "utf8")),
    torch_dtype: "bfloat16",
    vocab_size: shape.vocab,
    hidden_size: shape.hidden,
    intermediate_size: shape.inner,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headSize,
    max_position_embeddings: shape.context,
    tie_word_embeddings: shape.tied,
  }),
);

const tensors = [["model.embed_tokens.weight", [shape.vocab, shape.hidden]], ["model.norm.weight", [shape.hidden]]];
if (!shape.tied) tensors.push(["lm_head.weight", [shape.vocab, shape.hidden]]);
for (let l = 0; l < shape.layers; l++) {
  const add = (name, ...dims) => tensors.push([`model.layers.${l}.${name}.weight`, dims]);
  add("input_layernorm", shape.hidden);
  add("post_attention_layernorm", shape.hidden);
  add("self_attn.q_proj", shape.heads * shape.headSize, shape.hidden);
  add("self_attn.k_proj", shape.kvHeads * shape.headSize, shape.hidden);
  add("self_attn.v_proj", shape.kvHeads * shape.headSize, shape.hidden);
  add("self_attn.o_proj", shape.hidden, shape.heads * shape.headSize);
  add("mlp.gate_proj", shape.inner, shape.hidden);
  add("mlp.up_proj", shape.inner, shape.hidden);
  add("mlp.down_proj", shape.hidden, shape.inner);
}

// Format: https://huggingface.co/docs/safetensors
const header = {};
let at = 0;
for (const [name, dims] of tensors) {
  const bytes = 2 * dims.reduce((a, b) => a * b);
  header[name] = { dtype: "BF16", shape: dims, data_offsets: [at, at + bytes] };
  at += bytes;
}
const json = Buffer.from(JSON.stringify(header));
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(json.length));

/** Uniform numbers of a spread that keeps activations in bounds, over and over: nobody looks at them. */
const random = Buffer.alloc(1 << 20);
let state = 1;
for (let i = 0; i < random.length; i += 2) {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  const f = new Float32Array([(state / 2 ** 31) * Math.sqrt(3 / shape.hidden)]);
  random.writeUInt16LE(new Uint32Array(f.buffer)[0] >>> 16, i);
}
const ones = Buffer.alloc(2 * shape.hidden);
for (let i = 0; i < ones.length; i += 2) ones.writeUInt16LE(0x3f80, i);

const out = createWriteStream(join(folder, "model.safetensors"));
const write = async (bytes) => out.write(bytes) || once(out, "drain");
await write(Buffer.concat([length, json]));
for (const [, dims] of tensors) {
  const bytes = 2 * dims.reduce((a, b) => a * b);
  if (dims.length === 1) {
    await write(ones.subarray(0, bytes));
    continue;
  }
  for (let done = 0; done < bytes; done += random.length) await write(random.subarray(0, Math.min(random.length, bytes - done)));
}
out.end();
await once(out, "finish");
