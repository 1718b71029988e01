package dev.penstock.onnx;

import dev.penstock.onnx.GraphFile.PackedWeights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * The packed weights of a session in memory of ours, in huge pages where the system has them. Our operators read them
 * here; ONNX Runtime maps the file as well, but never touches its mapping, which therefore takes no memory. It must
 * outlive the session.
 */
final class PackedWeightMemory implements AutoCloseable {
    private static final long ALIGNMENT = 4096;

    private final LazyMemory memory;
    private final Map<String, Long> addresses = new HashMap<>();

    private PackedWeightMemory(LazyMemory memory) {
        this.memory = memory;
    }

    /**
     * Reads all packed weights of a graph; for a graph without any it is empty.
     *
     * @throws OnnxException they can't be read, or there is no memory for them
     */
    static PackedWeightMemory load(GraphFile graph) {
        long bytes = graph.packed().stream().mapToLong(w -> aligned(w.bytes())).sum();
        PackedWeightMemory result = new PackedWeightMemory(HugePages.allocate(bytes));
        try {
            MemorySegment all = HugePages.aligned(result.memory, bytes);
            long at = 0;
            for (PackedWeights weights : graph.packed()) {
                MemorySegment data = all.asSlice(at, weights.bytes());
                HugePages.read(weights.file(), weights.offset(), data);
                result.addresses.put(weights.name(), data.address());
                at += aligned(weights.bytes());
            }
            return result;
        } catch (IOException e) {
            result.close();
            throw new OnnxException("cannot read weights: " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            result.close();
            throw e;
        }
    }

    private static long aligned(long bytes) {
        return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    }

    /** Where the weights of that name are, or 0 if only ONNX Runtime has them: small ones stand in the graph file. */
    long address(String name) {
        return addresses.getOrDefault(name, 0L);
    }

    @Override
    public void close() {
        memory.close();
    }
}
