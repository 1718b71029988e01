package dev.penstock.backend.upstream;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Looks at an upstream from time to time: whether it lives, where no request of late has shown that, and at its metrics, where
 * it has those of vLLM.
 */
final class Probe {
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final int MAX_BYTES = 1 << 20;

    private final Vertx vertx;
    private final HttpClient client;
    private final UpstreamSettings settings;
    private final Circuit circuit;
    private final Consumer<LoadReport> reports;
    private final long timer;
    private volatile boolean heard;
    private volatile boolean metrics = true;

    Probe(Vertx vertx, HttpClient client, UpstreamSettings settings, Circuit circuit, Consumer<LoadReport> reports) {
        this.vertx = vertx;
        this.client = client;
        this.settings = settings;
        this.circuit = circuit;
        this.reports = reports;
        timer = vertx.setPeriodic(settings.probe().toMillis(), id -> look());
    }

    /** A request was answered, or failed: no need to ask. */
    void heard() {
        heard = true;
    }

    void look() {
        if (!heard || circuit.state() == Circuit.State.OPEN) {
            get(Upstream.options(settings, HttpMethod.GET, "/models"), (status, body) -> {
                // Any answer but a failure is one: not every server has this path.
                if (status > 0 && status < 500) {
                    circuit.alive();
                } else {
                    circuit.failed();
                }
            });
        }
        heard = false;
        if (metrics) {
            // Without our key: it is not part of the API.
            URI page = settings.url().resolve("/metrics");
            get(new RequestOptions().setMethod(HttpMethod.GET).setAbsoluteURI(page.toString()), this::metrics);
        }
    }

    private void metrics(int status, String page) {
        if (status == 200) {
            LoadReport.ofMetrics(page, settings.upstreamModel()).ifPresentOrElse(reports, () -> metrics = false);
        } else if (status > 0 && status < 500) {
            metrics = false;
        }
    }

    /** The status, 0 without an answer in time, and what comes with it, nothing where that is too much. */
    private void get(RequestOptions options, BiConsumer<Integer, String> then) {
        Answer answer = new Answer(then);
        long limit = vertx.setTimer(LIMIT.toMillis(), id -> answer.give(0, ""));
        answer.cleanUp = () -> vertx.cancelTimer(limit);
        client.request(options.setFollowRedirects(false)).onComplete(connected -> {
            if (connected.failed()) {
                answer.give(0, "");
                return;
            }
            HttpClientRequest request = connected.result();
            request.exceptionHandler(e -> answer.give(0, ""));
            answer.cleanUp = () -> {
                vertx.cancelTimer(limit);
                request.reset();
            };
            request.send().onComplete(answered -> {
                if (answered.failed()) {
                    answer.give(0, "");
                } else {
                    read(answered.result(), answer);
                }
            });
        });
    }

    private static void read(HttpClientResponse response, Answer answer) {
        Buffer all = Buffer.buffer();
        response.exceptionHandler(e -> answer.give(0, ""));
        response.handler(piece -> {
            if (all.length() + piece.length() > MAX_BYTES) {
                answer.give(response.statusCode(), "");
            } else {
                all.appendBuffer(piece);
            }
        });
        response.endHandler(nothing -> answer.give(response.statusCode(), all.toString(StandardCharsets.UTF_8)));
    }

    /** Given once. */
    private static final class Answer {
        private final BiConsumer<Integer, String> then;
        private Runnable cleanUp = () -> {};
        private boolean given;

        Answer(BiConsumer<Integer, String> then) {
            this.then = then;
        }

        void give(int status, String text) {
            if (!given) {
                given = true;
                cleanUp.run();
                then.accept(status, text);
            }
        }
    }

    void close() {
        vertx.cancelTimer(timer);
    }
}
