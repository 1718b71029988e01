package dev.penstock.api;

import dev.penstock.model.TokenLogprob;
import java.util.ArrayList;
import java.util.List;

/** A stretch of a completion that is of one kind, as it grows. For one thread. */
final class OutputItem {
    private final Kind kind;
    private final int index;
    private final String id;
    private final String callId;
    private final String name;
    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private State state = State.OPEN;

    /** What it is. */
    enum Kind {
        /** What the model thinks before it answers. */
        REASONING,
        /** Text for the user. */
        MESSAGE,
        /** A call of a tool; its text is the arguments. */
        CALL
    }

    /** How far it is. */
    enum State {
        /** There may be more of it. */
        OPEN,
        /** It is whole. */
        WHOLE,
        /** The completion ended within it. */
        CUT
    }

    private OutputItem(Kind kind, int index, String id, String callId, String name) {
        this.kind = kind;
        this.index = index;
        this.id = id;
        this.callId = callId;
        this.name = name;
    }

    /** The beginning of reasoning. */
    static OutputItem reasoning(int index) {
        return new OutputItem(Kind.REASONING, index, JobMaker.newId("rs_"), "", "");
    }

    /** The beginning of text. */
    static OutputItem message(int index) {
        return new OutputItem(Kind.MESSAGE, index, JobMaker.newId("msg_"), "", "");
    }

    /** The beginning of a call. */
    static OutputItem call(int index, String callId, String name) {
        return new OutputItem(Kind.CALL, index, JobMaker.newId("fc_"), callId, name);
    }

    void grow(String more, List<TokenLogprob> tokens) {
        text.append(more);
        logprobs.addAll(tokens);
    }

    void end(State how) {
        state = how;
    }

    Kind kind() {
        return kind;
    }

    /** Its place among the items of the completion. */
    int index() {
        return index;
    }

    /** The id of the item itself. */
    String id() {
        return id;
    }

    /** The id that the call's result names; empty if it is no call. */
    String callId() {
        return callId;
    }

    /** Of the tool that is called; empty if it is no call. */
    String name() {
        return name;
    }

    /** All that has come of it. */
    String text() {
        return text.toString();
    }

    /** Those of its tokens, if they were asked for and it is text. */
    List<TokenLogprob> logprobs() {
        return logprobs;
    }

    State state() {
        return state;
    }
}
