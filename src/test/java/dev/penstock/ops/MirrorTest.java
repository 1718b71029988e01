package dev.penstock.ops;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsInAnyOrder;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A Penstock whose model {@code mirror} is its own model {@code tiny}, by way of HTTP. */
@QuarkusTest
@TestProfile(MirrorTest.Profile.class)
class MirrorTest {
    @BeforeEach
    void ready() {
        await().atMost(Duration.ofMinutes(2))
                .until(() -> given().get("/health/ready").statusCode() == 200);
    }

    private static Response post(String endpoint, String model, String fields) {
        return given().contentType(ContentType.JSON)
                .body("{\"model\": \"" + model + "\", \"temperature\": 0, \"max_tokens\": 20, " + fields + "}")
                .post("/v1/" + endpoint);
    }

    /** Without what differs from one reply to the next. */
    private static String plain(Response response) {
        assertThat(response.statusCode()).isEqualTo(200);
        return response.asString()
                .replaceAll("\"(id|created)\":[^,]*,", "")
                .replaceAll("\"model\":\"(mirror|tiny)\"", "")
                .replaceAll("\"cached_tokens\":[0-9]+", "");
    }

    /** The text of all chunks. */
    private static String text(String stream) {
        return stream.replaceAll("(?s).*?\"(?:text|content)\":\"((?:[^\"\\\\]|\\\\.)*)\"|.+", "$1");
    }

    @Test
    void bothGiveTheSameReplies() {
        String prompt = "\"prompt\": \"Once upon a time\"";
        String messages = "\"messages\": [{\"role\": \"user\", \"content\": \"Tell me a story.\"}]";

        assertThat(plain(post("completions", "mirror", prompt))).isEqualTo(plain(post("completions", "tiny", prompt)));
        assertThat(plain(post("chat/completions", "mirror", messages)))
                .isEqualTo(plain(post("chat/completions", "tiny", messages)));
        for (String more : new String[] {"", ", \"stream_options\": {\"include_usage\": true}"}) {
            String streamed = messages + ", \"stream\": true" + more;
            String mirror = plain(post("chat/completions", "mirror", streamed));
            // The pieces may be cut otherwise.
            assertThat(text(mirror)).isNotBlank().isEqualTo(text(plain(post("chat/completions", "tiny", streamed))));
            assertThat(mirror).endsWith("data: [DONE]\n\n");
            assertThat(mirror.contains("prompt_tokens")).isEqualTo(!more.isEmpty());
        }
    }

    @Test
    void whatTheModelRefusesTheMirrorRefuses() {
        String topP = "\"prompt\": \"a\", \"top_p\": 7";

        Response mirror = post("completions", "mirror", topP);

        assertThat(mirror.statusCode()).isEqualTo(400);
        assertThat(mirror.asString())
                .isEqualTo(post("completions", "tiny", topP).asString());
    }

    @Test
    void bothAreListed() {
        given().get("/v1/models").then().body("data.id", containsInAnyOrder("mirror", "tiny"));
    }

    public static final class Profile implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            String port = freePort();
            return Map.of(
                    "quarkus.http.test-port", port,
                    "penstock.models.tiny.source",
                            Path.of("src/main/resources/penstock-tiny")
                                    .toAbsolutePath()
                                    .toString(),
                    "penstock.models.tiny.backends[0].precision", "fp32",
                    "penstock.models.mirror.backends[0].kind", "upstream",
                    "penstock.models.mirror.backends[0].url", "http://127.0.0.1:" + port + "/v1",
                    "penstock.models.mirror.backends[0].model", "tiny",
                    "penstock.models.mirror.backends[0].price.per-hour", "0.5");
        }

        private static String freePort() {
            try (ServerSocket socket = new ServerSocket(0)) {
                return Integer.toString(socket.getLocalPort());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
