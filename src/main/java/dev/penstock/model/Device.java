package dev.penstock.model;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a variant runs on. */
public sealed interface Device {
    /** The processor. */
    Device CPU = new Cpu();

    /** The name used in configuration, on the command line and in reports: {@code cpu} or {@code cuda:N}. */
    String label();

    /** What weights can be stored as for it, the most exact first. */
    List<Precision> precisions();

    /** What weights are stored as where nothing else is asked for. */
    Precision defaultPrecision();

    /** The processor of this machine. */
    record Cpu() implements Device {
        @Override
        public String label() {
            return "cpu";
        }

        @Override
        public List<Precision> precisions() {
            return List.of(Precision.FP32, Precision.INT8, Precision.MIXED, Precision.INT4);
        }

        @Override
        public Precision defaultPrecision() {
            return Precision.INT4;
        }
    }

    /**
     * A GPU of NVIDIA.
     *
     * @param index its number, as CUDA counts
     */
    record Cuda(int index) implements Device {
        @Override
        public String label() {
            return "cuda:" + index;
        }

        @Override
        public List<Precision> precisions() {
            return List.of(Precision.FP16, Precision.INT8, Precision.MIXED, Precision.INT4);
        }

        @Override
        public Precision defaultPrecision() {
            return Precision.FP16;
        }
    }

    /** The device of that label, whatever its case; {@code cuda} is the first one; empty if there is none. */
    static Optional<Device> ofLabel(String label) {
        Matcher cuda = Pattern.compile("(?i)cuda(?::([0-9]{1,3}))?").matcher(label);
        if (cuda.matches()) {
            return Optional.of(new Cuda(cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1))));
        }
        return label.equalsIgnoreCase(CPU.label()) ? Optional.of(CPU) : Optional.empty();
    }

    /** All labels, for messages. */
    static String labels() {
        return "cpu and cuda:N";
    }
}
