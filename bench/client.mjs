// What the scripts that talk to a running server share: requests over HTTP and what they saw.

/** The options that every script takes. */
export const serverOptions = {
  url: { type: "string", default: "http://127.0.0.1:8080" },
  model: { type: "string" },
};

/** The model to ask for: the one named, or the server's first. */
export async function modelOf(options) {
  if (options.model) return options.model;
  const reply = await fetch(`${options.url}/v1/models`);
  if (!reply.ok) throw new Error(`${options.url}/v1/models answers ${reply.status}`);
  return (await reply.json()).data[0].id;
}

/**
 * Sends a completion with `stream: true` and reads it to its end.
 *
 * @param onChunk called with the milliseconds of each chunk that has text
 * @returns { tokens, startMs, firstMs, endMs }, times by performance.now()
 */
export async function stream(url, body, { signal, headers = {}, onChunk = () => {} } = {}) {
  const startMs = performance.now();
  const reply = await fetch(`${url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  if (!reply.ok) throw new Error(`${reply.status}: ${(await reply.text()).slice(0, 300)}`);
  let firstMs;
  let tokens = 0;
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of reply.body) {
    const now = performance.now();
    rest += decoder.decode(bytes, { stream: true });
    const events = rest.split("\n\n");
    rest = events.pop();
    for (const event of events) {
      if (!event.startsWith("data: ") || event === "data: [DONE]") continue;
      const chunk = JSON.parse(event.slice(6));
      if (chunk.error) throw new Error(chunk.error.message);
      if (chunk.usage) tokens = chunk.usage.completion_tokens;
      if (chunk.choices.length > 0) {
        firstMs ??= now;
        onChunk(now);
      }
    }
  }
  return { tokens, startMs, firstMs, endMs: performance.now() };
}

/** Sends a completion without streaming. */
export async function complete(url, body, { signal } = {}) {
  const reply = await fetch(`${url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  if (!reply.ok) throw new Error(`${reply.status}: ${(await reply.text()).slice(0, 300)}`);
  return (await reply.json()).usage;
}

/** The server's metrics by name; figures of the same name with different labels are added up. */
export async function metrics(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sums = new Map();
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})? ([-+.\deE]+|NaN)/.exec(line);
    if (match) sums.set(match[1], (sums.get(match[1]) ?? 0) + Number(match[2]));
  }
  return sums;
}

/** The middle value, or the mean of the two. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
