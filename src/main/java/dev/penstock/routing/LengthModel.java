package dev.penstock.routing;

/** Foretells how many tokens a request will sample. */
public interface LengthModel {
    /** Tokens to expect on average, never above the request's own limit. */
    double mean(String caller, int maxTokens);

    /** Tokens that nine in ten requests stay within, never above the request's own limit. */
    double upper(String caller, int maxTokens);

    /** Tokens to expect on average after so many, never above what the request's own limit leaves; at least one. */
    double remaining(String caller, int maxTokens, int tokens);

    /** Learns the length of a completion that came to its end. */
    void observe(String caller, int tokens);
}
