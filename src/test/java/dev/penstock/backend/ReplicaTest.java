package dev.penstock.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.engine.EngineObserver;
import dev.penstock.engine.EngineOptions;
import dev.penstock.engine.HashModel;
import dev.penstock.engine.LetterTokenizer;
import dev.penstock.engine.Recorder;
import dev.penstock.engine.StepLoop;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.SamplingParams;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ReplicaTest {
    private static final int VOCAB = 50;

    @Test
    void generatesReportsItsLoadAndDrains() throws Exception {
        HashModel model = new HashModel(VOCAB, 100, 4, 20, 64, 8);
        EngineOptions options = new EngineOptions(16, 8, 1, 10, true, false);
        StepLoop loop = StepLoop.start("r", model, new LetterTokenizer(VOCAB), options, EngineObserver.NONE);
        try (Replica replica = new Replica("cpu-0", "hash", loop)) {
            assertThat(replica.name()).isEqualTo("cpu-0");
            assertThat(replica.model()).isEqualTo("hash");
            CountDownLatch held = new CountDownLatch(1);
            CountDownLatch speaks = new CountDownLatch(1);
            Recorder first = new Recorder();
            Recorder second = new Recorder();
            replica.submit(request(40), event -> {
                speaks.countDown();
                awaitUninterrupted(held);
                first.onEvent(event);
            });
            replica.submit(request(5), second);
            speaks.await();
            replica.submit(request(5), new Recorder());
            // Its loop is held inside the first token's event, with the first sequence in the batch.
            assertThat(replica.load().running() + replica.load().waiting()).isEqualTo(3);
            held.countDown();
            assertThat(first.finished().reason()).isEqualTo(FinishReason.LENGTH);
            assertThat(second.finished().usage().completionTokens()).isEqualTo(5);
            replica.drain(Duration.ofMinutes(10));
            assertThat(replica.load()).isEqualTo(new Backend.Load(0, 0, 0));
            assertThat(replica.stats().completionTokens()).isEqualTo(50);
            Recorder late = new Recorder();
            replica.submit(request(5), late);
            assertThat(late.failed().cause()).isEqualTo(Cause.SHUTTING_DOWN);
        }
    }

    private static GenerationRequest request(int maxTokens) {
        return new GenerationRequest("r", new int[] {1, 2, 3}, SamplingParams.greedy(maxTokens, Set.of()));
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
