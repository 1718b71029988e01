package dev.penstock.prompt.dialogue;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Splits off reasoning, then calls; what is left is text. */
final class DialogueParser implements CompletionParser {
    private final PieceWriter writer = new PieceWriter();
    private final CharSink sink;

    /**
     * A parser for one completion.
     *
     * @param tags what stands around reasoning, if there may be any
     * @param reasoningOpened whether the prompt ends inside of the reasoning
     * @param tools what may be called
     */
    DialogueParser(@Nullable ReasoningTags tags, boolean reasoningOpened, CallSyntax syntax, List<Tool> tools) {
        CharSink content = tools.isEmpty() ? new PlainSink(writer) : new CallScanner(syntax, tools, writer);
        sink = tags == null ? content : new ReasoningSplitter(tags, reasoningOpened, content, writer);
    }

    @Override
    public void push(String text, Consumer<Piece> out) {
        writer.to(out);
        sink.acceptAll(text);
        writer.flush();
    }

    @Override
    public void finish(Consumer<Piece> out) {
        writer.to(out);
        sink.finish();
        writer.flush();
    }

    /** Where all is text. */
    private record PlainSink(PieceWriter out) implements CharSink {
        @Override
        public void accept(char c) {
            out.text(String.valueOf(c));
        }

        @Override
        public void acceptAll(CharSequence text) {
            out.text(text);
        }

        @Override
        public void finish() {
            // Nothing is held back.
        }
    }
}
