package dev.penstock.hardware;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Properties;

/**
 * Keeps what was measured, a small file for each fingerprint of a machine. Any number of processes may share the folder; where
 * it can't be written to, or a file is damaged, machines are measured again.
 *
 * @param folder made when it is needed
 */
public record SpeedStore(Path folder) {
    private static final String THREADS = "threads";
    private static final String READ = "readBytesPerSecond";
    private static final String FP32 = "fp32OperationsPerSecond";
    private static final String INT8 = "int8OperationsPerSecond";

    /** What was measured of machines with this fingerprint; empty where it was not, or can't be read. */
    public Optional<MachineSpeeds> find(String fingerprint) {
        return PropertyFile.read(file(fingerprint)).flatMap(SpeedStore::parse);
    }

    private static Optional<MachineSpeeds> parse(Properties file) {
        try {
            String int8 = file.getProperty(INT8);
            return Optional.of(new MachineSpeeds(
                    Integer.parseInt(file.getProperty(THREADS, "")),
                    positive(file.getProperty(READ, "")),
                    positive(file.getProperty(FP32, "")),
                    int8 == null ? OptionalDouble.empty() : OptionalDouble.of(positive(int8))));
        } catch (IllegalArgumentException damaged) {
            return Optional.empty();
        }
    }

    private static double positive(String text) {
        double number = Double.parseDouble(text);
        if (!(number > 0 && number < Double.POSITIVE_INFINITY)) {
            throw new NumberFormatException(text);
        }
        return number;
    }

    /** Replaces what was measured before. */
    public void keep(String fingerprint, MachineSpeeds speeds) {
        Properties file = new Properties();
        file.setProperty(THREADS, Integer.toString(speeds.threads()));
        file.setProperty(READ, Double.toString(speeds.readBytesPerSecond()));
        file.setProperty(FP32, Double.toString(speeds.fp32OperationsPerSecond()));
        speeds.int8OperationsPerSecond().ifPresent(s -> file.setProperty(INT8, Double.toString(s)));
        PropertyFile.write(file(fingerprint), file);
    }

    private Path file(String fingerprint) {
        return folder.resolve(fingerprint + ".properties");
    }
}
