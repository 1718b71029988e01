package dev.penstock.api;

import dev.penstock.backend.TokenBackend;
import dev.penstock.backend.upstream.FakeServer;
import dev.penstock.backend.upstream.Upstream;
import dev.penstock.backend.upstream.UpstreamLimits;
import dev.penstock.backend.upstream.UpstreamSettings;
import dev.penstock.model.Budget;
import dev.penstock.ops.ModelLoader;
import dev.penstock.ops.ModelRegistry;
import dev.penstock.ops.PenstockConfig;
import dev.penstock.prompt.CatalogModel;
import dev.penstock.prompt.RemoteModel;
import dev.penstock.prompt.SamplingDefaults;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.dialogue.DialogueFormat;
import dev.penstock.prompt.dialogue.ToolStyle;
import dev.penstock.routing.Member;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The model {@code routed}, with the backends that a test gives it. */
@Alternative
@Singleton
public class RoutedModels implements ModelLoader {
    static final String MODEL = "routed";

    /** What upstreams call it. */
    static final String THEIRS = "theirs";

    private final Vertx vertx;
    private volatile @Nullable ModelRegistry registry;

    RoutedModels(Vertx vertx) {
        this.vertx = vertx;
    }

    /** Serves the model with these backends and no others; its text is here if one of them takes tokens. */
    void serve(Member... members) {
        boolean here = Arrays.stream(members).anyMatch(m -> m.backend() instanceof TokenBackend);
        CatalogModel model = here ? text() : new RemoteModel(MODEL, Instant.EPOCH, OptionalInt.empty());
        Objects.requireNonNull(registry).serve(model, Budget.NONE, List.of(members));
    }

    private static ServedModel text() {
        return new ServedModel(
                MODEL,
                Instant.EPOCH,
                "fp_routed",
                new ByteTokenizer(),
                new Constraints(new ByteTokenizer()),
                new DialogueFormat(ToolStyle.NONE, null, Set.of()),
                variables -> "<s>Hi",
                "<s>",
                "</s>",
                Set.of(ByteTokenizer.END),
                SamplingDefaults.NEUTRAL,
                4096);
    }

    /** A server elsewhere. */
    FakeServer server() throws Exception {
        return new FakeServer(vertx, new HttpServerOptions());
    }

    /** The way to a server elsewhere, which calls the model {@code theirs}; takes nothing for failed too soon. */
    Upstream upstream(String name, URI url, UpstreamLimits limits) {
        return new Upstream(
                vertx,
                new UpstreamSettings(
                        name, MODEL, url, THEIRS, Optional.of("secret"), Routed.CHEAP, limits, Duration.ofHours(1)));
    }

    @Override
    public void load(ModelRegistry models) {
        registry = models;
    }

    @Override
    public void reload(PenstockConfig wanted, ModelRegistry models) {}

    @Override
    public List<String> descriptions() {
        return List.of(MODEL);
    }

    @Override
    public void close() {}
}
