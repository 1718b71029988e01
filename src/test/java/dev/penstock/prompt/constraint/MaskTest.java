package dev.penstock.prompt.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.OutputFollower;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Masks against a matcher that tries each token's bytes by themselves. */
class MaskTest {
    private static final long PLENTY = 1L << 30;

    @Test
    void masksOfRandomGrammarsAreWhatEveryTokenByItselfComesTo() {
        int checked = 0;
        int states = 0;
        int ambiguous = 0;
        for (int seed = 0; seed < 1500; seed++) {
            Random random = new Random(seed);
            List<Symbol> symbols = RandomGrammars.grammar(random);
            NaiveMatcher naive = new NaiveMatcher(symbols);
            Grammar grammar;
            try {
                grammar = new Grammar(symbols);
            } catch (ConstraintException e) {
                if (e.getMessage().contains("satisfies")) {
                    assertThat(naive.hasText()).as("seed %s", seed).isFalse();
                }
                continue;
            }
            checked++;
            TestVocabulary vocabulary = TestVocabulary.random(random, RandomGrammars.ALPHABET, 40);
            TokenTrie trie = TokenTrie.of(vocabulary);
            OutputFollower follower = new CompiledConstraint(trie, new TokenMasks(trie, PLENTY), grammar).follow();
            try {
                states += walk(naive, follower, vocabulary, random, "seed " + seed);
            } catch (NaiveMatcher.TooAmbiguous e) {
                ambiguous++;
            }
        }
        assertThat(checked - ambiguous).isGreaterThan(600);
        assertThat(states).isGreaterThan(2500);
    }

    /** Checks the masks on a walk of a few random tokens; returns how many. */
    private static int walk(
            NaiveMatcher naive, OutputFollower follower, TestVocabulary vocabulary, Random random, String name)
            throws NaiveMatcher.TooAmbiguous {
        Set<List<Symbol>> stacks = naive.begin();
        for (int step = 0; step < 6; step++) {
            BitSet allowed = BitSet.valueOf(follower.allowed());
            String place = name + " step " + step;
            assertThat(allowed).as(place).isEqualTo(expected(naive, stacks, vocabulary));
            assertThat(follower.mayEnd()).as(place).isEqualTo(NaiveMatcher.accepts(stacks));
            assertThat(follower.mustEnd()).as(place).isEqualTo(NaiveMatcher.accepts(stacks) && allowed.isEmpty());
            if (allowed.isEmpty()) {
                return step + 1;
            }
            int[] tokens = allowed.stream().toArray();
            int token = tokens[random.nextInt(tokens.length)];
            follower.accept(token);
            stacks = naive.after(stacks, vocabulary.bytes(token));
        }
        return 6;
    }

    private static BitSet expected(NaiveMatcher naive, Set<List<Symbol>> stacks, TestVocabulary vocabulary)
            throws NaiveMatcher.TooAmbiguous {
        BitSet expected = new BitSet();
        for (int token = 0; token < vocabulary.vocabSize(); token++) {
            expected.set(token, !naive.after(stacks, vocabulary.bytes(token)).isEmpty());
        }
        return expected;
    }

    @Test
    void whatMayStillEndInTimeIsWhatTheShortestEndSays() {
        int narrowed = 0;
        int ambiguous = 0;
        for (int seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            List<Symbol> symbols = RandomGrammars.grammar(random);
            NaiveMatcher naive = new NaiveMatcher(symbols);
            Grammar grammar;
            try {
                grammar = new Grammar(symbols);
            } catch (ConstraintException e) {
                continue;
            }
            TestVocabulary vocabulary = TestVocabulary.random(random, RandomGrammars.ALPHABET, 20);
            TokenTrie trie = TokenTrie.of(vocabulary);
            OutputFollower follower = new CompiledConstraint(trie, new TokenMasks(trie, PLENTY), grammar).follow();
            try {
                narrowed += checkEnds(naive, follower, vocabulary, "seed " + seed);
            } catch (NaiveMatcher.TooAmbiguous e) {
                ambiguous++;
            }
        }
        assertThat(narrowed).isGreaterThan(50);
        assertThat(ambiguous).isLessThan(100);
    }

    /** Checks what can end within few tokens; returns how often that was less than what is allowed. */
    private static int checkEnds(NaiveMatcher naive, OutputFollower follower, TestVocabulary vocabulary, String name)
            throws NaiveMatcher.TooAmbiguous {
        int narrowed = 0;
        int[] allowed = BitSet.valueOf(follower.allowed()).stream().toArray();
        for (int left = 0; left < 3; left++) {
            BitSet expected = new BitSet();
            for (int token : allowed) {
                boolean ends = shortest(naive, naive.after(naive.begin(), vocabulary.bytes(token)), left) <= left;
                assertThat(follower.canEndWithin(token, left))
                        .as("%s token %s left %s", name, token, left)
                        .isEqualTo(ends);
                expected.set(token, ends);
            }
            BitSet within = BitSet.valueOf(follower.allowedWithin(left));
            if (expected.isEmpty()) {
                assertThat(within.isEmpty()).isEqualTo(allowed.length == 0);
            } else {
                narrowed += expected.cardinality() < allowed.length ? 1 : 0;
                assertThat(within).as("%s left %s", name, left).isEqualTo(expected);
            }
        }
        return narrowed;
    }

    /** Bytes of the shortest end of a text by trying all, or one more than {@code most}. */
    private static int shortest(NaiveMatcher naive, Set<List<Symbol>> from, int most)
            throws NaiveMatcher.TooAmbiguous {
        List<Set<List<Symbol>>> level = List.of(from);
        for (int length = 0; length <= most; length++) {
            List<Set<List<Symbol>>> next = new ArrayList<>();
            for (Set<List<Symbol>> stacks : level) {
                if (NaiveMatcher.accepts(stacks)) {
                    return length;
                }
                for (char c : RandomGrammars.ALPHABET.toCharArray()) {
                    next.add(naive.after(stacks, c));
                }
            }
            level = next;
        }
        return most + 1;
    }
}
