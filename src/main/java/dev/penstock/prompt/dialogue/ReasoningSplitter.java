package dev.penstock.prompt.dialogue;

/** Splits off the reasoning that a completion begins with; white space around it is dropped. */
final class ReasoningSplitter implements CharSink {
    private enum State {
        BEGINNING,
        REASONING,
        GAP,
        CONTENT
    }

    private final ReasoningTags tags;
    /** Whether the prompt began the reasoning; models may say so again. */
    private final boolean opened;

    private final CharSink content;
    private final PieceWriter out;

    private final StringBuilder space = new StringBuilder();
    private final StringBuilder partial = new StringBuilder();
    private State state = State.BEGINNING;
    private boolean something;

    ReasoningSplitter(ReasoningTags tags, boolean opened, CharSink content, PieceWriter out) {
        this.tags = tags;
        this.opened = opened;
        this.content = content;
        this.out = out;
    }

    @Override
    public void accept(char c) {
        switch (state) {
            case BEGINNING -> beginning(c);
            case REASONING -> reasoning(c);
            case GAP -> {
                if (!CharSink.isSpace(c)) {
                    state = State.CONTENT;
                    content.accept(c);
                }
            }
            case CONTENT -> content.accept(c);
        }
    }

    @Override
    public void finish() {
        if (state == State.BEGINNING) {
            beginningEnds();
        }
        if (state == State.REASONING && (something || !partial.isEmpty())) {
            out.reasoning(space);
            out.reasoning(partial);
        }
        content.finish();
    }

    private void beginning(char c) {
        if (partial.isEmpty() && CharSink.isSpace(c)) {
            space.append(c);
            return;
        }
        partial.append(c);
        if (!CharSink.begins(tags.open(), partial)) {
            beginningEnds();
        } else if (partial.length() == tags.open().length()) {
            state = State.REASONING;
            space.setLength(0);
            partial.setLength(0);
        }
    }

    /** There is no tag. */
    private void beginningEnds() {
        String text = opened ? partial.toString() : space.toString() + partial;
        space.setLength(0);
        partial.setLength(0);
        state = opened ? State.REASONING : State.CONTENT;
        acceptAll(text);
    }

    private void reasoning(char c) {
        partial.append(c);
        while (!partial.isEmpty() && !CharSink.begins(tags.close(), partial)) {
            char first = partial.charAt(0);
            partial.deleteCharAt(0);
            if (!CharSink.isSpace(first)) {
                out.reasoning(space);
                space.setLength(0);
                out.reasoning(String.valueOf(first));
                something = true;
            } else if (something) {
                space.append(first);
            }
        }
        if (partial.length() == tags.close().length()) {
            state = State.GAP;
            partial.setLength(0);
            space.setLength(0);
        }
    }
}
