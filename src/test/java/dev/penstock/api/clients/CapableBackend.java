package dev.penstock.api.clients;

import dev.penstock.backend.TokenBackend;
import dev.penstock.model.FinishReason;
import dev.penstock.model.Generation;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationEvent.Delta;
import dev.penstock.model.GenerationEvent.Failed;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.GenerationListener;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.OutputConstraint;
import dev.penstock.model.OutputFollower;
import dev.penstock.model.SamplingParams;
import dev.penstock.model.Usage;
import dev.penstock.prompt.TextStream;
import dev.penstock.prompt.Tokenizer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Answers from {@link Knowledge}: with the best completion that the request's constraint allows. A request whose constraint allows
 * none of them fails.
 */
final class CapableBackend implements TokenBackend {
    /** Long enough for a stream to be more than one chunk. */
    private static final long TOKEN_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final String model;
    private final Tokenizer tokenizer;
    private final AtomicInteger running = new AtomicInteger();

    CapableBackend(String model, Tokenizer tokenizer) {
        this.model = model;
        this.tokenizer = tokenizer;
    }

    @Override
    public String name() {
        return "capable-" + model;
    }

    @Override
    public String model() {
        return model;
    }

    @Override
    public Load load() {
        return new Load(running.get(), 0, 0);
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationListener listener) {
        Answering answering = new Answering(request, listener);
        running.incrementAndGet();
        Thread.ofVirtual().name("capable").start(answering);
        return answering;
    }

    private final class Answering implements Generation, Runnable {
        private final GenerationRequest request;
        private final GenerationListener listener;
        private final TextStream text;
        private int sampled;
        private volatile boolean cancelled;

        Answering(GenerationRequest request, GenerationListener listener) {
            this.request = request;
            this.listener = listener;
            SamplingParams sampling = request.sampling();
            text = new TextStream(tokenizer, sampling.stop(), sampling.minTokens(), sampling.shownTokens());
        }

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public void run() {
            try {
                answer();
            } catch (RuntimeException e) {
                running.decrementAndGet();
                listener.onEvent(new Failed(Cause.INTERNAL, e.toString()));
            }
        }

        private void answer() {
            String prompt = tokenizer.decode(request.promptTokens(), true);
            for (int token : chosen(Knowledge.completions(prompt))) {
                LockSupport.parkNanos(TOKEN_NS);
                if (cancelled) {
                    finish(FinishReason.CANCELLED);
                    return;
                }
                sampled++;
                listener.onEvent(new Delta(text.push(token), 1, List.of()));
                if (text.stopSequence() != null) {
                    finish(FinishReason.STOP);
                    return;
                }
                if (sampled == request.sampling().maxTokens()) {
                    finish(FinishReason.LENGTH);
                    return;
                }
            }
            sampled++;
            finish(FinishReason.STOP);
        }

        private void finish(FinishReason reason) {
            String rest = text.finish();
            if (!rest.isEmpty()) {
                listener.onEvent(new Delta(rest, 0, List.of()));
            }
            running.decrementAndGet();
            listener.onEvent(
                    new Finished(reason, text.stopSequence(), new Usage(request.promptTokens().length, 0, sampled)));
        }

        private int[] chosen(List<String> completions) {
            return completions.stream()
                    .map(completion -> tokenizer.encode(completion, false))
                    .filter(tokens -> allows(request.sampling().constraint(), tokens))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("none of these is allowed: " + completions));
        }
    }

    /** Whether these tokens are a whole completion under a constraint, by its masks. */
    private static boolean allows(@Nullable OutputConstraint constraint, int[] tokens) {
        if (constraint == null) {
            return true;
        }
        OutputFollower follower = constraint.follow();
        for (int token : tokens) {
            long[] mask = follower.allowed();
            int word = token / Long.SIZE;
            if (word >= mask.length || (mask[word] & 1L << token) == 0) {
                return false;
            }
            follower.accept(token);
        }
        return follower.mayEnd();
    }
}
