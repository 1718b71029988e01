package dev.penstock.prompt.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.model.OutputConstraint;
import dev.penstock.model.OutputFollower;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConstraintsTest {
    private static final TestVocabulary VOCABULARY = TestVocabulary.ofBytesAnd(
            List.of("ab", "abc", "aa", "(((", "))", "12", ", ", "é", "<tool"), List.of("<end>", "[CALL]"));

    private final Constraints constraints = new Constraints(VOCABULARY);

    private static int[] tokens(long[] mask) {
        return BitSet.valueOf(mask).stream().toArray();
    }

    private static String text(List<Integer> tokens) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        tokens.forEach(token -> text.writeBytes(VOCABULARY.bytes(token)));
        return text.toString(java.nio.charset.StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "root ::= \"(\" root \")\" | [0-9]+",
                "root ::= item (\", \" item){2,5}\nitem ::= [a-c]+ | \"(\" root \")\"",
                "root ::= [a-z]{5,}",
                "root ::= \"a\" | \"a\" root | \"aa\" root root"
            })
    void walksThatKeepAnEndInSightEndWithinTheirLimit(String gbnf) {
        OutputConstraint constraint = constraints.compile(new OutputForm.Grammar(gbnf));
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            int limit = 15 + random.nextInt(20);
            List<Integer> taken = new ArrayList<>();
            OutputFollower follower = constraint.follow();
            while (!follower.mustEnd() && !(follower.mayEnd() && random.nextInt(8) == 0)) {
                int left = limit - taken.size() - 1;
                if (left < 0) {
                    assertThat(follower.mayEnd()).as(text(taken)).isTrue();
                    break;
                }
                int[] allowed = tokens(follower.allowedWithin(left));
                int token = allowed[random.nextInt(allowed.length)];
                assertThat(follower.canEndWithin(token, left)).as(text(taken)).isTrue();
                assertThat(tokens(follower.allowed())).contains(token);
                follower.accept(token);
                taken.add(token);
            }
            assertThat(follower.mayEnd()).as(text(taken)).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "root ::= \"<\" [^<>]* \">\" | \"(\" [a-z]{3,40} \")\" root?",
                "root ::= ([^\\x00-\\x1f\"] | \"\\\"\" [a-c])* \".\" [0-9]{2}",
                "root ::= (\"ab\" | [^a])* \"end\""
            })
    void whatMayComeNextWithinALimitIsWhatCanEndWithinIt(String gbnf) {
        OutputConstraint constraint = constraints.compile(new OutputForm.Grammar(gbnf));
        Random random = new Random(3);
        for (int walk = 0; walk < 10; walk++) {
            OutputFollower follower = constraint.follow();
            for (int step = 0; step < 12 && !follower.mustEnd(); step++) {
                int[] allowed = tokens(follower.allowed());
                for (int left = 0; left < 9; left += 2) {
                    int most = left;
                    int[] ending = Arrays.stream(allowed)
                            .filter(token -> follower.canEndWithin(token, most))
                            .toArray();
                    int[] within = tokens(follower.allowedWithin(left));
                    if (ending.length > 0) {
                        assertThat(within).isEqualTo(ending);
                    } else {
                        assertThat(within).isNotEmpty();
                    }
                }
                follower.accept(allowed[random.nextInt(allowed.length)]);
            }
        }
    }

    @Test
    void specialTokensAreReachedByTheirFormAndByNoText() {
        OutputForm call = new OutputForm.Sequence(List.of(
                new OutputForm.Special("[CALL]"), new OutputForm.Regex("[^x]{1,9}"), new OutputForm.Special("<end>")));
        OutputFollower follower = constraints.compile(call).follow();
        assertThat(tokens(follower.allowed())).containsExactly(VOCABULARY.token("[CALL]"));
        follower.accept(VOCABULARY.token("[CALL]"));
        assertThat(tokens(follower.allowed()))
                .contains(VOCABULARY.token("ab"), VOCABULARY.token("<tool"), (int) '<')
                .doesNotContain(VOCABULARY.token("<end>"), VOCABULARY.token("[CALL]"));
        follower.accept(VOCABULARY.token("ab"));
        assertThat(tokens(follower.allowed())).contains(VOCABULARY.token("<end>"));
        follower.accept(VOCABULARY.token("<end>"));
        assertThat(follower.mustEnd()).isTrue();
    }

    @Test
    void textWithoutAnEndStopsShortOfIt() {
        OutputFollower follower = constraints
                .compile(new OutputForm.Sequence(
                        List.of(new OutputForm.TextWithout("abc"), new OutputForm.Special("<end>"))))
                .follow();
        assertThat(tokens(follower.allowed())).contains(VOCABULARY.token("ab")).doesNotContain(VOCABULARY.token("abc"));
        follower.accept(VOCABULARY.token("ab"));
        assertThat(tokens(follower.allowed())).contains((int) 'd').doesNotContain((int) 'c');
    }

    @Test
    void aCopyGoesOnByItself() {
        OutputFollower first =
                constraints.compile(new OutputForm.Regex("ab|ac")).follow();
        first.accept('a');
        OutputFollower second = first.copy();
        first.accept('b');
        assertThat(first.mustEnd()).isTrue();
        assertThat(second.mayEnd()).isFalse();
        second.accept('c');
        assertThat(second.mustEnd()).isTrue();
    }

    @Test
    void whatIsNotAllowedIsNotTaken() {
        OutputFollower follower =
                constraints.compile(new OutputForm.Literal("ab")).follow();
        assertThatThrownBy(() -> follower.accept('b')).isInstanceOf(IllegalArgumentException.class);
        follower.accept('a');
        follower.accept('b');
        assertThat(follower.mustEnd()).isTrue();
        assertThat(tokens(follower.allowed())).isEmpty();
    }

    @Test
    void equalFormsAreCompiledOnce() {
        assertThat(constraints.compile(new OutputForm.Regex("a+")))
                .isSameAs(constraints.compile(new OutputForm.Regex("a+")));
    }

    @Test
    void manyThreadsMayFollowOneConstraint() throws Exception {
        String gbnf = "root ::= item (\", \" item)*\nitem ::= [a-c]{1,40} | \"(\" root \")\" | [0-9]+";
        OutputConstraint alone = new Constraints(VOCABULARY).compile(new OutputForm.Grammar(gbnf));
        OutputConstraint shared = constraints.compile(new OutputForm.Grammar(gbnf));
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<List<Integer>>> walks = new ArrayList<>();
            for (int seed = 0; seed < 16; seed++) {
                long own = seed;
                walks.add(threads.submit(() -> walk(shared, new Random(own))));
            }
            for (int seed = 0; seed < walks.size(); seed++) {
                assertThat(walks.get(seed).get()).isEqualTo(walk(alone, new Random(seed)));
            }
        }
    }

    private static List<Integer> walk(OutputConstraint constraint, Random random) {
        OutputFollower follower = constraint.follow();
        List<Integer> taken = new ArrayList<>();
        while (taken.size() < 150 && !follower.mustEnd()) {
            int[] allowed = tokens(follower.allowed());
            int token = allowed[random.nextInt(allowed.length)];
            follower.accept(token);
            taken.add(token);
        }
        return taken;
    }

    @Test
    void expressionsAndGrammarsThatExplodeAreFollowedInBoundedTime() {
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(30), () -> {
            for (OutputForm form : List.of(
                    new OutputForm.Regex("(a|b)*a(a|b){30}"),
                    new OutputForm.Regex("((a?b?){50}){50}c"),
                    new OutputForm.Grammar("root ::= s\ns ::= \"a\" | \"a\" s s | \"a\" s | \"b\" s s s"),
                    new OutputForm.Grammar("root ::= (\"a\"* \"b\"*)* \"c\""))) {
                OutputConstraint constraint = constraints.compile(form);
                for (int seed = 0; seed < 5; seed++) {
                    assertThat(walk(constraint, new Random(seed))).isNotEmpty();
                }
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"[^\\s\\S]", "a[^\\s\\S]b", "[]a"})
    void patternsThatNothingMatchesAreRefused(String pattern) {
        assertThatThrownBy(() -> constraints.compile(new OutputForm.Regex(pattern)))
                .isInstanceOf(ConstraintException.class);
    }

    @Test
    void choicesAndRepetitionsOfNothingAreRefused() {
        assertThatThrownBy(() -> constraints.compile(new OutputForm.Choice(List.of())))
                .isInstanceOf(ConstraintException.class);
        OutputForm nothing = new OutputForm.Regex("[^\\s\\S]");
        OutputForm some = new OutputForm.Choice(List.of(nothing, new OutputForm.Literal("a")));
        assertThat(tokens(constraints.compile(some).follow().allowed())).containsExactly('a');
        assertThatThrownBy(() -> constraints.compile(new OutputForm.Repeat(nothing, 1, 2)))
                .isInstanceOf(ConstraintException.class);
    }
}
