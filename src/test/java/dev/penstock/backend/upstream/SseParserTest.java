package dev.penstock.backend.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SseParserTest {
    private static final int MAX = 50;

    private final List<String> events = new ArrayList<>();
    private final SseParser parser = new SseParser(MAX, data -> events.add(new String(data, StandardCharsets.UTF_8)));

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r\n", "\r"})
    void eventsAreTheSameWhateverTheLineEndsAndThePieces(String lineEnd) {
        String text = String.join(
                lineEnd,
                ": comment",
                "",
                "event: x",
                "data: {\"a\":",
                "data:1}",
                "id: 7",
                "",
                "data",
                "",
                "",
                "data: é🦊",
                "",
                "");
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Random random = new Random(1);
        for (int run = 0; run < 200; run++) {
            events.clear();
            SseParser fresh = new SseParser(MAX, data -> events.add(new String(data, StandardCharsets.UTF_8)));
            for (int from = 0; from < bytes.length; ) {
                int to = Math.min(bytes.length, from + 1 + random.nextInt(9));
                assertThat(fresh.feed(Buffer.buffer(text.getBytes(StandardCharsets.UTF_8))
                                .slice(from, to)))
                        .isTrue();
                from = to;
            }
            assertThat(events).containsExactly("{\"a\": 1}", "é🦊");
        }
    }

    @Test
    void whatHasNoEndIsNoEvent() {
        assertThat(parser.feed(Buffer.buffer("data: a\n"))).isTrue();
        assertThat(events).isEmpty();
    }

    @Test
    void longLinesAndLongEventsAreRefused() {
        assertThat(parser.feed(Buffer.buffer("data: " + "x".repeat(MAX)))).isFalse();
        SseParser lines = new SseParser(MAX, data -> events.add("no"));
        assertThat(lines.feed(Buffer.buffer("data: xxxxxxxxxx\n".repeat(MAX / 10))))
                .isFalse();
        SseParser comments = new SseParser(MAX, data -> events.add("no"));
        assertThat(comments.feed(Buffer.buffer(": ping\n".repeat(1000)))).isTrue();
        assertThat(events).isEmpty();
    }
}
