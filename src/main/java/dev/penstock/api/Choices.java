package dev.penstock.api;

import dev.penstock.model.GenerationEvent;
import dev.penstock.model.GenerationEvent.Cause;
import dev.penstock.model.GenerationEvent.Delta;
import dev.penstock.model.GenerationEvent.Failed;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.GenerationEvent.PromptScored;
import dev.penstock.model.TokenLogprob;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The generations of one HTTP request, merged for the event loop that writes the reply. Step loops add and never wait;
 * what the writer has not yet taken is merged into one piece a choice, so that a slow reader gets fewer and larger
 * pieces and the others notice nothing. What waits is bounded: a reader that falls too far behind loses its request.
 */
final class Choices {
    /** What may wait for one request's writer: more than any completion's text, far less than the heap. */
    static final int MAX_PENDING_BYTES = 8 << 20;

    /** About what a token's log probabilities take in memory, for each alternative. */
    private static final int LOGPROB_BYTES = 128;

    private static final int[] NO_ENDS = {};

    private final ReentrantLock lock = new ReentrantLock();
    private final Queue<Pending> ready = new ArrayDeque<>();
    private final List<Pending> all;
    private long pendingBytes;
    private boolean overflowed;

    private final long noticeBytes;
    private final boolean marksTokens;
    private final Runnable onReady;
    private final Runnable onOverflow;

    /**
     * None yet.
     *
     * @param count of the choices
     * @param noticeBytes what may gather before it is worth a notice; an end always is
     * @param marksTokens whether pieces tell where their tokens end
     * @param onReady run when there is something to {@link #poll}, on any thread: it must not block
     * @param onOverflow run when the reader has fallen too far behind, on any thread: it must not block
     */
    Choices(int count, long noticeBytes, boolean marksTokens, Runnable onReady, Runnable onOverflow) {
        all = IntStream.range(0, count).mapToObj(Pending::new).toList();
        this.noticeBytes = noticeBytes;
        this.marksTokens = marksTokens;
        this.onReady = onReady;
        this.onOverflow = onOverflow;
    }

    /**
     * More of one choice.
     *
     * @param index of the choice
     * @param text what was added, possibly nothing
     * @param tokenEnds where in the text each token's ends, if that was asked for
     * @param logprobs of the tokens that were added, if they were asked for
     * @param prompt log probabilities of the prompt's tokens, if they were asked for and have come with this piece
     * @param end {@link Finished} or {@link Failed} if the choice has ended with this piece
     */
    record Piece(
            int index,
            String text,
            int[] tokenEnds,
            List<TokenLogprob> logprobs,
            @Nullable List<TokenLogprob> prompt,
            @Nullable GenerationEvent end) {}

    /** The next piece; null if there is none. */
    @Nullable
    Piece poll() {
        lock.lock();
        try {
            return ready.isEmpty() ? null : take();
        } finally {
            lock.unlock();
        }
    }

    private Piece take() {
        Pending pending = ready.remove();
        if (overflowed) {
            return new Piece(
                    pending.index,
                    "",
                    NO_ENDS,
                    List.of(),
                    null,
                    new Failed(Cause.INTERNAL, "The reply was not read as fast as it was made; it ends here."));
        }
        Piece piece = pending.take();
        pendingBytes -= bytes(piece.text(), piece.logprobs());
        return piece;
    }

    /** Something has come of a choice; from any thread. */
    void add(int index, GenerationEvent event) {
        Pending pending = all.get(index);
        boolean tooMuch = false;
        boolean worthNotice;
        lock.lock();
        try {
            if (overflowed) {
                return;
            }
            pending.add(event);
            if (event instanceof Delta delta) {
                pendingBytes += bytes(delta.text(), delta.logprobs());
                overflowed = tooMuch = pendingBytes > MAX_PENDING_BYTES;
            }
            if (!pending.queued) {
                pending.queued = true;
                ready.add(pending);
            }
            worthNotice = pending.end != null || pendingBytes >= noticeBytes;
        } finally {
            lock.unlock();
        }
        if (tooMuch) {
            onOverflow.run();
        }
        if (worthNotice) {
            onReady.run();
        }
    }

    private static long bytes(String text, List<TokenLogprob> logprobs) {
        long bytes = 2L * text.length();
        for (TokenLogprob logprob : logprobs) {
            bytes += LOGPROB_BYTES * (1L + logprob.top().size());
        }
        return bytes;
    }

    /** What one choice's writer has not yet taken; guarded by the lock. */
    private final class Pending {
        private final int index;
        private final StringBuilder text = new StringBuilder();
        private IntStream.Builder ends = IntStream.builder();
        private List<TokenLogprob> logprobs = List.of();
        private @Nullable List<TokenLogprob> prompt;
        private @Nullable GenerationEvent end;
        private boolean queued;

        Pending(int index) {
            this.index = index;
        }

        void add(GenerationEvent event) {
            switch (event) {
                case PromptScored scored -> prompt = scored.logprobs();
                case Delta delta -> {
                    text.append(delta.text());
                    for (int i = 0; marksTokens && i < delta.tokens(); i++) {
                        ends.add(text.length());
                    }
                    if (!delta.logprobs().isEmpty()) {
                        if (logprobs.isEmpty()) {
                            logprobs = new ArrayList<>();
                        }
                        logprobs.addAll(delta.logprobs());
                    }
                }
                case Finished finished -> end = finished;
                case Failed failed -> end = failed;
            }
        }

        Piece take() {
            Piece piece = new Piece(index, text.toString(), ends.build().toArray(), logprobs, prompt, end);
            text.setLength(0);
            ends = IntStream.builder();
            logprobs = List.of();
            prompt = null;
            queued = false;
            return piece;
        }
    }
}
