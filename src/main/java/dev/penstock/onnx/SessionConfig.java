package dev.penstock.onnx;

import dev.penstock.model.Device;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * How a session runs.
 *
 * @param device what it runs on
 * @param threads threads of an operator, the calling one included
 * @param spinning whether idle threads wait by spinning: faster steps for more processor time
 * @param optimize whether the graph is optimised at load; off for a graph that was saved optimised
 * @param arena whether ONNX Runtime keeps the memory of intermediate results from run to run
 * @param entries further entries, by the keys of onnxruntime_session_options_config_keys.h
 * @param profile prefix of a profile that is written; empty for none
 * @param optimizedModel where to write the optimised graph; empty for nowhere
 */
public record SessionConfig(
        Device device,
        int threads,
        boolean spinning,
        boolean optimize,
        boolean arena,
        Map<String, String> entries,
        Optional<Path> profile,
        Optional<Path> optimizedModel) {
    /** Copies the entries. */
    public SessionConfig {
        if (threads < 1) {
            throw new IllegalArgumentException("a session needs a thread, not " + threads);
        }
        entries = Map.copyOf(entries);
    }

    /** So many threads on the CPU, and what serves best otherwise. */
    public static SessionConfig ofThreads(int threads) {
        return of(Device.CPU, threads);
    }

    /** So many threads of the host, and what serves best otherwise. */
    public static SessionConfig of(Device device, int threads) {
        return new SessionConfig(device, threads, true, true, true, Map.of(), Optional.empty(), Optional.empty());
    }
}
