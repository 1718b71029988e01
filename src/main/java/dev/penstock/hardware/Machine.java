package dev.penstock.hardware;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * What this machine has.
 *
 * @param processor as far as this process may use it
 * @param memory as far as this process may use it
 * @param numaNodes none where the system tells of none
 * @param gpus those of NVIDIA
 */
public record Machine(Processor processor, MachineMemory memory, List<NumaNode> numaNodes, List<Gpu> gpus) {
    private static final int FINGERPRINT_BYTES = 12;

    /** As it is now. */
    public static Machine here() {
        return read(Path.of("/"), Gpus.find());
    }

    /**
     * Of what files say.
     *
     * @param root the folder with {@code proc} and {@code sys}
     */
    static Machine read(Path root, List<Gpu> gpus) {
        LinuxFiles files = new LinuxFiles(root);
        return new Machine(Processor.read(files), MachineMemory.read(files), NumaNode.read(files), gpus);
    }

    /** Stands for the processor, what of it may be used, and its memory: what is measured of one holds for its equals. */
    public String fingerprint() {
        String text = String.join(
                "\n",
                processor.toString(),
                Integer.toString(Runtime.getRuntime().availableProcessors()),
                Long.toString(memory.totalBytes()),
                numaNodes.toString(),
                System.getProperty("os.arch").toLowerCase(Locale.ROOT),
                Runtime.version().toString());
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, FINGERPRINT_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
