package dev.penstock.ops.bench;

import dev.penstock.engine.StepLoop;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Times decoding through a whole step loop: scheduling, sampling and detokenizing beside the steps themselves. */
final class EngineBench {
    private final StepLoop loop;
    private final int vocabSize;
    private final Random random = new Random(1);

    EngineBench(StepLoop loop, int vocabSize) {
        this.loop = loop;
        this.vocabSize = vocabSize;
    }

    /**
     * Sends sequences at once and measures while all of them decode: from the moment the last of them has its first token
     * until the first of them ends.
     *
     * @param batch sequences
     * @param context tokens of each prompt
     * @param tokens tokens that each sequence generates
     * @return tokens a second of all together
     */
    double tokensPerSecond(int batch, int context, int tokens) throws InterruptedException {
        Window window = new Window(batch);
        for (int i = 0; i < batch; i++) {
            int[] prompt = random.ints(context, 0, vocabSize).toArray();
            SamplingParams sampling = SamplingParams.builder(tokens)
                    .temperature(0)
                    .ignoreEos(true)
                    .build();
            loop.submit(new GenerationRequest("bench-" + i, prompt, sampling), window.listener());
        }
        return window.await();
    }

    /** Counts tokens while every sequence is under way. */
    private static final class Window {
        private final CountDownLatch ended;
        private final AtomicReference<@Nullable String> failure = new AtomicReference<>();
        // Only the loop's thread calls the listeners; the latch publishes what it wrote.
        private int waiting;
        private boolean closed;
        private long startNs;
        private long endNs;
        private long tokens;

        Window(int sequences) {
            waiting = sequences;
            ended = new CountDownLatch(sequences);
        }

        GenerationListener listener() {
            boolean[] started = {false};
            return event -> {
                switch (event) {
                    case GenerationEvent.PromptScored scored -> {}
                    case GenerationEvent.Delta delta -> {
                        if (!started[0]) {
                            started[0] = true;
                            waiting--;
                            startNs = System.nanoTime();
                        } else if (waiting == 0 && !closed) {
                            tokens += delta.tokens();
                            endNs = System.nanoTime();
                        }
                    }
                    case GenerationEvent.Finished finished -> {
                        closed = true;
                        ended.countDown();
                    }
                    case GenerationEvent.Failed failed -> {
                        closed = true;
                        failure.compareAndSet(null, failed.message());
                        ended.countDown();
                    }
                }
            };
        }

        double await() throws InterruptedException {
            ended.await();
            String message = failure.get();
            if (message != null) {
                throw new IllegalStateException("a sequence failed: " + message);
            }
            if (tokens == 0) {
                throw new IllegalStateException(
                        "the first sequence ended before the last one began: let them generate more tokens");
            }
            return tokens / ((endNs - startNs) / 1e9);
        }
    }
}
