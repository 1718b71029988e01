package dev.penstock.model;

/** Follows one completion under an {@link OutputConstraint}, token by token; for one thread. */
public interface OutputFollower {
    /**
     * The tokens that may come next: token t is bit t % 64 of word t / 64; words past the end of the array are 0. Tokens that end
     * a completion are not among them, see {@link #mayEnd()}. The array is shared: it must not be written to.
     */
    long[] allowed();

    /** Whether the completion may end here. */
    boolean mayEnd();

    /** Whether it must end here, since nothing may follow. */
    boolean mustEnd();

    /**
     * Takes the next token.
     *
     * @throws IllegalArgumentException it is not allowed here
     */
    void accept(int token);

    /** Whether, after this allowed token, the completion can come to an end within {@code tokensLeft} further ones. */
    boolean canEndWithin(int token, int tokensLeft);

    /**
     * Those of {@link #allowed()} for which {@link #canEndWithin} holds; where there are none, those that come closest to an end.
     */
    long[] allowedWithin(int tokensLeft);

    /** Another one at the same place, which goes on by itself; costs next to nothing. */
    OutputFollower copy();
}
