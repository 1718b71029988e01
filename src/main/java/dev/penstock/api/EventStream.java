package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;

/** Server-sent events with JSON for data, as the HTML standard and OpenAI's API write them; for one thread. */
final class EventStream {
    /** A comment, which readers skip: it keeps proxies from taking the connection for dead. */
    static final String KEEP_ALIVE = ": keep-alive\n\n";

    /** Room for the chunk of a token, which most have for themselves. */
    private static final int CHUNK_BYTES = 512;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(CHUNK_BYTES);
    private final JsonGenerator json;

    EventStream() throws IOException {
        this.json = WireJson.generator(bytes);
    }

    /** Adds an event. */
    void event(WireJson.Part data) throws IOException {
        json.writeRaw("data: ");
        data.write(json);
        json.writeRaw("\n\n");
    }

    /** Adds an event that bears its name. */
    void event(String name, WireJson.Part data) throws IOException {
        json.writeRaw("event: ");
        json.writeRaw(name);
        json.writeRaw('\n');
        event(data);
    }

    /** Adds the event that ends a stream without error. */
    void done() throws IOException {
        json.writeRaw("data: [DONE]\n\n");
    }

    /** Whether nothing was added. */
    boolean isEmpty() {
        return bytes.size() == 0 && json.getOutputBuffered() == 0;
    }

    /** Ends it: what was added. */
    Buffer finish() throws IOException {
        // Gives the generator's buffers back to the thread's next one.
        json.close();
        return Buffer.buffer(bytes.toByteArray());
    }
}
