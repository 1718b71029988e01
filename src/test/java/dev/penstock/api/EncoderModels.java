package dev.penstock.api;

import dev.penstock.embed.EncoderLoop;
import dev.penstock.embed.EncoderObserver;
import dev.penstock.embed.EncoderRunner;
import dev.penstock.model.Budget;
import dev.penstock.model.EncoderTask;
import dev.penstock.ops.ModelLoader;
import dev.penstock.ops.ModelRegistry;
import dev.penstock.ops.PenstockConfig;
import dev.penstock.prompt.EncoderInput;
import dev.penstock.prompt.EncoderModel;
import dev.penstock.prompt.SamplingDefaults;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.dialogue.DialogueFormat;
import dev.penstock.prompt.dialogue.ToolStyle;
import dev.penstock.routing.Member;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Semaphore;

/** An encoder of each kind: {@code vectors} and {@code scores}; and {@code scripted}, which generates. */
@Alternative
@Singleton
public class EncoderModels implements ModelLoader {
    static final int WIDTH = 6;
    static final int CONTEXT = 40;

    private final Runner vectors = new Runner(WIDTH);
    private final EncoderLoop vectorLoop = EncoderLoop.start("vectors", vectors, 8, EncoderObserver.NONE);
    private final EncoderLoop scoreLoop = EncoderLoop.start("scores", new Runner(1), 8, EncoderObserver.NONE);

    /** Rows by what is in the input alone; of a reranker the share of bytes that are {@code x}. */
    static final class Runner implements EncoderRunner {
        final Semaphore begun = new Semaphore(0);
        final Semaphore let = new Semaphore(0);
        volatile boolean held;
        private final int width;

        Runner(int width) {
            this.width = width;
        }

        @Override
        public int width() {
            return width;
        }

        @Override
        public int contextLength() {
            return CONTEXT;
        }

        @Override
        public float[][] run(List<EncoderInput> inputs) {
            if (held) {
                begun.release();
                let.acquireUninterruptibly();
            }
            return inputs.stream().map(i -> row(i.tokens())).toArray(float[][]::new);
        }

        private float[] row(int[] tokens) {
            float[] row = new float[width];
            Random random = new Random(java.util.Arrays.hashCode(tokens));
            for (int i = 0; i < width; i++) {
                row[i] = (float) random.nextGaussian();
            }
            if (width == 1) {
                row[0] = (float) java.util.Arrays.stream(tokens)
                                .filter(t -> t == 'x')
                                .count()
                        / tokens.length;
            }
            return row;
        }

        @Override
        public void close() {}
    }

    /** What stands behind {@code vectors}. */
    Runner vectors() {
        return vectors;
    }

    /** Its queue. */
    EncoderLoop vectorLoop() {
        return vectorLoop;
    }

    @Override
    public void load(ModelRegistry registry) {
        registry.serve(model("vectors", EncoderTask.EMBED, WIDTH, vectorLoop));
        registry.serve(model("scores", EncoderTask.RERANK, 1, scoreLoop));
        registry.serve(
                new ServedModel(
                        "scripted",
                        Instant.EPOCH,
                        "fp",
                        new ByteTokenizer(),
                        new Constraints(new ByteTokenizer()),
                        new DialogueFormat(ToolStyle.NONE, null, Set.of()),
                        null,
                        null,
                        null,
                        Set.of(),
                        SamplingDefaults.NEUTRAL,
                        CONTEXT),
                Budget.NONE,
                List.of(Member.of(new ScriptedBackend("scripted"))));
    }

    private static EncoderModel model(String id, EncoderTask task, int width, EncoderLoop loop) {
        return new EncoderModel(id, Instant.EPOCH, task, width, new ByteTokenizer(), CONTEXT, loop);
    }

    @Override
    public void reload(PenstockConfig wanted, ModelRegistry registry) {}

    @Override
    public List<String> descriptions() {
        return List.of("encoders");
    }

    @Override
    public void close() {
        vectors.let.release(1000);
        vectorLoop.close();
        scoreLoop.close();
    }
}
