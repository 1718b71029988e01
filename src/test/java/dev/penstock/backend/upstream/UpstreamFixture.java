package dev.penstock.backend.upstream;

import dev.penstock.model.Price;
import dev.penstock.model.WireRequest;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpServerOptions;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A server, and upstreams to it. */
abstract class UpstreamFixture {
    static final UpstreamLimits LIMITS = new UpstreamLimits(
            Duration.ofSeconds(5),
            Duration.ofSeconds(20),
            Duration.ofSeconds(20),
            Duration.ofSeconds(25),
            1024,
            100_000,
            200_000);
    static final Price PRICE = new Price.PerToken(200, 50, 400);

    Vertx vertx;
    FakeServer server;
    final AtomicLong clockNs = new AtomicLong();
    private final List<Upstream> upstreams = new ArrayList<>();
    private @Nullable Upstream upstream;

    @BeforeEach
    void start() throws Exception {
        vertx = Vertx.vertx();
        server = new FakeServer(vertx, serverOptions());
    }

    @AfterEach
    void stop() throws Exception {
        upstreams.forEach(Upstream::close);
        vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    HttpServerOptions serverOptions() {
        return new HttpServerOptions();
    }

    HttpClientOptions clientOptions() {
        return new HttpClientOptions();
    }

    Upstream upstream() {
        Upstream there = upstream == null ? upstream(server.url(), LIMITS, Duration.ofHours(1)) : upstream;
        upstream = there;
        return there;
    }

    Upstream upstream(URI url, UpstreamLimits limits, Duration probe) {
        Upstream made = new Upstream(
                vertx,
                new UpstreamSettings("fake", "ours", url, "theirs", Optional.of("secret"), PRICE, limits, probe),
                clientOptions(),
                clockNs::get);
        upstreams.add(made);
        return made;
    }

    Caller send(WireRequest request) {
        return Caller.send(vertx, upstream(), request);
    }
}
