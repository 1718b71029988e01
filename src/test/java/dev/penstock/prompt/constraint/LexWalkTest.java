package dev.penstock.prompt.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What expressions allow by themselves, against reading every token byte by byte. */
class LexWalkTest {
    private static final String CHARACTERS = "aeex1 -\"\\é漢😀";

    private static final List<String> PATTERNS = List.of(
            "[^\"\\\\]*\"",
            "[^\"\\\\]{0,3}\"",
            "[^\"\\\\]{2,}\"",
            "([^\"\\\\]|\\\\[ae\"]){1,9}\"",
            "[a-z]{3,12}",
            "[a-z-]{0,11}x",
            ".*",
            "[^x]*",
            "[^x]{1,6}",
            "e{0,30}",
            "e{4,30}a",
            "(e|é){7,}",
            "[ae]*[ex]",
            "a?[^1]*-",
            "(ea*)*",
            "[a-z](-[a-z]{1,9}){0,4}",
            "[\\x00-\\x7f]*",
            "[^漢]*",
            "(.|\\n){5}",
            "\"[^\"]*\"",
            "([a-z0-9]{1,3} ){0,9}");

    private static final TestVocabulary VOCABULARY = vocabulary();

    private static TestVocabulary vocabulary() {
        Random random = new Random(5);
        int[] points = CHARACTERS.codePoints().toArray();
        List<String> texts = new ArrayList<>(
                List.of("e".repeat(20), "e".repeat(29), "e".repeat(40), "aé".repeat(12), "漢".repeat(9)));
        for (int i = 0; i < 1500; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = 1 + random.nextInt(random.nextInt(20) == 0 ? 14 : 5); length > 0; length--) {
                text.appendCodePoint(points[random.nextInt(points.length)]);
            }
            texts.add(text.toString());
        }
        return TestVocabulary.ofBytesAnd(texts, List.of("<end>")).cut(random);
    }

    @Test
    void tokensAndEndsAreThoseOfReadingEachByItself() {
        TokenTrie trie = TokenTrie.of(VOCABULARY);
        TrieIndex index = new TrieIndex(trie);
        assertThat(index.shortBytes()).isLessThan(trie.maxBytes());
        TokenMasks masks = new TokenMasks(trie, 1 << 20);
        Random random = new Random(6);
        List<Regex> starts = new ArrayList<>();
        PATTERNS.forEach(pattern -> starts.add(RegexParser.whole(pattern)));
        starts.add(Regex.not(Regex.concat(Regex.ANYTHING, Regex.literal("ex-"), Regex.ANYTHING)));
        starts.add(Regex.and(
                FormCompiler.TEXT, Regex.not(Regex.concat(Regex.ANYTHING, Regex.literal("-é"), Regex.ANYTHING))));
        starts.add(Regex.repeat(JsonText.ANY_CHAR, 0, Regex.UNBOUNDED));
        starts.add(JsonText.quoted(Regex.repeat(JsonText.ANY_CHAR, 4, 9)));
        starts.add(Regex.union(RegexParser.whole("[a-z]{0,9}x"), RegexParser.whole("[a-z1]{3,}")));
        starts.add(Regex.ANYTHING);
        for (Regex start : starts) {
            Regex at = start;
            for (int step = 0; step < 12 && !at.isEmpty(); step++) {
                check("start " + starts.indexOf(start) + " step " + step, at, masks.lexMask(at, new Effort()), trie);
                int b = CHARACTERS.codePointAt(random.nextInt(8));
                at = at.derivative(random.nextInt(9) == 0 ? 0xC3 : b);
            }
        }
    }

    private static void check(String name, Regex regex, LexMask found, TokenTrie trie) {
        BitSet tokens = new BitSet();
        for (int token = 0; token < trie.vocabSize(); token++) {
            Regex at = regex;
            for (byte b : trie.path(token)) {
                at = at.derivative(b & 0xFF);
            }
            tokens.set(token, !at.isEmpty() && trie.path(token).length > 0);
        }
        assertThat(BitSet.valueOf(found.tokens())).as(name).isEqualTo(tokens);
        BitSet ends = new BitSet();
        Regex[] path = new Regex[trie.maxBytes() + 1];
        path[0] = regex;
        for (int place = 0; place < trie.size(); place++) {
            int depth = trie.depth(place);
            path[depth] = path[depth - 1].derivative(trie.byteAt(place));
            ends.set(place, path[depth].isNullable() && trie.end(place) > place + 1);
        }
        assertThat(BitSet.valueOf(found.ends())).as(name).isEqualTo(ends);
    }
}
