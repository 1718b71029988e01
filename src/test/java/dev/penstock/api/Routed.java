package dev.penstock.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.penstock.backend.Backend;
import dev.penstock.backend.upstream.FakeServer;
import dev.penstock.backend.upstream.Upstream;
import dev.penstock.backend.upstream.UpstreamLimits;
import dev.penstock.model.Price;
import dev.penstock.routing.BackendSpec;
import dev.penstock.routing.Calibration;
import dev.penstock.routing.Member;
import dev.penstock.routing.Places;
import dev.penstock.routing.ReplicaLatency;
import dev.penstock.routing.Router;
import dev.penstock.routing.StepTimeModel;
import io.quarkus.test.common.http.TestHTTPResource;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * Backends to choose among, whose prices and predicted latencies a test decides and which answer at once in truth. After each
 * test every place that was taken must have been given back.
 */
abstract class Routed {
    /** A prompt token costs 0.1 dollars a million, one of a completion 0.4. */
    static final Price CHEAP = new Price.PerToken(100, 50, 400);

    static final Price DEAR = new Price.PerToken(1000, 500, 4000);
    static final String CHAT = "\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"max_tokens\": 20";
    static final CountDownLatch NEVER = new CountDownLatch(1);

    @Inject
    RoutedModels models;

    @Inject
    Router router;

    @Inject
    RequestGate gate;

    @TestHTTPResource
    URI url;

    final ScriptedBackend cheap = new ScriptedBackend("cheap", RoutedModels.MODEL);
    final ScriptedBackend dear = new ScriptedBackend("dear", RoutedModels.MODEL);
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeEach
    void isOpen() {
        await().until(() -> gate.state() == RequestGate.State.OPEN);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        assertThat(gate.awaitIdle(Duration.ofSeconds(30))).isTrue();
        await().untilAsserted(() ->
                assertThat(Places.taken(router, RoutedModels.MODEL)).isZero());
        for (AutoCloseable o : opened) {
            o.close();
        }
    }

    /** Two prompt tokens take seconds, and so does each step. */
    static Member slow(Backend backend, Price price) {
        return member(backend, price, 64, 0.5, 2);
    }

    /** A request takes a few milliseconds. */
    static Member fast(Backend backend, Price price) {
        return member(backend, price, 64, 1e-5, 1e-5);
    }

    /** One that holds so many sequences; these seconds for a step and for a token of a prompt. */
    static Member member(
            Backend backend, Price price, int maxSequences, double stepSeconds, double secondsPerPromptToken) {
        StepTimeModel steps = new StepTimeModel(256, stepSeconds, secondsPerPromptToken, 0, 0, 0, 0);
        return new Member(
                backend,
                new BackendSpec(backend.name(), maxSequences, 1 << 20, 256, 256, false),
                price,
                new Calibration(new ReplicaLatency(steps)),
                false,
                null);
    }

    /** A server that lives as long as the test. */
    FakeServer server() throws Exception {
        FakeServer server = models.server();
        opened.add(server);
        return server;
    }

    /** The way there, patient. */
    Upstream upstream(String name, URI to) {
        return upstream(name, to, UpstreamLimits.DEFAULTS);
    }

    /** The way there. */
    Upstream upstream(String name, URI to, UpstreamLimits limits) {
        Upstream upstream = models.upstream(name, to, limits);
        opened.add(upstream);
        return upstream;
    }

    static String body(String fields) {
        return "{\"model\": \"routed\", " + fields + "}";
    }

    static Response post(String path, String fields, Map<String, String> headers) {
        return given().contentType(ContentType.JSON)
                .headers(headers)
                .body(body(fields))
                .post(path);
    }

    static Response chat(String fields, Map<String, String> headers) {
        return post("/v1/chat/completions", CHAT + fields, headers);
    }

    static Response chat(String fields) {
        return chat(fields, Map.of());
    }

    /** A request on a connection of its own. */
    RawConnection send(String fields, Map<String, String> headers) throws IOException {
        return RawConnection.post(url, "/v1/chat/completions", headers, body(CHAT + fields));
    }
}
