// Holds many streams open at once against a running server, most of which wait for their turn, and asks for the models
// meanwhile. Exit 1 if a stream was refused or closed.
//
// Usage: bench/idle-streams [--url http://127.0.0.1:8080] [--model NAME] [--streams 10000] [--seconds 40]
// The server needs a place for each (penstock.engine.max-waiting), and both sides a file descriptor (ulimit -n).
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { modelOf, serverOptions } from "./client.mjs";

const { values: options } = parseArgs({
  options: {
    ...serverOptions,
    streams: { type: "string", default: "10000" },
    seconds: { type: "string", default: "40" },
  },
});
const url = new URL(options.url);
const body = JSON.stringify({
  model: await modelOf(options),
  prompt: "Once upon",
  stream: true,
  max_tokens: 900,
  ignore_eos: true,
});
const request =
  `POST /v1/completions HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${body.length}\r\n\r\n${body}`;
const seen = { open: 0, begun: 0, refused: 0, closed: 0, bytes: 0 };

/** Opens one stream; done when its request is sent. */
function open() {
  return new Promise((sent) => {
    const socket = net.connect(Number(url.port), url.hostname, () => {
      seen.open++;
      socket.write(request);
      sent();
    });
    let begun = false;
    socket.on("data", (data) => {
      seen.bytes += data.length;
      if (!begun) {
        begun = true;
        if (data.toString("latin1").startsWith("HTTP/1.1 200")) seen.begun++;
        else seen.refused++;
      }
    });
    socket.on("close", () => seen.closed++);
    socket.on("error", () => sent());
  });
}

for (let left = Number(options.streams); left > 0; left -= 100) {
  await Promise.all(Array.from({ length: Math.min(100, left) }, open));
}
for (let passed = 0; passed < Number(options.seconds); passed += 10) {
  await pause(10_000);
  const startMs = performance.now();
  await (await fetch(new URL("/v1/models", url))).json();
  console.log(JSON.stringify({ ...seen, modelsMs: Number((performance.now() - startMs).toFixed(1)) }));
}
process.exit(seen.refused + seen.closed > 0 || seen.open < Number(options.streams) ? 1 : 0);
