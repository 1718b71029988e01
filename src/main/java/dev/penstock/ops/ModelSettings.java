package dev.penstock.ops;

import dev.penstock.hardware.Processor;
import dev.penstock.model.Device;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.BuildOptions;
import dev.penstock.weights.EmbeddedModel;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.ModelFolderException;
import dev.penstock.weights.ModelStore;
import dev.penstock.weights.ModelStoreException;
import dev.penstock.weights.Rounding;
import io.quarkus.runtime.configuration.MemorySize;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * How one model is served: its configuration, checked and with its defaults.
 *
 * @param name what callers name in {@code model}
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

    /** All models of a configuration; the embedded one if it names none. Throws StartException. */
    static List<ModelSettings> of(PenstockConfig config) {
        if (config.models().isEmpty()) {
            return List.of(embedded(ModelStore.ofUser()));
        }
        Set<String> names = new HashSet<>();
        List<ModelSettings> all = new ArrayList<>();
        for (PenstockConfig.Model model : config.models()) {
            if (!names.add(model.name())) {
                throw new StartException("Two models are called " + model.name() + "; each needs a name of its own.");
            }
            all.add(of(model));
        }
        return all;
    }

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
                folder,
                Device.CPU,
                Precision.FP32,
                Rounding.SEARCH,
                KvType.FP32,
                Processor.defaultThreads(),
                OptionalInt.empty(),
                OptionalLong.empty());
    }

    private static ModelSettings of(PenstockConfig.Model model) {
        Device device = Device.ofLabel(model.device())
                .orElseThrow(() -> new StartException("The model " + model.name() + " has the device '" + model.device()
                        + "', but there are " + Device.labels() + "."));
        Precision precision = precision(model, device);
        Rounding rounding = Rounding.ofLabel(model.rounding())
                .orElseThrow(() -> new StartException("The model " + model.name() + " has the rounding '"
                        + model.rounding() + "', but there are nearest and search."));
        return new ModelSettings(
                model.name(),
                open(model.name(), model.folder()),
                device,
                precision,
                rounding,
                kvType(model, device, precision),
                positive(model.name(), "threads", model.threads()).orElseGet(() -> defaultThreads(device)),
                positive(model.name(), "context", model.context()),
                model.kvCache()
                        .map(MemorySize::asLongValue)
                        .map(OptionalLong::of)
                        .orElseGet(OptionalLong::empty));
    }

    private static Precision precision(PenstockConfig.Model model, Device device) {
        Precision precision = model.precision()
                .map(label -> Precision.ofLabel(label)
                        .orElseThrow(() -> new StartException("The model " + model.name() + " has the precision '"
                                + label + "', but there are " + Precision.labels() + ".")))
                .orElseGet(device::defaultPrecision);
        try {
            BuildOptions.on(device).layoutOf(precision);
            return precision;
        } catch (IllegalArgumentException e) {
            throw new StartException(
                    "The model %s has the precision %s on %s: %s."
                            .formatted(model.name(), precision.label(), device.label(), e.getMessage()),
                    e);
        }
    }

    /** The host has little to do for a GPU. */
    private static int defaultThreads(Device device) {
        return device.equals(Device.CPU) ? Processor.defaultThreads() : 1;
    }

    private static KvType kvType(PenstockConfig.Model model, Device device, Precision precision) {
        KvType kvType = kvType(model, precision);
        if (!device.equals(Device.CPU) && kvType != KvType.FP16) {
            throw new StartException("The model " + model.name() + " has the kv " + kvType.label() + ", but on "
                    + device.label() + " there is fp16 only.");
        }
        return kvType;
    }

    private static KvType kvType(PenstockConfig.Model model, Precision precision) {
        if (model.kv().isEmpty()) {
            // Who asks for full precision wants it in the cache too.
            return precision == Precision.FP32 ? KvType.FP32 : KvType.FP16;
        }
        String label = model.kv().get();
        return KvType.ofLabel(label)
                .orElseThrow(() -> new StartException("The model " + model.name() + " has the kv '" + label
                        + "', but there are " + KvType.labels() + "."));
    }

    private static ModelFolder open(String name, String folder) {
        try {
            return ModelFolder.open(Path.of(folder));
        } catch (ModelFolderException | InvalidPathException e) {
            throw new StartException("The model " + name + " can't be loaded: " + e.getMessage(), e);
        }
    }

    private static OptionalInt positive(String name, String key, OptionalInt value) {
        if (value.orElse(1) < 1) {
            throw new StartException(
                    "The model " + name + " has " + key + " " + value.getAsInt() + "; it must be at least 1.");
        }
        return value;
    }
}
