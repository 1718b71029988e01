package dev.penstock.embed;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penstock.model.EncoderTask;
import dev.penstock.onnx.ElementType;
import dev.penstock.onnx.LazyMemory;
import dev.penstock.onnx.OnnxBinding;
import dev.penstock.onnx.OnnxException;
import dev.penstock.onnx.OnnxSession;
import dev.penstock.onnx.SessionConfig;
import dev.penstock.onnx.TensorSpec;
import dev.penstock.prompt.EncoderInput;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Runs the graph of an encoder, as Optimum and sentence-transformers export them: inputs {@code input_ids},
 * {@code attention_mask} and {@code token_type_ids}, int64 [batch, tokens], of which a graph may lack the latter two; an output
 * with the vectors of tokens, float [batch, tokens, width], one that is pooled already, float [batch, width], or logits,
 * float [batch, 1]. It owns session and memory.
 */
public final class OnnxEncoder implements EncoderRunner {
    private static final String IDS = "input_ids";
    private static final String MASK = "attention_mask";
    private static final String TYPES = "token_type_ids";
    private static final Set<String> INPUTS = Set.of(IDS, MASK, TYPES);

    private static final String LOGITS = "logits";
    private static final String POOLED = "sentence_embedding";

    /** Outputs with vectors of tokens, the better one first. */
    private static final List<String> BY_TOKEN = List.of("last_hidden_state", "token_embeddings");

    /** Tokens of a batch, padding included, unless a single input has more. */
    static final int MAX_BATCH_TOKENS = 2048;

    private final OnnxSession session;
    private final OnnxBinding binding;
    private final LazyMemory memory;
    private final Map<String, MemorySegment> inputs = new HashMap<>();
    private final MemorySegment rows;
    private final TensorSpec output;
    private final EncoderOptions options;
    private final int width;
    private final int maxTokens;

    private OnnxEncoder(
            OnnxSession session, OnnxBinding binding, LazyMemory memory, TensorSpec output, EncoderOptions options) {
        this.session = session;
        this.binding = binding;
        this.memory = memory;
        this.output = output;
        this.options = options;
        width = width(output, options);
        maxTokens = maxTokens(options);
        long inputBytes = (long) maxTokens * Long.BYTES;
        long used = 0;
        for (TensorSpec input : session.inputs()) {
            inputs.put(input.name(), memory.segment().asSlice(used, inputBytes));
            used += inputBytes;
        }
        rows = memory.segment().asSlice(used);
    }

    /**
     * Loads a graph and runs it once.
     *
     * @throws OnnxException it can't be loaded, or is none of an encoder for this task
     */
    public static OnnxEncoder open(Path graph, EncoderOptions options) {
        OnnxSession session = OnnxSession.open(graph, SessionConfig.ofThreads(options.threads()));
        try {
            checkInputs(graph, session);
            return open(session, output(graph, session, options), options);
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }

    private static OnnxEncoder open(OnnxSession session, TensorSpec output, EncoderOptions options) {
        long tokens = maxTokens(options);
        LazyMemory memory = LazyMemory.allocate(
                tokens * (session.inputs().size() * (long) Long.BYTES + width(output, options) * (long) Float.BYTES));
        try {
            OnnxBinding binding = session.bind();
            try {
                OnnxEncoder encoder = new OnnxEncoder(session, binding, memory, output, options);
                // What its outputs are in truth shows when it runs.
                encoder.run(List.of(new EncoderInput(new int[1]), new EncoderInput(new int[2])));
                return encoder;
            } catch (RuntimeException | Error e) {
                binding.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    private static int maxTokens(EncoderOptions options) {
        return Math.max(MAX_BATCH_TOKENS, options.contextLength());
    }

    private static int width(TensorSpec output, EncoderOptions options) {
        long declared = output.shape().getLast();
        return options.task() == EncoderTask.RERANK ? 1 : declared > 0 ? Math.toIntExact(declared) : options.width();
    }

    private static void checkInputs(Path graph, OnnxSession session) {
        for (TensorSpec input : session.inputs()) {
            if (!INPUTS.contains(input.name()) || input.type() != ElementType.INT64) {
                throw new OnnxException(
                        "%s has the input %s of %s; the graph of an encoder has input_ids, attention_mask and token_type_ids of INT64"
                                .formatted(graph, input.name(), input.type()));
            }
        }
        if (session.inputs().stream().noneMatch(input -> input.name().equals(IDS))) {
            throw new OnnxException(graph + " has no input " + IDS);
        }
    }

    private static TensorSpec output(Path graph, OnnxSession session, EncoderOptions options) {
        Optional<TensorSpec> found = options.task() == EncoderTask.RERANK
                ? named(session, LOGITS, 2)
                        .filter(logits -> Math.abs(logits.shape().getLast()) == 1)
                : embedding(session, options);
        return found.orElseThrow(() -> new OnnxException(
                options.task() == EncoderTask.RERANK
                        ? "%s gives %s; a reranker gives logits, float [batch, 1]".formatted(graph, session.outputs())
                        : "%s gives %s; an encoder gives last_hidden_state or token_embeddings, float [batch, tokens, width], or sentence_embedding, float [batch, width]"
                                .formatted(graph, session.outputs())));
    }

    private static Optional<TensorSpec> embedding(OnnxSession session, EncoderOptions options) {
        Optional<TensorSpec> byToken = BY_TOKEN.stream()
                .flatMap(name -> named(session, name, 3).stream())
                .findFirst()
                .or(() -> only(session));
        Optional<TensorSpec> pooled = named(session, POOLED, 2);
        return options.asked().isPresent() ? byToken : pooled.or(() -> byToken);
    }

    /** The one output that can be the vectors of tokens, whatever it is called. */
    private static Optional<TensorSpec> only(OnnxSession session) {
        List<TensorSpec> found = session.outputs().stream()
                .filter(o -> o.type() == ElementType.FLOAT && o.shape().size() == 3)
                .toList();
        return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
    }

    private static Optional<TensorSpec> named(OnnxSession session, String name, int rank) {
        return session.outputs().stream()
                .filter(o -> o.name().equals(name)
                        && o.type() == ElementType.FLOAT
                        && o.shape().size() == rank)
                .findFirst();
    }

    @Override
    public int width() {
        return width;
    }

    @Override
    public int contextLength() {
        return options.contextLength();
    }

    @Override
    public float[][] run(List<EncoderInput> batch) {
        int length = batch.stream().mapToInt(EncoderInput::length).max().orElseThrow();
        if ((long) batch.size() * length > maxTokens) {
            throw new OnnxException("%d inputs of up to %d tokens are more than the %d of a batch"
                    .formatted(batch.size(), length, maxTokens));
        }
        for (Map.Entry<String, MemorySegment> input : inputs.entrySet()) {
            fill(input.getKey(), input.getValue(), batch, length);
            binding.input(input.getKey(), ElementType.INT64, input.getValue(), batch.size(), length);
        }
        boolean byToken = output.shape().size() == 3;
        if (byToken) {
            binding.output(output.name(), ElementType.FLOAT, rows, batch.size(), length, width);
        } else {
            binding.output(output.name(), ElementType.FLOAT, rows, batch.size(), width);
        }
        binding.run();
        List<float[]> results = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            float[] row = byToken
                    ? Rows.pool(
                            options.pooling(),
                            rows.asSlice((long) i * length * width * Float.BYTES),
                            batch.get(i).length(),
                            width)
                    : Rows.row(rows, i, width);
            results.add(finished(row));
        }
        return results.toArray(float[][]::new);
    }

    private float[] finished(float[] row) {
        if (options.task() == EncoderTask.RERANK) {
            row[0] = Rows.sigmoid(row[0]);
        } else if (options.normalize()) {
            Rows.normalize(row);
        }
        return row;
    }

    private void fill(String name, MemorySegment input, List<EncoderInput> batch, int length) {
        long at = 0;
        for (EncoderInput one : batch) {
            for (int t = 0; t < length; t++) {
                boolean there = t < one.length();
                input.setAtIndex(
                        JAVA_LONG,
                        at++,
                        switch (name) {
                            case IDS -> there ? one.tokens()[t] : options.padToken();
                            case MASK -> there ? 1 : 0;
                            default -> there ? one.types()[t] : 0;
                        });
            }
        }
    }

    @Override
    public void close() {
        binding.close();
        session.close();
        memory.close();
    }
}
