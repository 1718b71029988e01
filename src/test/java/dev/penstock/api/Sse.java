package dev.penstock.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;

/** Reads a stream of events as strictly as it has to be written. */
final class Sse {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Sse() {}

    /** The data of each event; comments are left out. */
    static List<String> data(String body) {
        List<String> data = new ArrayList<>();
        if (!body.endsWith("\n\n")) {
            throw new AssertionError("the stream ends within an event: " + body);
        }
        for (String event : body.split("\n\n")) {
            if (event.startsWith(":")) {
                continue;
            }
            if (!event.startsWith("data: ") || event.indexOf('\n') >= 0) {
                throw new AssertionError("no event of one data line: " + event);
            }
            data.add(event.substring("data: ".length()));
        }
        return data;
    }

    /** The data of a stream whose events bear their types as names. */
    static List<JsonNode> named(String body) {
        List<JsonNode> all = new ArrayList<>();
        if (!body.endsWith("\n\n")) {
            throw new AssertionError("the stream ends within an event: " + body);
        }
        for (String event : body.split("\n\n")) {
            if (event.startsWith(":")) {
                continue;
            }
            String[] lines = event.split("\n");
            JsonNode data = parse(lines[1].substring("data: ".length()));
            if (lines.length != 2
                    || !lines[0].equals("event: " + data.path("type").textValue())) {
                throw new AssertionError("no event with its type for a name: " + event);
            }
            all.add(data);
        }
        return all;
    }

    /** The chunks of a stream that ends well. */
    static List<JsonNode> chunks(String body) {
        List<String> data = data(body);
        if (!data.getLast().equals("[DONE]")) {
            throw new AssertionError("the stream ends without [DONE]: " + data.getLast());
        }
        return data.subList(0, data.size() - 1).stream().map(Sse::parse).toList();
    }

    static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new AssertionError(json, e);
        }
    }
}
