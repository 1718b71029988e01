package dev.penstock.prompt.constraint;

import dev.penstock.model.OutputConstraint;
import dev.penstock.model.OutputFollower;

/** A grammar over the tokens of a vocabulary. Its automaton is shared by all that follow it: one of them uses it at a time. */
final class CompiledConstraint implements OutputConstraint {
    private final TokenTrie trie;
    private final TokenMasks masks;
    private final Automaton automaton;
    private final Config start;

    CompiledConstraint(TokenTrie trie, TokenMasks masks, Grammar grammar) {
        this.trie = trie;
        this.masks = masks;
        automaton = new Automaton(grammar);
        start = automaton.start();
    }

    /** Lets go of what was found while texts were followed. */
    void forget() {
        synchronized (automaton) {
            automaton.forget();
        }
    }

    @Override
    public OutputFollower follow() {
        return new Follower(start);
    }

    /** The automaton after a token's bytes; dead if they don't fit. */
    private Config after(Config config, int token) {
        Config at = config;
        for (byte b : trie.path(token)) {
            at = automaton.after(at, b & 0xFF);
            if (Automaton.isDead(at)) {
                return at;
            }
        }
        return at;
    }

    private final class Follower implements OutputFollower {
        private Config at;

        Follower(Config at) {
            this.at = at;
        }

        @Override
        public long[] allowed() {
            synchronized (automaton) {
                return masks.allowed(automaton, at);
            }
        }

        @Override
        public boolean mayEnd() {
            return at.accepts();
        }

        @Override
        public boolean mustEnd() {
            return at.accepts() && at.isEnd();
        }

        @Override
        public void accept(int token) {
            Config after;
            synchronized (automaton) {
                automaton.effort().earn();
                after = after(at, token);
            }
            if (Automaton.isDead(after) || trie.path(token).length == 0) {
                throw new IllegalArgumentException("the token " + token + " is not allowed here");
            }
            at = after;
        }

        @Override
        public boolean canEndWithin(int token, int tokensLeft) {
            synchronized (automaton) {
                return after(at, token).minBytes() <= tokensLeft;
            }
        }

        @Override
        public long[] allowedWithin(int tokensLeft) {
            synchronized (automaton) {
                return masks.allowedWithin(automaton, at, tokensLeft);
            }
        }

        @Override
        public OutputFollower copy() {
            return new Follower(at);
        }
    }
}
