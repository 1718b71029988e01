package dev.penstock.engine;

import dev.penstock.model.OutputConstraint;
import dev.penstock.model.OutputFollower;

/** One text and no other. */
record Script(int[] tokens) implements OutputConstraint {
    @Override
    public OutputFollower follow() {
        return new Follower(tokens, 0);
    }

    private static final class Follower implements OutputFollower {
        private final int[] tokens;
        private int place;

        Follower(int[] tokens, int place) {
            this.tokens = tokens;
            this.place = place;
        }

        @Override
        public long[] allowed() {
            if (mayEnd()) {
                return new long[0];
            }
            long[] only = new long[tokens[place] / Long.SIZE + 1];
            only[tokens[place] / Long.SIZE] = 1L << tokens[place];
            return only;
        }

        @Override
        public boolean mayEnd() {
            return place == tokens.length;
        }

        @Override
        public boolean mustEnd() {
            return mayEnd();
        }

        @Override
        public void accept(int token) {
            if (mayEnd() || token != tokens[place]) {
                throw new IllegalArgumentException("token %d at place %d".formatted(token, place));
            }
            place++;
        }

        @Override
        public boolean canEndWithin(int token, int tokensLeft) {
            return tokens.length - place - 1 <= tokensLeft;
        }

        @Override
        public long[] allowedWithin(int tokensLeft) {
            return allowed();
        }

        @Override
        public OutputFollower copy() {
            return new Follower(tokens, place);
        }
    }
}
