package dev.penstock.ops;

import dev.penstock.model.Device;
import dev.penstock.model.EncoderTask;
import dev.penstock.model.Pooling;
import dev.penstock.model.Precision;
import dev.penstock.weights.EncoderFolder;
import dev.penstock.weights.ModelFolderException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * An encoder as it was configured, checked and with its defaults. It runs on the CPU.
 *
 * @param name what callers name in {@code model}
 * @param folder the model
 * @param pooling in place of what the folder says, if one is configured
 * @param precision of its weights
 * @param threads of its runs
 * @param contextLength most tokens of an input
 */
record EncoderSettings(
        String name,
        EncoderFolder folder,
        Optional<Pooling> pooling,
        Precision precision,
        int threads,
        int contextLength) {
    /** What {@code task} says of a model that generates text. */
    static final String GENERATE = "generate";

    /** What {@code task} may say, for messages. */
    static final String TASKS = "generate, embed and rerank";

    /**
     * The encoder in a folder, if there is one or one is asked for.
     *
     * @param what what is configured, for messages
     * @throws StartException it can't be used, or the task is none
     */
    static Optional<EncoderFolder> find(String what, String source, Optional<String> task) {
        Optional<EncoderTask> asked = task.flatMap(label -> task(what, label));
        if (task.isPresent() && asked.isEmpty()) {
            return Optional.empty();
        }
        try {
            return EncoderFolder.find(Path.of(source), asked);
        } catch (ModelFolderException | InvalidPathException e) {
            throw new StartException(what + " can't be loaded: " + e.getMessage(), e);
        }
    }

    /** The task of an encoder; empty where the model is to generate. */
    private static Optional<EncoderTask> task(String what, String label) {
        for (EncoderTask task : EncoderTask.values()) {
            if (task.label().equals(label)) {
                return Optional.of(task);
            }
        }
        if (label.equals(GENERATE)) {
            return Optional.empty();
        }
        throw new StartException(what + " has the task '" + label + "', but there are " + TASKS + ".");
    }

    /** As configured; throws StartException where that makes no sense. */
    static EncoderSettings of(String name, String what, EncoderFolder folder, PenstockConfig.Model model, int threads) {
        Optional<Pooling> pooling = model.pooling().map(label -> pooling(what, label));
        if (pooling.isPresent() && folder.task() == EncoderTask.RERANK) {
            throw new StartException(what + " has a pooling, but as a reranker it pools nothing.");
        }
        int context = model.context().orElse(folder.contextLength());
        if (context < 2 || context > folder.positions()) {
            throw new StartException(
                    what + " has context " + context + "; it must be from 2 to " + folder.positions() + ".");
        }
        List<PenstockConfig.Backend> backends = model.backends();
        if (backends.size() > 1
                || backends.stream()
                        .anyMatch(b -> !b.kind().equals("replica")
                                || !b.device().equalsIgnoreCase(Device.CPU.label())
                                || b.spill())) {
            throw new StartException(what + " is an encoder: it runs as one replica on the CPU, or elsewhere alone,"
                    + " with upstreams and without a source.");
        }
        Optional<PenstockConfig.Backend> backend = backends.stream().findFirst();
        return new EncoderSettings(
                name,
                folder,
                pooling,
                precision(what, folder, backend.flatMap(PenstockConfig.Backend::precision)),
                backend.flatMap(b -> b.threads().stream().boxed().findFirst()).orElse(threads),
                context);
    }

    private static Pooling pooling(String what, String label) {
        return Pooling.ofLabel(label)
                .orElseThrow(() -> new StartException(
                        what + " has the pooling '" + label + "', but there are " + Pooling.labels() + "."));
    }

    private static Precision precision(String what, EncoderFolder folder, Optional<String> label) {
        Optional<Precision> asked = label.map(l -> Precision.ofLabel(l)
                .orElseThrow(() -> new StartException(
                        what + " has the precision '" + l + "', but there are " + Precision.labels() + ".")));
        try {
            return folder.weights().precision(asked);
        } catch (ModelFolderException | IllegalArgumentException e) {
            throw new StartException(what + " can't be loaded: " + e.getMessage(), e);
        }
    }

    /** Equal for settings that lead to the same encoder. */
    Object identity() {
        return List.of(name, folder.path(), folder.task(), pooling, precision, threads, contextLength);
    }
}
