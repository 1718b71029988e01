package dev.penstock.model;

/** Why a generation that did not fail came to its end. */
public enum FinishReason {
    /** The model produced an end-of-sequence or stop token, or the text reached a stop string. */
    STOP,
    /** The token limit of the request or the context length was reached. */
    LENGTH,
    /** The caller went away or cancelled. */
    CANCELLED
}
