package dev.penstock.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.embed.EncoderObserver.Outcome;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.onnx.OnnxException;
import dev.penstock.prompt.EncoderException;
import dev.penstock.prompt.EncoderInput;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EncoderLoopTest {
    /** Runs a batch when it is let to; a row is the input's first token. */
    private static final class Held implements EncoderRunner {
        final Semaphore begun = new Semaphore(0);
        final Semaphore let = new Semaphore(0);
        final Queue<Integer> sizes = new ConcurrentLinkedQueue<>();
        volatile boolean closed;
        volatile boolean failing;
        volatile float factor = 1;

        @Override
        public int width() {
            return 1;
        }

        @Override
        public int contextLength() {
            return 100;
        }

        @Override
        public float[][] run(List<EncoderInput> inputs) {
            begun.release();
            let.acquireUninterruptibly();
            sizes.add(inputs.size());
            if (failing) {
                throw new OnnxException("broken");
            }
            return inputs.stream()
                    .map(i -> new float[] {factor * i.tokens()[0]})
                    .toArray(float[][]::new);
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private final Held runner = new Held();
    private final Queue<Outcome> outcomes = new ConcurrentLinkedQueue<>();
    private final EncoderLoop loop = EncoderLoop.start("m", runner, 4, new EncoderObserver() {
        @Override
        public void requestEnded(Outcome outcome, long totalNs) {
            outcomes.add(outcome);
        }
    });

    @AfterEach
    void close() {
        runner.let.release(1000);
        loop.close();
    }

    private static EncoderInput input(int token) {
        return new EncoderInput(new int[] {token, 0, 0});
    }

    private static Cause cause(CompletableFuture<float[][]> future) {
        try {
            future.join();
            throw new AssertionError("it did not fail");
        } catch (CompletionException e) {
            return ((EncoderException) Objects.requireNonNull(e.getCause())).kind();
        }
    }

    @Test
    void requestsThatWaitRunTogetherAndEachGetsItsOwnRows() {
        CompletableFuture<float[][]> first = loop.encode(List.of(input(1)));
        runner.begun.acquireUninterruptibly();
        CompletableFuture<float[][]> second = loop.encode(List.of(input(2), input(3)));
        CompletableFuture<float[][]> third = loop.encode(List.of(input(4)));
        runner.let.release(2);

        assertThat(first.join()).isDeepEqualTo(new float[][] {{1}});
        assertThat(second.join()).isDeepEqualTo(new float[][] {{2}, {3}});
        assertThat(third.join()).isDeepEqualTo(new float[][] {{4}});
        assertThat(runner.sizes).containsExactly(1, 3);
    }

    @Test
    void aLargeRequestGoesThroughInSeveralBatches() {
        runner.let.release(1000);
        List<EncoderInput> inputs = IntStream.range(0, 3000)
                .mapToObj(i -> new EncoderInput(
                        IntStream.rangeClosed(0, i % 50).map(t -> i).toArray()))
                .toList();

        float[][] rows = loop.encode(inputs).join();

        assertThat(rows).hasNumberOfRows(3000);
        for (int i = 0; i < rows.length; i++) {
            assertThat(rows[i][0]).isEqualTo(i);
        }
        assertThat(runner.sizes).hasSizeGreaterThan(3);
    }

    @Test
    void aCallerWhoLeavesFreesItsPlace() {
        loop.encode(List.of(input(1)));
        runner.begun.acquireUninterruptibly();
        CompletableFuture<float[][]> left = loop.encode(List.of(input(2)));
        CompletableFuture<float[][]> stays = loop.encode(List.of(input(3)));
        assertThat(loop.open()).isEqualTo(3);

        left.cancel(false);

        assertThat(loop.open()).isEqualTo(2);
        runner.let.release(2);
        assertThat(stays.join()).isDeepEqualTo(new float[][] {{3}});
        assertThat(runner.sizes).containsExactly(1, 1);
        assertThat(outcomes).contains(Outcome.CANCELLED);
    }

    @Test
    void aRequestBeyondTheQueueIsRefused() {
        for (int i = 0; i < 4; i++) {
            loop.encode(List.of(input(i)));
        }

        assertThat(cause(loop.encode(List.of(input(9))))).isEqualTo(Cause.OVERLOADED);
        assertThat(outcomes).containsExactly(Outcome.REFUSED);
    }

    @Test
    void aBatchThatFailsEndsItsRequestsAndNoOthers() {
        runner.failing = true;
        CompletableFuture<float[][]> broken = loop.encode(List.of(input(1)));
        runner.let.release(1);
        assertThat(cause(broken)).isEqualTo(Cause.INTERNAL);

        runner.failing = false;
        runner.let.release(1);
        assertThat(loop.encode(List.of(input(2))).join()).isDeepEqualTo(new float[][] {{2}});
    }

    @Test
    void whatIsNoNumberIsNoResult() {
        runner.factor = Float.NaN;
        runner.let.release(1);

        assertThat(cause(loop.encode(List.of(input(1))))).isEqualTo(Cause.INTERNAL);
    }

    @Test
    void drainingWaitsForWhatRunsAndRefusesWhatComes() throws InterruptedException {
        CompletableFuture<float[][]> running = loop.encode(List.of(input(1)));
        runner.begun.acquireUninterruptibly();
        loop.drain(Duration.ZERO);
        assertThat(running).isNotDone();
        assertThat(cause(loop.encode(List.of(input(2))))).isEqualTo(Cause.SHUTTING_DOWN);

        runner.let.release(1);
        loop.drain(Duration.ofMinutes(1));
        assertThat(running).isDone();
    }

    @Test
    void closingFailsWhatWaitsAndClosesTheRunner() {
        CompletableFuture<float[][]> running = loop.encode(List.of(input(1)));
        runner.begun.acquireUninterruptibly();
        CompletableFuture<float[][]> waiting = loop.encode(List.of(new EncoderInput(new int[90])));
        runner.let.release(1000);

        loop.close();

        assertThat(runner.closed).isTrue();
        assertThat(running).isDone();
        assertThat(waiting).isDone();
        assertThat(cause(loop.encode(List.of(input(2))))).isEqualTo(Cause.SHUTTING_DOWN);
    }

    @Test
    void anInputThatTheModelCannotTakeIsAMistake() {
        assertThatThrownBy(() -> loop.encode(List.of(new EncoderInput(new int[101]))))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
