package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.penstock.model.FinishReason;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@QuarkusTest
@TestProfile(ScriptedProfile.class)
class DisconnectTest {
    private static final String MESSAGES = "\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]";
    private static final CountDownLatch NEVER = new CountDownLatch(1);

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

    private RawConnection post(boolean stream, int receiveBufferBytes) throws IOException {
        RawConnection connection = new RawConnection(url, "/v1/chat/completions", receiveBufferBytes);
        connection.post(Map.of(), "{\"model\": \"scripted\", \"stream\": " + stream + ", " + MESSAGES + "}");
        return connection;
    }

    private void freed() throws InterruptedException {
        await().until(() -> models.chat().cancelled() == 1 && models.chat().running() == 0);
        assertThat(gate.awaitIdle(java.time.Duration.ofSeconds(30))).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"true, false", "false, false", "true, true", "false, true"})
    void aClientThatGoesDuringPrefillFreesItsPlace(boolean stream, boolean reset) throws Exception {
        models.chat().play(Script.says().awaits(NEVER).ends(FinishReason.STOP));

        RawConnection socket = post(stream, 0);
        models.chat().request();
        if (reset) {
            socket.resetOnClose();
        }
        socket.close();

        freed();
    }

    @Test
    void aClientThatGoesWhileItWaitsForAPlainReplyFreesItsPlace() throws Exception {
        models.chat().play(Script.says("Once").awaits(NEVER).ends(FinishReason.STOP));

        RawConnection socket = post(false, 0);
        models.chat().request();
        socket.close();

        freed();
    }

    @Test
    void aClientThatGoesInAStreamFreesItsPlace() throws Exception {
        models.chat().play(Script.says("Once").awaits(NEVER).ends(FinishReason.STOP));

        RawConnection socket = post(true, 0);
        assertThat(socket.read(12)).isEqualTo("HTTP/1.1 200");
        socket.close();

        freed();
    }

    @Test
    void aReaderThatFallsTooFarBehindIsCutAndNobodyElseWaits() throws Exception {
        // Far more than the buffers on the way and the bound together.
        String[] pieces = new String[64];
        Arrays.fill(pieces, "x".repeat(1 << 20));
        CountDownLatch begun = new CountDownLatch(1);
        models.chat()
                .play(Script.says("Once")
                        .awaits(begun)
                        .then(pieces)
                        .awaits(NEVER)
                        .ends(FinishReason.STOP));

        try (RawConnection socket = post(true, 4096)) {
            socket.read(12);
            begun.countDown();

            freed();
            given().contentType(ContentType.JSON)
                    .body("{\"model\": \"scripted\", " + MESSAGES + "}")
                    .post("/v1/chat/completions")
                    .then()
                    .statusCode(200);
        }
    }
}
