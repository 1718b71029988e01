package dev.penstock.ops;

import dev.penstock.hardware.Machine;
import dev.penstock.hardware.PropertyFile;
import dev.penstock.model.Device;
import dev.penstock.routing.StepTimeModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Properties;

/**
 * Keeps what steps of a variant were seen to take on this machine, a small file for each, so that the next process begins with
 * it. Any number of processes may share the folder.
 *
 * @param folder made when it is needed
 * @param fingerprint of this machine
 */
record StepTimes(Path folder, String fingerprint) {
    private static final String KEY = "coefficients";

    /** Of this machine. */
    static StepTimes of(Path home) {
        return new StepTimes(home.resolve("steps"), Machine.here().fingerprint());
    }

    /**
     * What is known of a variant's steps before any was run.
     *
     * @param variant its hash
     * @param weightBytes bytes that each step reads
     * @param kvBytes bytes of a token in the KV cache
     * @param settings threads, device and type of cache, which make a difference too
     */
    record Guess(String variant, long weightBytes, long kvBytes, ModelSettings settings) {
        private static final double CPU_BYTES_PER_SECOND = 1e10;
        private static final double GPU_BYTES_PER_SECOND = 1e12;

        /** Prompt tokens that take as long as reading the weights. */
        private static final double TOKENS_PER_READ = 16;

        /** By what each step has to read. */
        double[] coefficients() {
            double speed = settings.device().equals(Device.CPU) ? CPU_BYTES_PER_SECOND : GPU_BYTES_PER_SECOND;
            double read = 1e-4 + weightBytes / speed;
            double kv = kvBytes / speed;
            return new double[] {read, read / TOKENS_PER_READ, kv / TOKENS_PER_READ, read / TOKENS_PER_READ, kv, 0};
        }

        private String name() {
            return "%s-%s-%s-%d"
                    .formatted(
                            variant,
                            settings.device().label().replace(':', '-'),
                            settings.kvType().label(),
                            settings.threads());
        }
    }

    /** What was seen before; empty where nothing was, or it can't be read. */
    Optional<double[]> find(Guess of) {
        return PropertyFile.read(file(of)).flatMap(StepTimes::parse);
    }

    private static Optional<double[]> parse(Properties file) {
        try {
            double[] numbers = Arrays.stream(file.getProperty(KEY, "").split(" "))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
            boolean sound = numbers.length == StepTimeModel.COEFFICIENTS
                    && Arrays.stream(numbers).allMatch(n -> n >= 0 && n < Double.POSITIVE_INFINITY);
            return sound ? Optional.of(numbers) : Optional.empty();
        } catch (NumberFormatException damaged) {
            return Optional.empty();
        }
    }

    /** Replaces what was kept before. */
    void keep(Guess of, double[] coefficients) {
        Properties file = new Properties();
        file.setProperty(
                KEY,
                String.join(
                        " ",
                        Arrays.stream(coefficients).mapToObj(Double::toString).toList()));
        PropertyFile.write(file(of), file);
    }

    private Path file(Guess of) {
        return folder.resolve(fingerprint + "-" + of.name() + ".properties");
    }
}
