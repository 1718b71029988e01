package dev.penstock.ops;

import dev.penstock.backend.Replica;
import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import dev.penstock.routing.StepFeed;
import dev.penstock.routing.StepTimeModel;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Has a replica that takes no requests yet run some of its own, so that predictions begin with what its steps take: prompts of
 * several lengths, and several sequences at once. Takes about two seconds, more only where single steps do.
 */
final class StepMeasuring {
    private static final long LIMIT_NS = 2_000_000_000L;

    /** Longer steps are not run: what they take follows from the shorter ones. */
    private static final double LONGEST_STEP_SECONDS = 0.3;

    private static final int[] PROMPTS = {16, 48, 128, 240};
    private static final int SHORT_OUTPUT = 4;
    private static final int LONG_OUTPUT = 12;
    private static final int[] BATCHES = {2, 4, 8};
    private static final int BATCH_PROMPT = 24;
    private static final long PATIENCE_S = 60;

    private final Replica replica;
    private final StepTimeModel times;
    private final int tokens;
    private final int context;
    private final Random random = new Random(1);

    private StepMeasuring(Replica replica, StepTimeModel times, int tokens, int context) {
        this.replica = replica;
        this.times = times;
        this.tokens = tokens;
        this.context = context;
    }

    /**
     * Measures.
     *
     * @param feed of the replica; is to be attached anew afterwards
     * @param tokens token ids below this are in the vocabulary
     * @param context most tokens of a sequence
     */
    static void run(Replica replica, StepFeed feed, StepTimeModel times, int tokens, int context)
            throws InterruptedException {
        feed.attachTo(times);
        new StepMeasuring(replica, times, tokens, context).run();
    }

    private void run() throws InterruptedException {
        long beginNs = System.nanoTime();
        while (System.nanoTime() - beginNs < LIMIT_NS / 2) {
            for (int prompt : PROMPTS) {
                if (prompt == PROMPTS[0] || times.seconds(prompt, 0.5 * prompt, 0, 0) < LONGEST_STEP_SECONDS) {
                    generate(1, prompt, SHORT_OUTPUT);
                }
            }
        }
        while (System.nanoTime() - beginNs < LIMIT_NS) {
            for (int batch : BATCHES) {
                generate(batch, BATCH_PROMPT, LONG_OUTPUT);
            }
        }
    }

    private void generate(int count, int promptTokens, int outputTokens) throws InterruptedException {
        CountDownLatch done = new CountDownLatch(count);
        for (int i = 0; i < count; i++) {
            int[] prompt = random.ints(Math.clamp(context / 2, 1, promptTokens), 0, tokens)
                    .toArray();
            GenerationRequest request =
                    new GenerationRequest("measuring", prompt, SamplingParams.greedy(outputTokens, Set.of()));
            replica.submit(request, event -> {
                if (!(event instanceof GenerationEvent.Delta)) {
                    done.countDown();
                }
            });
        }
        done.await(PATIENCE_S, TimeUnit.SECONDS);
    }
}
