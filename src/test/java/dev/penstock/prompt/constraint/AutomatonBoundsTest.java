package dev.penstock.prompt.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.model.OutputFollower;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

class AutomatonBoundsTest {
    private static final int DEEP = 20_000;

    /** What one step may add once the tables are full. */
    private static final int MOST_HELD = 31_000;

    private static Automaton automaton(String gbnf) {
        return new Automaton(new Grammar(GbnfParser.parse(gbnf)));
    }

    @Test
    void textsDeeperThanTheTablesAreLargeAreFollowedToTheirEnd() {
        Automaton automaton = automaton("root ::= \"(\" root \")\" | \"x\"");
        for (int round = 0; round < 2; round++) {
            Config at = automaton.start();
            for (int i = 0; i < DEEP; i++) {
                at = automaton.after(at, '(');
                assertThat(automaton.held()).isLessThan(MOST_HELD);
            }
            at = automaton.after(at, 'x');
            for (int i = 0; i < DEEP; i++) {
                assertThat(at.accepts()).isFalse();
                at = automaton.after(at, ')');
                assertThat(automaton.held()).isLessThan(MOST_HELD);
            }
            assertThat(at.accepts()).isTrue();
            assertThat(Automaton.isDead(automaton.after(at, ')'))).isTrue();
        }
    }

    @Test
    void whatIsForgottenWhileATextIsFollowedIsFoundAgain() {
        Automaton forgetful =
                automaton("root ::= item (\", \" item)*\nitem ::= [a-c]{2,40} | \"(\" root \")\" | [0-9]+");
        Automaton other = automaton("root ::= item (\", \" item)*\nitem ::= [a-c]{2,40} | \"(\" root \")\" | [0-9]+");
        Random random = new Random(1);
        Config at = forgetful.start();
        Config expected = other.start();
        for (int i = 0; i < 500; i++) {
            if (random.nextInt(5) == 0) {
                forgetful.forget();
            }
            int from = random.nextInt(256);
            int b = from;
            while (Automaton.isDead(forgetful.after(at, b))) {
                assertThat(Automaton.isDead(other.after(expected, b))).isTrue();
                b = (b + 1) % 256;
            }
            at = forgetful.after(at, b);
            expected = other.after(expected, b);
            assertThat(at.accepts()).isEqualTo(expected.accepts());
            assertThat(at.minBytes()).isEqualTo(expected.minBytes());
        }
    }

    @Test
    void aGrammarThatExplodesFailsByItself() {
        TestVocabulary vocabulary = TestVocabulary.random(new Random(2), "abcdefghij", 5000);
        OutputFollower follower = new Constraints(vocabulary)
                .compile(new OutputForm.Grammar(
                        "root ::= s\ns ::= [a-z] | [a-z] s s | [a-z] s | [a-z] s s s | \"a\" s s s s"))
                .follow();
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(60),
                () -> assertThatThrownBy(() -> {
                            for (int i = 0; i < 2000; i++) {
                                List<Integer> allowed = BitSet.valueOf(follower.allowed()).stream()
                                        .boxed()
                                        .toList();
                                follower.accept(allowed.getLast());
                            }
                        })
                        .isInstanceOf(ConstraintException.class)
                        .hasMessageContaining("too many ways"));
    }
}
