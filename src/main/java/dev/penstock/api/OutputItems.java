package dev.penstock.api;

import dev.penstock.api.OutputItem.Kind;
import dev.penstock.api.OutputItem.State;
import dev.penstock.model.FinishReason;
import dev.penstock.model.GenerationEvent.Finished;
import dev.penstock.model.TokenLogprob;
import dev.penstock.prompt.dialogue.Piece;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A completion as a row of items, one after the other: reasoning, text, calls. White space that stands alone between two of
 * them is none. For one thread.
 */
final class OutputItems {
    private final Candidate candidate;
    private final List<OutputItem> all = new ArrayList<>();
    private final StringBuilder blank = new StringBuilder();
    private final UsageTotal usage = new UsageTotal(1);
    private @Nullable OutputItem open;
    private @Nullable Finished finished;

    /** None yet of the job's only sequence. */
    OutputItems(Job job) {
        candidate = new Candidate(job, 0);
    }

    /** Told what becomes of the items. */
    interface Listener {
        /** For whoever looks at the items when they are whole. */
        Listener NONE = new Listener() {
            @Override
            public void opened(OutputItem item) {}

            @Override
            public void grew(OutputItem item, String more, List<TokenLogprob> logprobs) {}

            @Override
            public void closed(OutputItem item) {}
        };

        /** It begins, without text. */
        void opened(OutputItem item) throws IOException;

        /** There is more of it. */
        void grew(OutputItem item, String more, List<TokenLogprob> logprobs) throws IOException;

        /** It ends. */
        void closed(OutputItem item) throws IOException;
    }

    /** Takes a piece, the last one if there is an end. */
    void add(Choices.Piece piece, @Nullable Finished end, Listener listener) throws IOException {
        List<Piece> pieces = new ArrayList<>();
        candidate.push(piece, pieces::add);
        if (end != null) {
            candidate.finish(end, pieces::add);
        }
        for (Piece more : pieces) {
            add(more, listener);
        }
        if (end != null) {
            end(end, listener);
        }
    }

    private void add(Piece piece, Listener listener) throws IOException {
        switch (piece) {
            case Piece.Reasoning(String text) -> {
                if (open == null || open.kind() != Kind.REASONING) {
                    begin(OutputItem.reasoning(all.size()), listener);
                }
                grow(text, List.of(), listener);
            }
            case Piece.Text(String text) -> {
                if (open != null && open.kind() == Kind.MESSAGE) {
                    grow(text, candidate.takeCovered(), listener);
                } else if (text.isBlank()) {
                    blank.append(text);
                } else {
                    message(blank + text, listener);
                }
            }
            case Piece.CallBegins(int call, String name) ->
                begin(
                        OutputItem.call(
                                all.size(),
                                candidate.message().calls().get(call).id(),
                                name),
                        listener);
            case Piece.Arguments(int call, String json) -> grow(json, List.of(), listener);
            case Piece.CallEnds ends -> close(State.WHOLE, listener);
        }
    }

    private void message(String text, Listener listener) throws IOException {
        begin(OutputItem.message(all.size()), listener);
        if (!text.isEmpty()) {
            grow(text, lastOf(candidate.takeCovered(), text.getBytes(StandardCharsets.UTF_8).length), listener);
        }
    }

    /** Those at the end that spell so many bytes: what comes before belongs to no text. */
    private static List<TokenLogprob> lastOf(List<TokenLogprob> tokens, int bytes) {
        int from = tokens.size();
        int left = bytes;
        while (from > 0 && left > 0) {
            left -= tokens.get(--from).bytes().length;
        }
        return tokens.subList(from, tokens.size());
    }

    private void begin(OutputItem item, Listener listener) throws IOException {
        close(State.WHOLE, listener);
        blank.setLength(0);
        all.add(item);
        open = item;
        listener.opened(item);
    }

    private void grow(String more, List<TokenLogprob> logprobs, Listener listener) throws IOException {
        OutputItem item = open;
        if (item != null) {
            item.grow(more, logprobs);
            listener.grew(item, more, logprobs);
        }
    }

    private void close(State how, Listener listener) throws IOException {
        OutputItem item = open;
        if (item != null) {
            item.end(how);
            open = null;
            listener.closed(item);
        }
    }

    private void end(Finished end, Listener listener) throws IOException {
        if (open != null && open.kind() == Kind.MESSAGE && candidate.hasCovered()) {
            grow("", candidate.takeCovered(), listener);
        } else if (all.isEmpty()) {
            message(blank.toString(), listener);
        }
        close(end.reason() == FinishReason.LENGTH ? State.CUT : State.WHOLE, listener);
        usage.add(0, end.usage(), candidate.reasoningTokens());
        finished = end;
    }

    /** All that have begun. */
    List<OutputItem> all() {
        return all;
    }

    /** Whether one of them is a call. */
    boolean haveCalls() {
        return !candidate.message().calls().isEmpty();
    }

    /** How the completion ended; null while it has not. */
    @Nullable
    Finished finished() {
        return finished;
    }

    /** What it took, once it has ended. */
    UsageTotal usage() {
        return usage;
    }
}
