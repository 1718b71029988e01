package dev.penstock.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;

/** Server-sent events with JSON for data, as the HTML standard and OpenAI's API write them; for one thread. */
final class EventStream {
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

    /** Adds the event that ends a stream without error. */
    void done() throws IOException {
        json.writeRaw("data: [DONE]\n\n");
    }

    /** Sends what was added, waiting while the reader's buffers are full. */
    void flush() throws IOException {
        json.flush();
    }
}
