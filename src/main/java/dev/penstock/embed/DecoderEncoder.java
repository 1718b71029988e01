package dev.penstock.embed;

import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.engine.StepBatch;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Pooling;
import dev.penstock.prompt.EncoderInput;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Takes the hidden states of a decoder without its head: inputs are packed into steps, as many as have room, and one that is
 * longer than a step goes through several alone. The cache holds the keys and values of one step's inputs.
 */
public final class DecoderEncoder implements EncoderRunner {
    /** Tokens of a step. */
    private static final int STEP_TOKENS = 512;

    private static final int BLOCK = 16;

    private final OnnxModelRunner runner;
    private final EncoderOptions options;
    private final int stepTokens;
    private final int width;
    private final boolean allRows;

    private DecoderEncoder(OnnxModelRunner runner, EncoderOptions options) {
        this.runner = runner;
        this.options = options;
        stepTokens = runner.maxTokensPerStep();
        width = runner.shape().hiddenSize();
        allRows = options.pooling() == Pooling.MEAN;
    }

    /**
     * Loads a variant without a head.
     *
     * @param folder the variant's
     * @param shape its dimensions, {@code contextLength} being the one of the options
     * @throws dev.penstock.onnx.OnnxException it can't be loaded
     */
    public static DecoderEncoder open(Path folder, DecoderShape shape, KvType kvType, EncoderOptions options) {
        return open(folder, shape, kvType, options, STEP_TOKENS);
    }

    static DecoderEncoder open(Path folder, DecoderShape shape, KvType kvType, EncoderOptions options, int stepTokens) {
        // Of a step's inputs each may have but one token, and a block of its own.
        int blocks = Math.max(stepTokens, blocks(options.contextLength()));
        RunnerConfig config = new RunnerConfig(options.threads(), kvType, BLOCK, blocks, stepTokens, stepTokens);
        return new DecoderEncoder(OnnxModelRunner.open(folder, shape, config), options);
    }

    private static int blocks(int tokens) {
        return Math.ceilDiv(tokens, BLOCK);
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
    public float[][] run(List<EncoderInput> inputs) {
        float[][] rows = new float[inputs.size()][];
        int first = 0;
        while (first < inputs.size()) {
            int end = first + 1;
            int tokens = inputs.get(first).length();
            while (end < inputs.size() && tokens + inputs.get(end).length() <= stepTokens) {
                tokens += inputs.get(end).length();
                end++;
            }
            if (tokens > stepTokens) {
                rows[first] = alone(inputs.get(first));
            } else {
                together(inputs.subList(first, end), rows, first);
            }
            first = end;
        }
        if (options.normalize()) {
            for (float[] row : rows) {
                Rows.normalize(row);
            }
        }
        return rows;
    }

    private void together(List<EncoderInput> inputs, float[][] rows, int first) {
        MemorySegment states = runner.run(batch(inputs, 0));
        int at = 0;
        for (int i = 0; i < inputs.size(); i++) {
            if (allRows) {
                int tokens = inputs.get(i).length();
                double[] sums = new double[width];
                Rows.add(sums, states, at, tokens);
                rows[first + i] = Rows.mean(sums, tokens);
                at += tokens;
            } else {
                rows[first + i] = Rows.row(states, i, width);
            }
        }
    }

    private float[] alone(EncoderInput input) {
        double[] sums = new double[width];
        float[] row = {};
        for (int past = 0; past < input.length(); past += stepTokens) {
            int count = Math.min(stepTokens, input.length() - past);
            int[] tokens = Arrays.copyOfRange(input.tokens(), past, past + count);
            MemorySegment states = runner.run(batch(List.of(new EncoderInput(tokens)), past));
            if (allRows) {
                Rows.add(sums, states, 0, count);
            } else if (past == 0 || options.pooling() == Pooling.LAST) {
                row = Rows.row(states, 0, width);
            }
        }
        return allRows ? Rows.mean(sums, input.length()) : row;
    }

    /** A step of these inputs, each with so many tokens before it, in blocks one after the other. */
    private StepBatch batch(List<EncoderInput> inputs, int past) {
        int count = inputs.size();
        int total = inputs.stream().mapToInt(EncoderInput::length).sum();
        int longest = inputs.stream().mapToInt(EncoderInput::length).max().orElseThrow();
        int tableWidth = blocks(past + longest);
        long[] tokens = new long[total];
        int[] starts = new int[count + 1];
        int[] pasts = new int[count];
        int[] table = new int[count * tableWidth];
        long[] wanted = new long[allRows ? total : count];
        int block = 0;
        for (int i = 0; i < count; i++) {
            int[] ids = inputs.get(i).tokens();
            starts[i + 1] = starts[i] + ids.length;
            pasts[i] = past;
            for (int t = 0; t < ids.length; t++) {
                tokens[starts[i] + t] = ids[t];
            }
            for (int b = 0; b < blocks(past + ids.length); b++) {
                table[i * tableWidth + b] = block++;
            }
            if (!allRows) {
                wanted[i] = options.pooling() == Pooling.CLS ? starts[i] : starts[i + 1] - 1;
            }
        }
        for (int t = 0; allRows && t < total; t++) {
            wanted[t] = t;
        }
        return new StepBatch(tokens, total, starts, pasts, count, table, tableWidth, wanted, wanted.length);
    }

    @Override
    public void close() {
        runner.close();
    }
}
