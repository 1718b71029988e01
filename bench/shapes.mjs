// As in `penstock bench`, gemma-2b has its dimensions in LLaMA's architecture.
export const SHAPES = {
  "smollm-135m": { layers: 30, hidden: 576, inner: 1536, heads: 9, kvHeads: 3, headSize: 64, vocab: 49152, context: 2048, tied: true },
  "tinyllama-1.1b": { layers: 22, hidden: 2048, inner: 5632, heads: 32, kvHeads: 4, headSize: 64, vocab: 32000, context: 2048, tied: false },
  "llama-2-7b": { layers: 32, hidden: 4096, inner: 11008, heads: 32, kvHeads: 32, headSize: 128, vocab: 32000, context: 4096, tied: false },
  "gemma-2b": { layers: 18, hidden: 2048, inner: 16384, heads: 8, kvHeads: 1, headSize: 256, vocab: 256000, context: 8192, tied: true },
};
