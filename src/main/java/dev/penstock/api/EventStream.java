package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Server-sent events with JSON for data, as the HTML standard and OpenAI's API write them; for one thread. */
final class EventStream {
    /** A comment, which readers skip: it keeps proxies from taking the connection for dead. */
    static final String KEEP_ALIVE = ": keep-alive\n\n";

    private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] END = "\n\n".getBytes(StandardCharsets.US_ASCII);

    private final JsonGenerator json;

    EventStream(OutputStream out) throws IOException {
        this.json = WireJson.generator(out);
    }

    /** An event by itself, of JSON without a line break. */
    static Buffer of(byte[] json) {
        return Buffer.buffer(DATA.length + json.length + END.length)
                .appendBytes(DATA)
                .appendBytes(json)
                .appendBytes(END);
    }

    /** Adds an event. */
    void event(WireJson.Part data) throws IOException {
        json.writeRaw("data: ");
        data.write(json);
        json.writeRaw("\n\n");
    }

    /** Adds the event that ends a stream without error. */
    void done() throws IOException {
        json.writeRaw("data: [DONE]\n\n");
    }

    /** Hands on what was added. */
    void flush() throws IOException {
        json.flush();
    }
}
