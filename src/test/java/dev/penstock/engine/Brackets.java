package dev.penstock.engine;

import dev.penstock.model.OutputConstraint;
import dev.penstock.model.OutputFollower;

/**
 * Texts of balanced brackets: token 0 opens one, token 1 closes one, tokens 2 to 9 are letters inside of one.
 *
 * @param many whether another pair may follow the first
 */
public record Brackets(boolean many) implements OutputConstraint {
    static final int OPEN = 0;
    static final int CLOSE = 1;
    private static final long INSIDE = (1L << 10) - 1;

    @Override
    public OutputFollower follow() {
        return new Follower(0, false);
    }

    /** Whether these tokens are a whole text. */
    boolean matches(int[] tokens) {
        Follower follower = new Follower(0, false);
        for (int token : tokens) {
            follower.accept(token);
        }
        return follower.mayEnd();
    }

    private final class Follower implements OutputFollower {
        private int depth;
        private boolean begun;

        Follower(int depth, boolean begun) {
            this.depth = depth;
            this.begun = begun;
        }

        @Override
        public long[] allowed() {
            if (mustEnd()) {
                return new long[0];
            }
            return new long[] {depth > 0 ? INSIDE : 1L << OPEN};
        }

        @Override
        public boolean mayEnd() {
            return begun && depth == 0;
        }

        @Override
        public boolean mustEnd() {
            return mayEnd() && !many;
        }

        @Override
        public void accept(int token) {
            if (token >= Long.SIZE || mustEnd() || (allowed()[0] >>> token & 1) == 0) {
                throw new IllegalArgumentException("token %d at depth %d".formatted(token, depth));
            }
            begun = true;
            depth += change(token);
        }

        @Override
        public boolean canEndWithin(int token, int tokensLeft) {
            return depth + change(token) <= tokensLeft;
        }

        @Override
        public long[] allowedWithin(int tokensLeft) {
            long within = 0;
            for (int token = 0; token < 10; token++) {
                if ((allowed()[0] >>> token & 1) != 0 && canEndWithin(token, tokensLeft)) {
                    within |= 1L << token;
                }
            }
            return new long[] {within != 0 ? within : depth > 0 ? 1L << CLOSE : 1L << OPEN};
        }

        @Override
        public OutputFollower copy() {
            return new Follower(depth, begun);
        }

        private static int change(int token) {
            return token == OPEN ? 1 : token == CLOSE ? -1 : 0;
        }
    }
}
