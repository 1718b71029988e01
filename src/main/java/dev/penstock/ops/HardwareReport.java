package dev.penstock.ops;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import dev.penstock.hardware.Gpu;
import dev.penstock.hardware.Machine;
import dev.penstock.hardware.MachineMemory;
import dev.penstock.hardware.MachineSpeeds;
import dev.penstock.hardware.NumaNode;
import dev.penstock.hardware.Processor;
import dev.penstock.hardware.SpeedStore;
import dev.penstock.onnx.gemm.Int8Peak;
import dev.penstock.weights.ModelStore;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What this machine has and was measured to do; its JSON is this record, in which what is unknown is left out.
 *
 * @param processor as far as this process may use it
 * @param computeThreads threads that the replicas of this machine share by default
 * @param memory as far as this process may use it
 * @param numaNodes parts with memory of their own
 * @param gpus those of NVIDIA
 * @param speeds as measured with {@code computeThreads} threads, if that was done
 */
record HardwareReport(
        Processor processor,
        int computeThreads,
        MachineMemory memory,
        List<NumaNode> numaNodes,
        List<Gpu> gpus,
        Optional<MachineSpeeds> speeds) {
    private static final double GIB = 1 << 30;
    private static final double GIGA = 1e9;

    /** Of this machine, with speeds only where its user had it measured before. */
    static HardwareReport here() {
        return of(Speeds.KEPT);
    }

    /** Of this machine; measures it, which keeps all cores busy for seconds, where that was not done before. */
    static HardwareReport complete() {
        return of(Speeds.KEPT_OR_MEASURED);
    }

    /** Of this machine, measured now. */
    static HardwareReport measured() {
        return of(Speeds.MEASURED);
    }

    private enum Speeds {
        KEPT,
        KEPT_OR_MEASURED,
        MEASURED
    }

    private static HardwareReport of(Speeds wanted) {
        Machine machine = Machine.here();
        SpeedStore store = new SpeedStore(ModelStore.ofUser().root().resolve("hardware"));
        int threads = Processor.defaultThreads();
        Optional<MachineSpeeds> speeds =
                wanted == Speeds.MEASURED ? Optional.empty() : store.find(machine.fingerprint());
        if (speeds.isEmpty() && wanted != Speeds.KEPT) {
            speeds = Optional.of(MachineSpeeds.measure(threads, Int8Peak::measure));
            store.keep(machine.fingerprint(), speeds.get());
        }
        return new HardwareReport(
                machine.processor(), threads, machine.memory(), machine.numaNodes(), machine.gpus(), speeds);
    }

    /** For programs. */
    String json() {
        try {
            return new ObjectMapper()
                            .registerModule(new Jdk8Module())
                            .setDefaultPropertyInclusion(JsonInclude.Include.NON_ABSENT)
                            .enable(SerializationFeature.INDENT_OUTPUT)
                            .writeValueAsString(this)
                    + "\n";
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** For people. */
    String table() {
        StringBuilder text = new StringBuilder();
        line(text, "processor", processor.name().orElse("unknown"));
        line(
                text,
                "cores",
                "%s, %d hardware threads%s; %d threads for models"
                        .formatted(
                                processor.cores().isPresent()
                                        ? String.valueOf(processor.cores().getAsInt())
                                        : "unknown",
                                processor.threads(),
                                processor.quota().isPresent()
                                        ? String.format(
                                                Locale.ROOT,
                                                ", a quota of %.2f",
                                                processor.quota().getAsDouble())
                                        : "",
                                computeThreads));
        line(
                text,
                "vectors",
                processor.vectorFeatures().isEmpty() ? "unknown" : String.join(" ", processor.vectorFeatures()));
        line(
                text,
                "memory",
                "%.1f GiB, %.1f available%s",
                memory.totalBytes() / GIB,
                memory.availableBytes() / GIB,
                memory.limitBytes().isPresent() ? ", by a limit of this container" : "");
        for (NumaNode node : numaNodes) {
            line(text, "node " + node.index(), "%d threads, %.1f GiB", node.threads(), node.totalBytes() / GIB);
        }
        speeds.ifPresent(s -> speeds(text, s));
        if (gpus.isEmpty()) {
            line(text, "GPUs", "none");
        }
        for (Gpu gpu : gpus) {
            line(
                    text,
                    "cuda:" + gpu.index(),
                    "%s, %.1f GiB, %.1f free%s%s",
                    gpu.name(),
                    gpu.totalBytes() / GIB,
                    gpu.freeBytes() / GIB,
                    gpu.computeCapability().isEmpty() ? "" : ", compute capability " + gpu.computeCapability(),
                    gpu.mig() ? ", cut into instances" : "");
        }
        return text.toString();
    }

    private static void speeds(StringBuilder text, MachineSpeeds speeds) {
        line(text, "reads", "%.1f GB/s", speeds.readBytesPerSecond() / GIGA);
        line(text, "computes", "%.0f GFLOP/s in fp32", speeds.fp32OperationsPerSecond() / GIGA);
        speeds.int8OperationsPerSecond().ifPresent(s -> line(text, "", "%.0f GOP/s in int8", s / GIGA));
    }

    private static void line(StringBuilder text, String name, String value, Object... arguments) {
        text.append(String.format("%-10s ", name))
                .append(arguments.length == 0 ? value : String.format(Locale.ROOT, value, arguments))
                .append('\n');
    }
}
