package dev.penstock.api;

import dev.penstock.backend.upstream.FakeServer;
import dev.penstock.backend.upstream.Upstream;
import dev.penstock.backend.upstream.UpstreamLimits;
import dev.penstock.backend.upstream.UpstreamSettings;
import dev.penstock.model.Budget;
import dev.penstock.model.Price;
import dev.penstock.ops.ModelLoader;
import dev.penstock.ops.ModelRegistry;
import dev.penstock.ops.PenstockConfig;
import dev.penstock.prompt.RemoteModel;
import dev.penstock.routing.Member;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The model {@code lab/remote}, which a fake server elsewhere calls {@code theirs}. */
@Alternative
@Singleton
public class ForwardedModels implements ModelLoader {
    static final String MODEL = "lab/remote";

    private final Vertx vertx;
    private final FakeServer server;
    private final Upstream upstream;

    ForwardedModels(Vertx vertx) throws Exception {
        this.vertx = vertx;
        server = new FakeServer(vertx, new HttpServerOptions());
        upstream = new Upstream(
                vertx,
                new UpstreamSettings(
                        "elsewhere",
                        MODEL,
                        server.url(),
                        "theirs",
                        Optional.of("secret"),
                        new Price.PerToken(1, 1, 1),
                        UpstreamLimits.DEFAULTS,
                        Duration.ofHours(1)));
    }

    /** The server elsewhere. */
    FakeServer server() {
        return server;
    }

    /** The way there. */
    Upstream upstream() {
        return upstream;
    }

    /** Does this in so long. */
    void after(long ms, Runnable action) {
        vertx.setTimer(ms, id -> action.run());
    }

    @Override
    public void load(ModelRegistry registry) {
        registry.serve(
                new RemoteModel(MODEL, Instant.EPOCH, OptionalInt.empty()), Budget.NONE, List.of(Member.of(upstream)));
    }

    @Override
    public void reload(PenstockConfig wanted, ModelRegistry registry) {}

    @Override
    public List<String> descriptions() {
        return List.of(MODEL);
    }

    @Override
    public void close() {
        upstream.close();
    }
}
