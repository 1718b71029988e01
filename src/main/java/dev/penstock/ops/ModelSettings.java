package dev.penstock.ops;

import dev.penstock.hardware.Processor;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.EmbeddedModel;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.ModelStoreException;
import dev.penstock.weights.Rounding;
import io.quarkus.runtime.configuration.MemorySize;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A replica as it was configured, checked and with its defaults.
 *
 * @param name what callers name in {@code model}
 * @param backend a name of its own, for logs, metrics and reply headers
 * @param folder the model
 * @param device what it runs on
 * @param precision of its weights
 * @param rounding how its 4-bit codes are found
 * @param kvType of its KV cache
 * @param threads of its steps
 * @param context most tokens of prompt and completion together, where less than the model's own is wanted
 * @param kvCacheBytes memory for its KV cache, where it is set
 */
record ModelSettings(
        String name,
        String backend,
        ModelFolder folder,
        Device device,
        Precision precision,
        Rounding rounding,
        KvType kvType,
        int threads,
        OptionalInt context,
        OptionalLong kvCacheBytes) {

    /** Name of the embedded model, and of its folder on the class path. */
    static final String EMBEDDED = "penstock-tiny";

    /** The model that this program carries, so that it answers without a download. Throws StartException. */
    static ModelSettings embedded(ModelStore store) {
        ModelFolder folder;
        try {
            folder = EmbeddedModel.unpack(store, "/" + EMBEDDED + "/", ModelSettings.class);
        } catch (ModelStoreException e) {
            throw new StartException(
                    "The embedded model can't be unpacked: " + e.getMessage()
                            + ". Set PENSTOCK_HOME to a folder that can be written to.",
                    e);
        }
        return new ModelSettings(
                EMBEDDED,
                backend(EMBEDDED, Precision.FP32),
                folder,
                Device.CPU,
                Precision.FP32,
                Rounding.SEARCH,
                KvType.FP32,
                Processor.defaultThreads(),
                OptionalInt.empty(),
                OptionalLong.empty());
    }

    /** A replica on the CPU of which nothing is configured but its model. Throws StartException. */
    static ModelSettings plain(String name, String what, ModelFolder folder, int threads, OptionalInt context) {
        Precision precision = precision(what, folder, Optional.empty(), Device.CPU);
        return new ModelSettings(
                name,
                backend(name, precision),
                folder,
                Device.CPU,
                precision,
                Rounding.SEARCH,
                kvType(precision),
                threads,
                context,
                OptionalLong.empty());
    }

    /**
     * A replica as configured; where it is not there, what is wrong has gone to the problems.
     *
     * @param what what is configured, for messages
     * @param folder the model, if it could be opened
     * @param threads on the CPU, where none are configured
     */
    static Optional<ModelSettings> of(
            String name,
            String what,
            Optional<ModelFolder> folder,
            PenstockConfig.Backend backend,
            int threads,
            OptionalInt context,
            Problems problems) {
        Optional<Device> device = problems.attempt(() -> device(what, backend));
        Optional<Optional<Precision>> asked = problems.attempt(() -> asked(what, backend));
        Optional<Precision> precision = folder.flatMap(f ->
                device.flatMap(d -> asked.flatMap(a -> problems.attempt(() -> precision(what, f, a, d)))));
        Optional<Rounding> rounding = problems.attempt(() -> rounding(what, backend));
        Optional<Optional<KvType>> askedKv = problems.attempt(() -> askedKv(what, backend));
        Optional<KvType> kvType = precision.flatMap(p ->
                askedKv.flatMap(a -> problems.attempt(() -> kvType(what, a, device.orElseThrow(), p))));
        problems.require(
                backend.threads().orElse(1) > 0,
                what + " has threads " + backend.threads().orElse(0) + "; it must be at least 1.");
        if (folder.isEmpty() || kvType.isEmpty() || rounding.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new ModelSettings(
                name,
                backend(name, precision.orElseThrow()),
                folder.get(),
                device.orElseThrow(),
                precision.orElseThrow(),
                rounding.get(),
                kvType.get(),
                // The host has little to do for a GPU.
                backend.threads().orElse(device.get().equals(Device.CPU) ? threads : 1),
                context,
                backend.kvCache()
                        .map(MemorySize::asLongValue)
                        .map(OptionalLong::of)
                        .orElseGet(OptionalLong::empty)));
    }

    /** Equal for settings that lead to the same replica. */
    Object identity() {
        return List.of(
                name, backend, folder.path(), device, precision, rounding, kvType, threads, context, kvCacheBytes);
    }

    /** The same under another name of its own. */
    ModelSettings withBackend(String other) {
        return new ModelSettings(
                name, other, folder, device, precision, rounding, kvType, threads, context, kvCacheBytes);
    }

    private static String backend(String name, Precision precision) {
        return name + "/" + precision.label();
    }

    private static Device device(String what, PenstockConfig.Backend backend) {
        return Device.ofLabel(backend.device())
                .orElseThrow(() -> new StartException(
                        what + " has the device '" + backend.device() + "', but there are " + Device.labels() + "."));
    }

    private static Rounding rounding(String what, PenstockConfig.Backend backend) {
        return Rounding.ofLabel(backend.rounding())
                .orElseThrow(() -> new StartException(
                        what + " has the rounding '" + backend.rounding() + "', but there are nearest and search."));
    }

    private static Optional<Precision> asked(String what, PenstockConfig.Backend backend) {
        return backend.precision()
                .map(label -> Precision.ofLabel(label)
                        .orElseThrow(() -> new StartException(what + " has the precision '" + label
                                + "', but there are " + Precision.labels() + ".")));
    }

    /** What the folder can be had at; throws StartException. */
    private static Precision precision(String what, ModelFolder folder, Optional<Precision> asked, Device device) {
        try {
            return folder.precision(asked, device);
        } catch (ModelFolderException | IllegalArgumentException e) {
            throw new StartException(what + " can't be loaded: " + e.getMessage(), e);
        }
    }

    private static KvType kvType(String what, Optional<KvType> asked, Device device, Precision precision) {
        KvType kvType = asked.orElseGet(() -> kvType(precision));
        if (!device.equals(Device.CPU) && kvType != KvType.FP16) {
            throw new StartException(
                    what + " has the kv " + kvType.label() + ", but on " + device.label() + " there is fp16 only.");
        }
        return kvType;
    }

    private static Optional<KvType> askedKv(String what, PenstockConfig.Backend backend) {
        return backend.kv()
                .map(label -> KvType.ofLabel(label)
                        .orElseThrow(() -> new StartException(
                                what + " has the kv '" + label + "', but there are " + KvType.labels() + ".")));
    }

    /** Who asks for full precision wants it in the cache too. */
    static KvType kvType(Precision precision) {
        return precision == Precision.FP32 ? KvType.FP32 : KvType.FP16;
    }
}
