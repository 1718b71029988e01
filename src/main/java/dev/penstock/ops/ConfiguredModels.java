package dev.penstock.ops;

import dev.penstock.backend.Backend;
import dev.penstock.backend.upstream.Upstream;
import dev.penstock.backend.upstream.UpstreamSettings;
import dev.penstock.prompt.CatalogModel;
import dev.penstock.prompt.RemoteModel;
import dev.penstock.prompt.ServedModel;
import io.vertx.core.Vertx;
import jakarta.inject.Singleton;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jboss.logging.Logger;

/** Loads the replicas of the configured models, or else the embedded one, into this process, and finds their upstreams. */
@Singleton
class ConfiguredModels implements ModelLoader {
    private static final Logger LOG = Logger.getLogger(ConfiguredModels.class);

    private final PenstockConfig config;
    private final EngineMetrics metrics;
    private final Vertx vertx;
    private final List<AutoCloseable> kept = new ArrayList<>();
    private final List<String> descriptions = new ArrayList<>();
    private boolean closed;

    ConfiguredModels(PenstockConfig config, EngineMetrics metrics, Vertx vertx) {
        this.config = config;
        this.metrics = metrics;
        this.vertx = vertx;
    }

    @Override
    public void load(ModelRegistry registry) {
        List<ConfiguredModel> all = ConfiguredModel.of(config, System.getenv());
        int replicas = all.stream().mapToInt(m -> m.replicas().size()).sum();
        for (ConfiguredModel model : all) {
            List<Backend> backends = new ArrayList<>();
            List<ServedModel> served = new ArrayList<>();
            for (ModelSettings settings : model.replicas()) {
                LocalModel local = LocalModel.load(settings, config.engine(), replicas, metrics);
                if (!keep(local, local.description())) {
                    return;
                }
                metrics.watch(local.replica());
                served.add(local.served());
                backends.add(local.replica());
            }
            for (UpstreamSettings settings : model.upstreams()) {
                Upstream upstream = new Upstream(vertx, settings);
                if (!keep(upstream, model.name() + " (" + settings.url() + ")")) {
                    return;
                }
                metrics.watch(upstream);
                backends.add(upstream);
            }
            // What the smallest replica has room for every one has.
            CatalogModel named = served.stream()
                    .min(Comparator.comparingInt(ServedModel::contextLength))
                    .<CatalogModel>map(least -> least)
                    .orElseGet(() -> new RemoteModel(model.name(), Instant.now(), model.context()));
            registry.add(named, backends);
        }
    }

    @Override
    public List<String> descriptions() {
        synchronized (kept) {
            return List.copyOf(descriptions);
        }
    }

    @Override
    public void close() {
        List<AutoCloseable> all;
        synchronized (kept) {
            closed = true;
            all = List.copyOf(kept);
            kept.clear();
        }
        all.forEach(ConfiguredModels::close);
    }

    /** Keeps a backend to be freed by {@link #close()}; frees it at once if that was called while it was loaded. */
    private boolean keep(AutoCloseable backend, String description) {
        synchronized (kept) {
            if (!closed) {
                kept.add(backend);
                descriptions.add(description);
                LOG.debugf("Loaded %s", description);
                return true;
            }
        }
        close(backend);
        return false;
    }

    private static void close(AutoCloseable backend) {
        try {
            backend.close();
        } catch (Exception e) {
            LOG.warn("A backend could not be closed", e);
        }
    }
}
