package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;

/** Server-sent events with JSON for data, as the HTML standard and OpenAI's API write them; for one thread. */
final class EventStream {
    /** A comment, which readers skip: it keeps proxies from taking the connection for dead. */
    static final String KEEP_ALIVE = ": keep-alive\n\n";

    private final JsonGenerator json;

    EventStream(OutputStream out) throws IOException {
        this.json = WireJson.generator(out);
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

    /** Hands on what was added. */
    void flush() throws IOException {
        json.flush();
    }
}
