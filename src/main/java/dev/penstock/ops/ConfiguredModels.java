package dev.penstock.ops;

import dev.penstock.backend.upstream.Upstream;
import dev.penstock.backend.upstream.UpstreamSettings;
import dev.penstock.engine.EngineObservers;
import dev.penstock.prompt.CatalogModel;
import dev.penstock.prompt.RemoteModel;
import dev.penstock.prompt.ServedModel;
import dev.penstock.routing.BackendSpec;
import dev.penstock.routing.Calibration;
import dev.penstock.routing.Member;
import dev.penstock.routing.ReplicaLatency;
import dev.penstock.routing.StepFeed;
import dev.penstock.routing.StepTimeModel;
import dev.penstock.weights.ModelStore;
import io.vertx.core.Vertx;
import jakarta.inject.Singleton;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * Loads the replicas of the configured models, or else the embedded one, into this process, and finds their upstreams; and
 * brings what is loaded into line with another configuration.
 */
@Singleton
class ConfiguredModels implements ModelLoader {
    private static final Logger LOG = Logger.getLogger(ConfiguredModels.class);

    private final PenstockConfig config;
    private final EngineMetrics metrics;
    private final EncoderMetrics encoderMetrics;
    private final Vertx vertx;
    private final StepTimes stepTimes = StepTimes.of(ModelStore.ofUser().root());

    // Guarded by itself.
    private final Map<Object, Loaded> loaded = new HashMap<>();
    /** What is served no more, until it has ended what it had. */
    private final Set<Loaded> leaving = new HashSet<>();

    private boolean closed;

    // Changed by one thread at a time.
    private Set<String> names = Set.of();

    ConfiguredModels(PenstockConfig config, EngineMetrics metrics, EncoderMetrics encoderMetrics, Vertx vertx) {
        this.config = config;
        this.metrics = metrics;
        this.encoderMetrics = encoderMetrics;
        this.vertx = vertx;
    }

    @Override
    public void load(ModelRegistry registry) {
        apply(config, registry);
    }

    /** Backends that stay as they are go on; those that are there no more end what they have and are freed then. */
    @Override
    public void reload(PenstockConfig wanted, ModelRegistry registry) {
        apply(wanted, registry);
    }

    private void apply(PenstockConfig wanted, ModelRegistry registry) {
        List<ConfiguredModel> models = ConfiguredModel.of(wanted, System.getenv());
        int replicas = models.stream().mapToInt(m -> m.replicas().size()).sum();
        Map<Object, Loaded> next = new HashMap<>();
        List<Loaded> fresh = new ArrayList<>();
        try {
            for (ConfiguredModel model : models) {
                for (Configured<ModelSettings> replica : model.replicas()) {
                    Object key = replica.settings().identity();
                    boolean alone = model.replicas().size() + model.upstreams().size() == 1;
                    next.put(key, kept(key, fresh, () -> replica(replica.settings(), replicas, !alone)));
                }
                for (Configured<UpstreamSettings> upstream : model.upstreams()) {
                    Object key = key(upstream);
                    next.put(key, kept(key, fresh, () -> upstream(upstream.settings())));
                }
                model.encoder()
                        .ifPresent(encoder ->
                                next.put(encoder.identity(), kept(encoder.identity(), fresh, () -> encoder(encoder))));
            }
        } catch (RuntimeException | Error e) {
            fresh.forEach(this::free);
            throw e;
        }
        List<Loaded> gone = new ArrayList<>();
        synchronized (loaded) {
            if (closed) {
                fresh.forEach(this::free);
                return;
            }
            loaded.forEach((key, old) -> {
                if (!next.containsKey(key)) {
                    gone.add(old);
                }
            });
            loaded.clear();
            loaded.putAll(next);
            leaving.addAll(gone);
        }
        Set<String> served = new HashSet<>();
        for (ConfiguredModel model : models) {
            serve(model, next, registry);
            served.add(model.name());
        }
        names.stream().filter(name -> !served.contains(name)).forEach(registry::withdraw);
        names = served;
        // One that comes may have the name, and so the meters, of one that goes.
        gone.forEach(this::forget);
        fresh.forEach(this::watch);
        gone.forEach(old -> Thread.ofPlatform().name("penstock-retire").daemon().start(() -> retire(old)));
    }

    private void watch(Loaded loadedNow) {
        switch (loadedNow) {
            case Loaded.OfRouter backend -> metrics.watch(backend.member().backend());
            case Loaded.OfEncoder(LocalEncoder encoder) ->
                encoderMetrics.watch(encoder.served().id(), encoder.loop());
        }
    }

    private void forget(Loaded old) {
        switch (old) {
            case Loaded.OfRouter backend -> metrics.forget(backend.member().backend());
            case Loaded.OfEncoder(LocalEncoder encoder) ->
                encoderMetrics.forget(encoder.served().id());
        }
    }

    private static Object key(Configured<UpstreamSettings> upstream) {
        return upstream.settings().withPrice(ConfiguredModel.FREE);
    }

    /** Loads a backend, unless it is there already. */
    private Loaded kept(Object key, List<Loaded> fresh, Supplier<Loaded> load) {
        synchronized (loaded) {
            Loaded old = loaded.get(key);
            if (old != null) {
                return old;
            }
        }
        Loaded backend = load.get();
        LOG.debugf("Loaded %s", backend.description());
        fresh.add(backend);
        return backend;
    }

    /** Loads a replica; where it has rivals, and nothing is kept of its steps, they are measured first. */
    private Loaded replica(ModelSettings settings, int replicas, boolean hasRivals) {
        StepFeed steps = new StepFeed();
        LocalModel local = LocalModel.load(
                settings, config.engine(), replicas, new EngineObservers(metrics.observer(settings.name()), steps));
        Optional<double[]> seen = stepTimes.find(local.guess());
        StepTimeModel times = new StepTimeModel(
                config.engine().maxStepTokens(),
                seen.orElseGet(() -> local.guess().coefficients()));
        if (seen.isEmpty() && hasRivals) {
            measure(local, steps, times);
        }
        BackendSpec spec = new BackendSpec(
                settings.backend(),
                config.engine().maxRunning(),
                local.kvTokens(),
                config.engine().maxStepTokens(),
                config.engine().maxPromptTokensBesideDecodes(),
                false);
        Member member = new Member(
                local.replica(),
                spec,
                ConfiguredModel.FREE,
                new Calibration(new ReplicaLatency(times)),
                config.engine().prefixCache(),
                steps);
        return new Loaded.OfRouter(member, local.served(), local.description(), local);
    }

    private void measure(LocalModel local, StepFeed steps, StepTimeModel times) {
        try {
            StepMeasuring.run(
                    local.replica(),
                    steps,
                    times,
                    local.served().tokenizer().vocabSize(),
                    local.served().contextLength());
            stepTimes.keep(local.guess(), times.coefficients());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Loaded upstream(UpstreamSettings settings) {
        Upstream upstream = new Upstream(vertx, settings);
        return new Loaded.OfRouter(Member.of(upstream), null, settings.model() + " (" + settings.url() + ")", upstream);
    }

    private Loaded encoder(EncoderSettings settings) {
        return new Loaded.OfEncoder(
                LocalEncoder.load(settings, config.engine(), encoderMetrics.observer(settings.name())));
    }

    private static void serve(ConfiguredModel model, Map<Object, Loaded> all, ModelRegistry registry) {
        if (model.encoder().isPresent()
                && all.get(model.encoder().get().identity()) instanceof Loaded.OfEncoder(LocalEncoder encoder)) {
            registry.serve(encoder.served());
            return;
        }
        List<Member> members = new ArrayList<>();
        List<ServedModel> texts = new ArrayList<>();
        for (Configured<ModelSettings> replica : model.replicas()) {
            Loaded.OfRouter backend = backend(all, replica.settings().identity());
            members.add(backend.member().with(replica.price(), replica.spill()));
            texts.add(Objects.requireNonNull(backend.served()));
        }
        for (Configured<UpstreamSettings> upstream : model.upstreams()) {
            Loaded.OfRouter backend = backend(all, key(upstream));
            members.add(backend.member().with(upstream.price(), upstream.spill()));
        }
        // What the smallest replica has room for every one has.
        CatalogModel named = texts.stream()
                .min(Comparator.comparingInt(ServedModel::contextLength))
                .<CatalogModel>map(least -> least)
                .orElseGet(() -> new RemoteModel(model.name(), Instant.now(), model.context()));
        registry.serve(named, model.budget(), members);
    }

    private static Loaded.OfRouter backend(Map<Object, Loaded> all, Object key) {
        return (Loaded.OfRouter) Objects.requireNonNull(all.get(key));
    }

    @Override
    public List<String> descriptions() {
        synchronized (loaded) {
            return loaded.values().stream().map(Loaded::description).sorted().toList();
        }
    }

    @Override
    public void close() {
        List<Loaded> all;
        synchronized (loaded) {
            closed = true;
            all = new ArrayList<>(loaded.values());
            all.addAll(leaving);
            loaded.clear();
            leaving.clear();
        }
        all.forEach(this::free);
    }

    private void retire(Loaded backend) {
        try {
            backend.resource().drain(config.drainTimeout());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        boolean mine;
        synchronized (loaded) {
            mine = leaving.remove(backend);
        }
        if (mine) {
            free(backend);
            LOG.infof("%s is served no more", backend.description());
        }
    }

    private void free(Loaded backend) {
        if (backend instanceof Loaded.OfRouter routed
                && routed.resource() instanceof LocalModel local
                && routed.member().calibration().model() instanceof ReplicaLatency latency) {
            stepTimes.keep(local.guess(), latency.steps().coefficients());
        }
        try {
            backend.resource().close();
        } catch (RuntimeException e) {
            LOG.warn("A backend could not be closed", e);
        }
    }
}
