package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import com.fasterxml.jackson.databind.JsonNode;
import dev.penstock.model.FinishReason;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Peers that do not play by the rules: whatever they send or leave out, others are answered and nothing stays behind. */
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class HostileHttpTest {
    private static final CountDownLatch NEVER = new CountDownLatch(1);
    private static final String BODY =
            "{\"model\": \"scripted\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}";

    @Inject
    ScriptedModels models;

    @Inject
    RequestGate gate;

    @TestHTTPResource
    URI url;

    @BeforeEach
    void reset() {
        models.chat().reset();
    }

    @AfterEach
    void nothingStaysBehind() throws InterruptedException {
        assertThat(gate.awaitIdle(Duration.ofSeconds(30))).isTrue();
        await().until(() -> models.chat().running() == 0);
        // A request that never got in has left its script.
        models.chat().reset();
        given().contentType(ContentType.JSON)
                .body(BODY.replace("true", "false"))
                .post("/v1/chat/completions")
                .then()
                .statusCode(200);
    }

    private RawConnection connect() throws IOException {
        return new RawConnection(url, "/v1/chat/completions", 0);
    }

    @Test
    void aGigabyteThatIsAnnouncedIsRefusedUnread() throws IOException {
        try (RawConnection peer = connect()) {
            peer.write(peer.head() + "Content-Length: 1073741824\r\n\r\n{");

            assertThat(peer.status()).isEqualTo("HTTP/1.1 413");
        }
    }

    @Test
    void aGigabyteThatComesInSmallPiecesIsRefusedAtTheLimit() throws IOException {
        byte[] blank = new byte[1000];
        Arrays.fill(blank, (byte) ' ');
        long sent = 0;
        try (RawConnection peer = connect()) {
            peer.write(peer.head() + "Transfer-Encoding: chunked\r\n\r\n");
            while (!peer.hasMore() && sent < 1L << 30) {
                peer.write("3e8\r\n");
                peer.write(blank);
                peer.write("\r\n");
                sent += blank.length;
            }
            assertThat(peer.status()).isEqualTo("HTTP/1.1 413");
        } catch (IOException brokenOff) {
            // The server may close the connection under what is still being sent.
            assertThat(sent).isGreaterThan(ScriptedProfile.MAX_BODY_BYTES);
        }
        assertThat(sent).isLessThan(64L << 20);
    }

    @Test
    void whoGoesOnSendingAfterTheAnswerIsCutOff() throws IOException {
        byte[] blank = new byte[1 << 16];
        try (RawConnection peer = connect()) {
            peer.write(peer.head() + "Content-Length: 1000000000000\r\n\r\n");

            assertThatThrownBy(() -> {
                        while (true) {
                            peer.write(blank);
                        }
                    })
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void aBodyThatStopsInTheMiddleDoesNotHoldItsPlaceForEver() throws IOException {
        try (RawConnection peer = connect()) {
            peer.write(peer.head() + "Content-Length: 1000\r\n\r\n{\"model\": ");

            // An answer, or the end of the connection.
            String answer = peer.status();
            assertThat(answer)
                    .satisfiesAnyOf(
                            a -> assertThat(a).isEmpty(), a -> assertThat(a).isEqualTo("HTTP/1.1 408"));
        }
    }

    @Test
    void aFloodOfHeadersIsRefused() throws IOException {
        StringBuilder flood = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            flood.append("X-Flood-")
                    .append(i)
                    .append(": ")
                    .append("y".repeat(100))
                    .append("\r\n");
        }
        try (RawConnection peer = connect()) {
            try {
                peer.write(peer.head().append(flood).append("\r\n").toString());
                assertThat(peer.status()).isIn("HTTP/1.1 431", "HTTP/1.1 400", "");
            } catch (IOException brokenOff) {
                assertThat(brokenOff).hasMessageMatching("(?i).*(reset|broken|aborted).*");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 40, 120, 200, 250, 300, 400, 500})
    void aStreamThatIsClosedAtAnyMomentFreesItsPlace(int bytes) throws IOException {
        models.chat().play(Script.says("a", "b", "c", "d").awaits(NEVER).ends(FinishReason.STOP));
        try (RawConnection peer = connect()) {
            peer.post(Map.of(), BODY);
            peer.read(bytes);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 10, 60, 120, 160})
    void aRequestThatIsCutOffAnywhereLeavesNothing(int bytes) throws IOException {
        try (RawConnection peer = connect()) {
            String request = peer.head() + "Content-Length: " + BODY.length() + "\r\n\r\n" + BODY;
            peer.write(request.substring(0, bytes));
        }
    }

    static Stream<Arguments> largeSchemas() {
        String properties = IntStream.range(0, 250_000)
                .mapToObj(i -> "\"property" + i + "\": {\"type\": \"string\"}")
                .collect(Collectors.joining(", ", "{\"type\": \"object\", \"properties\": {", "}}"));
        String values = IntStream.range(0, 1_200_000)
                .mapToObj(Integer::toString)
                .collect(
                        Collectors.joining(",", "{\"type\": \"object\", \"properties\": {\"a\": {\"enum\": [", "]}}}"));
        String pattern = "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"string\", \"pattern\": \""
                + "(a|b)*".repeat(1_700_000) + "\"}}}";
        return Stream.of(properties, values, pattern)
                .flatMap(schema -> Stream.of(
                        Arguments.of(
                                "response_format",
                                "{\"type\": \"json_schema\", \"json_schema\": {\"name\": \"s\", \"schema\": " + schema
                                        + "}}"),
                        Arguments.of(
                                "tools",
                                "[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"strict\": true, \"parameters\": "
                                        + schema + "}}]")));
    }

    @ParameterizedTest
    @MethodSource("largeSchemas")
    void aSchemaOfTenMegabytesIsRefusedInTime(String field, String value) {
        String body = BODY.replace("}]}", "}], \"" + field + "\": " + value + "}");
        assertThat(body.length()).isBetween(8_000_000, ScriptedProfile.MAX_BODY_BYTES);

        Response refused = assertTimeout(
                Duration.ofSeconds(30),
                () -> given().contentType(ContentType.JSON).body(body).post("/v1/chat/completions"));

        JsonNode error = BadInputTest.error(refused, 400);
        assertThat(error.get("param").textValue()).isEqualTo(field);
        // Nor is what it has repeated in what it gets.
        assertThat(error.get("message").textValue()).contains("schema").hasSizeLessThan(1000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\ud83d", "\\udc00\\ud83d", "\\u0000\\u0001\\u001f", "\\u202e\\ufeff\\uffff"})
    void textThatIsNoneIsTakenAsFarAsItGoes(String text) {
        given().contentType(ContentType.JSON)
                .body(BODY.replace("true", "false").replace("Hi", text))
                .post("/v1/chat/completions")
                .then()
                .statusCode(200);
    }
}
