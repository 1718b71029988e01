package dev.penstock.ops;

import dev.penstock.backend.upstream.UpstreamSettings;
import dev.penstock.hardware.Processor;
import dev.penstock.model.Budget;
import dev.penstock.model.Device;
import dev.penstock.model.Money;
import dev.penstock.model.Price;
import dev.penstock.weights.EncoderFolder;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelStore;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/**
 * A model as it was configured, checked and with its defaults.
 *
 * @param name what callers name in {@code model}
 * @param context most tokens of prompt and completion together, if that was configured
 * @param budget of requests that bring none
 * @param replicas in this process
 * @param upstreams elsewhere
 * @param encoder in this process, in place of replicas
 */
record ConfiguredModel(
        String name,
        OptionalInt context,
        Budget budget,
        List<Configured<ModelSettings>> replicas,
        List<Configured<UpstreamSettings>> upstreams,
        Optional<EncoderSettings> encoder) {
    static final Price FREE = new Price.PerHour(Money.ZERO);

    /**
     * All models of a configuration in the order of their names; the embedded one if it names none.
     *
     * @param environment where keys are
     * @throws StartException all that is wrong with it
     */
    static List<ConfiguredModel> of(PenstockConfig config, Map<String, String> environment) {
        if (config.models().isEmpty()) {
            ModelSettings embedded = ModelSettings.embedded(ModelStore.ofUser());
            return List.of(new ConfiguredModel(
                    embedded.name(),
                    OptionalInt.empty(),
                    Budget.NONE,
                    List.of(new Configured<>(embedded, FREE, false)),
                    List.of(),
                    Optional.empty()));
        }
        Problems problems = new Problems();
        int threads = threadsOfOne(config);
        List<ConfiguredModel> all = new ArrayList<>();
        new TreeMap<>(config.models())
                .forEach((name, model) -> all.add(of(name, model, threads, environment, problems)));
        problems.throwIfAny();
        return all;
    }

    private static ConfiguredModel of(
            String name, PenstockConfig.Model model, int threads, Map<String, String> environment, Problems problems) {
        String what = "The model " + name;
        List<Configured<ModelSettings>> replicas = new ArrayList<>();
        List<Configured<UpstreamSettings>> upstreams = new ArrayList<>();
        Optional<Optional<EncoderFolder>> encoder = model.source()
                .map(source -> problems.attempt(() -> EncoderSettings.find(what, source, model.task())))
                .orElse(Optional.of(Optional.empty()));
        if (encoder.isEmpty() || encoder.get().isPresent()) {
            return new ConfiguredModel(
                    name,
                    model.context(),
                    Budget.NONE,
                    List.of(),
                    List.of(),
                    encoder.flatMap(found -> found)
                            .flatMap(f -> problems.attempt(() -> EncoderSettings.of(name, what, f, model, threads))));
        }
        problems.require(
                model.pooling().isEmpty()
                        && (model.source().isPresent() || model.task().isEmpty()),
                what + " has a task or a pooling, which are for encoders of this process.");
        Optional<ModelFolder> folder = model.source().flatMap(source -> problems.attempt(() -> open(what, source)));
        problems.require(
                model.context().orElse(1) > 0,
                what + " has context " + model.context().orElse(0) + "; it must be at least 1.");
        if (model.backends().isEmpty()) {
            problems.require(model.source().isPresent(), what + " has neither a source nor backends.");
            folder.flatMap(f -> problems.attempt(() -> ModelSettings.plain(name, what, f, threads, model.context())))
                    .ifPresent(s -> replicas.add(new Configured<>(s, FREE, false)));
        }
        boolean alone = model.backends().size() == 1;
        Set<String> names = new HashSet<>();
        for (int i = 0; i < model.backends().size(); i++) {
            PenstockConfig.Backend backend = model.backends().get(i);
            String which = alone ? what : what + ", backend " + (i + 1) + ",";
            switch (backend.kind()) {
                case "replica" -> {
                    problems.require(model.source().isPresent(), which + " needs a source, as it is a replica.");
                    // With nothing to compare it with it needs no price.
                    Optional<Price> price = alone && Prices.isAbsent(backend.price())
                            ? Optional.of(FREE)
                            : Prices.required(which, backend.price(), problems);
                    ModelSettings.of(name, which, folder, backend, threads, model.context(), problems)
                            .map(s -> s.withBackend(unique(backend.name().orElse(s.backend()), names)))
                            .ifPresent(
                                    s -> price.ifPresent(p -> replicas.add(new Configured<>(s, p, backend.spill()))));
                }
                case "upstream" ->
                    Upstreams.settings(name, which, backend, environment, problems)
                            .map(s -> s.withName(unique(backend.name().orElse(s.name()), names)))
                            .ifPresent(s -> upstreams.add(new Configured<>(s, s.price(), backend.spill())));
                default ->
                    problems.add(which + " has the kind '" + backend.kind() + "', but there are replica and upstream.");
            }
        }
        return new ConfiguredModel(
                name,
                model.context(),
                budget(what, model.budget(), problems),
                List.copyOf(replicas),
                List.copyOf(upstreams),
                Optional.empty());
    }

    private static String unique(String name, Set<String> names) {
        String unique = name;
        for (int i = 2; !names.add(unique); i++) {
            unique = name + "#" + i;
        }
        return unique;
    }

    private static ModelFolder open(String what, String source) {
        try {
            return ModelFolder.open(Path.of(source));
        } catch (ModelFolderException | InvalidPathException e) {
            throw new StartException(what + " can't be loaded: " + e.getMessage(), e);
        }
    }

    private static Budget budget(String what, PenstockConfig.Budget budget, Problems problems) {
        return problems.attempt(() -> {
                    try {
                        return Budget.ofLatency(
                                budget.ttft().orElse(null),
                                budget.tpot().orElse(null),
                                budget.endToEnd().orElse(null));
                    } catch (IllegalArgumentException e) {
                        throw new StartException(what + ": " + e.getMessage(), e);
                    }
                })
                .orElse(Budget.NONE);
    }

    /** What each replica on the CPU gets that has no threads of its own: an equal part of what the others leave. */
    private static int threadsOfOne(PenstockConfig config) {
        int sharing = 0;
        int taken = 0;
        for (PenstockConfig.Model model : config.models().values()) {
            sharing += model.backends().isEmpty() ? 1 : 0;
            for (PenstockConfig.Backend backend : model.backends()) {
                if (backend.kind().equals("replica") && backend.device().equalsIgnoreCase(Device.CPU.label())) {
                    taken += backend.threads().orElse(0);
                    sharing += backend.threads().isEmpty() ? 1 : 0;
                }
            }
        }
        return share(Processor.defaultThreads(), taken, sharing);
    }

    /** An equal part of these threads after what is taken, at least one. */
    static int share(int threads, int taken, int sharing) {
        return Math.max(1, (threads - taken) / Math.max(1, sharing));
    }
}
