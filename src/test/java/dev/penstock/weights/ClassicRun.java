package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.onnx.ElementType;
import dev.penstock.onnx.OnnxBinding;
import dev.penstock.onnx.OnnxSession;
import dev.penstock.onnx.SessionConfig;
import dev.penstock.onnx.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;

/** Runs a graph of {@link ClassicDecoder} as its authors mean it to be run: one prompt, no past. */
final class ClassicRun {
    private ClassicRun() {}

    /** Logits of all tokens of a prompt. */
    static double[][] logits(Path graph, DecoderShape shape, int[] tokens) {
        int length = tokens.length;
        try (Arena arena = Arena.ofConfined();
                OnnxSession session = OnnxSession.open(graph, SessionConfig.ofThreads(1));
                OnnxBinding binding = session.bind()) {
            for (TensorSpec input : session.inputs()) {
                MemorySegment data = arena.allocate(8L * length, 64);
                if (input.name().startsWith("past")) {
                    binding.input(input.name(), ElementType.FLOAT, data, 1, shape.kvHeads(), 0, shape.headSize());
                    continue;
                }
                for (int i = 0; i < length; i++) {
                    data.setAtIndex(
                            ValueLayout.JAVA_LONG,
                            i,
                            switch (input.name()) {
                                case "input_ids" -> tokens[i];
                                case "position_ids" -> i;
                                default -> 1;
                            });
                }
                binding.input(input.name(), ElementType.INT64, data, 1, length);
            }
            MemorySegment logits = arena.allocate(4L * length * shape.vocabSize(), 64);
            for (TensorSpec output : session.outputs()) {
                if (output.name().equals("logits")) {
                    binding.output("logits", ElementType.FLOAT, logits, 1, length, shape.vocabSize());
                } else {
                    MemorySegment present = arena.allocate(4L * length * shape.kvHeads() * shape.headSize(), 64);
                    binding.output(
                            output.name(), ElementType.FLOAT, present, 1, shape.kvHeads(), length, shape.headSize());
                }
            }
            binding.run();
            double[][] rows = new double[length][shape.vocabSize()];
            for (int t = 0; t < length; t++) {
                int row = t;
                Arrays.setAll(
                        rows[t], v -> logits.getAtIndex(ValueLayout.JAVA_FLOAT, (long) row * shape.vocabSize() + v));
            }
            return rows;
        }
    }
}
