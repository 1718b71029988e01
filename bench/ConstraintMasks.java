import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.penstock.model.OutputConstraint;
import dev.penstock.model.OutputFollower;
import dev.penstock.prompt.Tokenizer;
import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.constraint.OutputForm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

/** Times compiling, and the masks along a text that fits, of constraints over 128,000 tokens that are made up. */
void main(String[] args) throws IOException {
    Vocabulary vocabulary = new Vocabulary(128_000);
    List<Sample> samples = new ArrayList<>(forms());
    for (JsonNode entry : new ObjectMapper().readTree(Path.of(args[0]).toFile())) {
        String name = entry.get("name").textValue();
        OutputForm form = new OutputForm.Json(entry.get("schema"));
        Style style = Style.values()[samples.size() % Style.values().length];
        StringBuilder text = new StringBuilder();
        style.write(entry.get("document"), text, 0);
        samples.add(new Sample(name, form, text.toString()));
    }
    if (args.length > 1) {
        samples.removeIf(sample -> !sample.name().equals(args[1]));
    }
    // The code is warm after these; what it has found is dropped with its Constraints.
    for (int i = 0; i < 4; i++) {
        run(vocabulary, samples, false);
    }
    run(vocabulary, samples, true);
}

record Sample(String name, OutputForm form, String text) {}

/** How models write JSON. */
enum Style {
    COMPACT,
    SPACED,
    INDENTED;

    void write(JsonNode value, StringBuilder to, int depth) {
        if (!value.isContainerNode() || value.isEmpty()) {
            to.append(value);
            return;
        }
        to.append(value.isObject() ? '{' : '[');
        boolean first = true;
        List<String> names = new ArrayList<>();
        value.fieldNames().forEachRemaining(names::add);
        for (int i = 0; i < value.size(); i++) {
            to.append(first ? "" : this == SPACED ? ", " : ",");
            first = false;
            line(to, depth + 1);
            if (value.isObject()) {
                to.append(JsonNodeFactory.instance.textNode(names.get(i)));
                to.append(this == COMPACT ? ":" : ": ");
            }
            write(value.isObject() ? value.get(names.get(i)) : value.get(i), to, depth + 1);
        }
        line(to, depth);
        to.append(value.isObject() ? '}' : ']');
    }

    private void line(StringBuilder to, int depth) {
        if (this == INDENTED) {
            to.append('\n').append("  ".repeat(depth));
        }
    }
}

/** Forms that are no schemas. */
List<Sample> forms() {
    String grammar =
            """
            root ::= statement (" " statement)*
            statement ::= "SELECT " columns " FROM " name (" WHERE " condition)? ";"
            columns ::= "*" | name (", " name)*
            condition ::= comparison ((" AND " | " OR ") comparison)*
            comparison ::= name " " ("=" | "<" | ">" | "<>") " " value | "(" condition ")"
            value ::= [0-9]+ | "'" [^'\\n]* "'"
            name ::= [a-z_] [a-z0-9_]{0,30}
            """;
    return List.of(
            new Sample("regex: choice", new OutputForm.Regex("positive|negative|neutral"), "negative"),
            new Sample(
                    "regex: address",
                    new OutputForm.Regex("[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(\\.[a-z0-9-]{1,63}){1,4}"),
                    "someone.else+lists@mail.example.org"),
            new Sample("regex: prose", new OutputForm.Regex("[^\\n]{1,500}\\n"), "The quick brown fox jumps over it all, again.\n"),
            new Sample(
                    "regex: exploding",
                    new OutputForm.Regex("(a|b)*a(a|b){30}"),
                    "ab".repeat(20) + "a"),
            new Sample(
                    "grammar: queries",
                    new OutputForm.Grammar(grammar),
                    "SELECT id, name, price_total FROM orders_2024 WHERE (price_total > 100 AND name = 'A very long name') OR id <> 7; "
                            + "SELECT * FROM people;"),
            new Sample(
                    "tool call in text",
                    new OutputForm.Sequence(List.of(
                            new OutputForm.TextWithout("<tool_call>"),
                            new OutputForm.Literal("<tool_call>"),
                            new OutputForm.Regex("\\{\"city\": \"[^\"\\\\]{1,80}\"\\}"),
                            new OutputForm.Literal("</tool_call>"))),
                    "I will look that up for you now.\n<tool_call>{\"city\": \"San Francisco\"}</tool_call>"));
}

void run(Vocabulary vocabulary, List<Sample> samples, boolean print) {
    Constraints constraints = new Constraints(vocabulary);
    // The first thing that is compiled builds the vocabulary's trie.
    long before = System.nanoTime();
    constraints.compile(new OutputForm.Literal("a"));
    double trieMs = (System.nanoTime() - before) / 1e6;
    Times allFirst = new Times();
    Times allAgain = new Times();
    if (print) {
        IO.println(String.format(Locale.ROOT, "the vocabulary's trie: %.0f ms", trieMs));
        IO.println(String.format("%-24s %10s %7s   %s   %s", "", "compile ms", "tokens", Times.head("first"), Times.head("again")));
    }
    for (Sample sample : samples) {
        long from = System.nanoTime();
        OutputConstraint constraint = constraints.compile(sample.form());
        double compileMs = (System.nanoTime() - from) / 1e6;
        Times first = new Times();
        Times again = new Times();
        int tokens = walk(constraint, vocabulary, sample, first);
        walk(constraint, vocabulary, sample, again);
        allFirst.add(first);
        allAgain.add(again);
        if (print) {
            IO.println(String.format(
                    Locale.ROOT, "%-24s %10.2f %7d   %s   %s", sample.name(), compileMs, tokens, first.line(), again.line()));
        }
    }
    if (print) {
        IO.println(String.format("%-24s %10s %7d   %s   %s", "all", "", allFirst.size(), allFirst.line(), allAgain.line()));
        IO.println(String.format(Locale.ROOT, "held: %.1f MB of masks", constraints.heldBytes() / 1e6));
    }
}

/** Follows a text by the longest allowed token that it goes on with. */
int walk(OutputConstraint constraint, Vocabulary vocabulary, Sample sample, Times times) {
    byte[] text = sample.text().getBytes(StandardCharsets.UTF_8);
    OutputFollower follower = constraint.follow();
    int at = 0;
    int tokens = 0;
    while (at < text.length) {
        long from = System.nanoTime();
        long[] allowed = follower.allowed();
        times.add(System.nanoTime() - from);
        int token = vocabulary.longest(text, at, allowed);
        if (token < 0) {
            throw new IllegalStateException(
                    sample.name() + " allows nothing at " + at + " of " + sample.text().substring(0, at));
        }
        follower.accept(token);
        at += vocabulary.bytes(token).length;
        tokens++;
    }
    if (!follower.mayEnd()) {
        throw new IllegalStateException(sample.name() + " is not at its end");
    }
    return tokens;
}

/** Durations in nanoseconds. */
final class Times {
    private long[] nanos = new long[256];
    private int size;

    void add(long duration) {
        if (size == nanos.length) {
            nanos = Arrays.copyOf(nanos, size * 2);
        }
        nanos[size++] = duration;
    }

    void add(Times other) {
        for (int i = 0; i < other.size; i++) {
            add(other.nanos[i]);
        }
    }

    int size() {
        return size;
    }

    static String head(String what) {
        return String.format("%9s %8s %8s %8s", what + " us:", "median", "p90", "p99") + String.format("%9s", "max");
    }

    String line() {
        long[] sorted = Arrays.copyOf(nanos, size);
        Arrays.sort(sorted);
        return String.format(
                Locale.ROOT,
                "%9s %8.1f %8.1f %8.1f %8.1f",
                "",
                at(sorted, 0.5),
                at(sorted, 0.9),
                at(sorted, 0.99),
                at(sorted, 1));
    }

    private static double at(long[] sorted, double part) {
        return sorted[(int) Math.min(sorted.length - 1, Math.floor(part * sorted.length))] / 1e3;
    }
}

/** Tokens such as byte-level BPE learns of text and code in many languages, made up by chance. */
final class Vocabulary implements Tokenizer {
    private static final String[] HEADS = {
        "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr", "ch", "sh", "pr", "pl", "qu", "",
        "", "", "gr", "cl", "th"
    };
    private static final String[] VOWELS = {"a", "e", "i", "o", "u", "ea", "ou", "io", "ai", "y"};
    private static final String[] TAILS = {"", "", "", "n", "r", "s", "t", "l", "m", "ng", "nd", "st", "ck", "rt", "d"};
    private static final String[] ENDS = {"", "", "s", "ed", "ing", "ly", "er", "tion", "ment", "able", "ity", "ness", "al", "ive", "ous"};
    private static final String MARKS = "{}[]()<>\"':;,.!?-_=+*/\\|&^%$#@~`";
    private static final String SAMPLES =
            "true false null name type value id title description string number object array date time status active items count price "
                    + "email address street city country code user first last The the of and to in is that for it with as was on are by "
                    + "this from be at or not have an they which one you were all her she there would their we him been has when who";

    private final List<byte[]> tokens = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private final int longest;

    Vocabulary(int size) {
        Random random = new Random(7);
        Set<String> texts = new LinkedHashSet<>();
        for (int b = 0; b < 256; b++) {
            texts.add(Character.toString(b));
        }
        numbers(texts);
        blanks(texts);
        for (String word : SAMPLES.split(" ")) {
            variants(word, texts);
        }
        marks(random, texts);
        for (int i = 0; i < 12_000; i++) {
            texts.add(utf8(random, 0x4E00, 0x9FFF, 1 + random.nextInt(2)));
            texts.add((random.nextBoolean() ? " " : "") + utf8(random, 0x430, 0x44F, 2 + random.nextInt(6)));
            texts.add(utf8(random, 0xAC00, 0xD7A3, 1 + random.nextInt(2)));
            texts.add((random.nextBoolean() ? " " : "") + utf8(random, 0x627, 0x64A, 2 + random.nextInt(4)));
        }
        while (texts.size() < size) {
            variants(word(random), texts);
        }
        int max = 0;
        for (String text : texts) {
            if (tokens.size() < size) {
                byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
                ids.put(text, tokens.size());
                tokens.add(bytes);
                max = Math.max(max, bytes.length);
            }
        }
        longest = max;
    }

    private static void numbers(Set<String> texts) {
        for (int digits = 1, count = 10; digits <= 3; digits++, count *= 10) {
            for (int i = 0; i < count; i++) {
                texts.add(String.format("%0" + digits + "d", i));
            }
        }
    }

    private static void blanks(Set<String> texts) {
        for (int i = 1; i <= 80; i++) {
            texts.add(" ".repeat(i));
            texts.add("\t".repeat(Math.min(i, 16)));
            texts.add("\n" + " ".repeat(i));
            texts.add("\n".repeat(Math.min(i, 12)));
            texts.add("\r\n" + " ".repeat(Math.min(i, 24)));
        }
    }

    /** Runs of two to four marks, as code and JSON have them. */
    private static void marks(Random random, Set<String> texts) {
        texts.addAll(List.of(
                "\":", "\",", "\"}", "\"]", "\": \"", "\":\"", "\",\"", "\", \"", "{\"", "[\"", "\"},", "\"],", "},{\"", "}]", "}}",
                "]}", "},\n", "\",\n", "{\n", "[\n", "}\n", ",\n", " {", " [", " \"", " {\"", " [\"", ": {", ": [", "\"}\n", "[{\"",
                "\"}]", "\"}}", "\":{\"", "\":[", "\":[\"", "\": {\"", "\": [", "\": [\"", "\": {", "[]", "{}", " []", " {}", "[],", "{},"));
        while (texts.size() < 6000) {
            StringBuilder text = new StringBuilder(random.nextInt(3) == 0 ? " " : "");
            for (int i = 2 + random.nextInt(3); i > 0; i--) {
                text.append(MARKS.charAt(random.nextInt(MARKS.length())));
            }
            if (random.nextInt(4) == 0) {
                text.append(random.nextBoolean() ? "\n" : " ");
            }
            texts.add(text.toString());
        }
    }

    private static String word(Random random) {
        StringBuilder word = new StringBuilder();
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            word.append(HEADS[random.nextInt(HEADS.length)]).append(VOWELS[random.nextInt(VOWELS.length)]);
            word.append(TAILS[random.nextInt(TAILS.length)]);
        }
        return word.append(ENDS[random.nextInt(ENDS.length)]).toString();
    }

    private static void variants(String word, Set<String> texts) {
        String capital = Character.toUpperCase(word.charAt(0)) + word.substring(1);
        texts.addAll(List.of(word, " " + word, capital, " " + capital));
        if (word.length() < 6) {
            texts.addAll(List.of("_" + word, "." + word, "/" + word, "\"" + word, "(" + word, word.toUpperCase(Locale.ROOT)));
        }
    }

    /** Letters of a range, as the bytes of UTF-8, each as a character. */
    private static String utf8(Random random, int lo, int hi, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(lo + (int) ((hi - lo + 1) * Math.pow(random.nextDouble(), 2)));
        }
        return new String(text.toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    /** The longest allowed token that a text goes on with; negative if there is none. */
    int longest(byte[] text, int at, long[] allowed) {
        for (int length = Math.min(longest, text.length - at); length > 0; length--) {
            Integer token = ids.get(new String(text, at, length, StandardCharsets.ISO_8859_1));
            if (token != null && (allowed[token >> 6] >>> token & 1) != 0) {
                return token;
            }
        }
        return -1;
    }

    @Override
    public byte[] bytes(int token) {
        return tokens.get(token);
    }

    @Override
    public boolean isSpecial(int token) {
        return false;
    }

    @Override
    public int vocabSize() {
        return tokens.size();
    }

    @Override
    public OptionalInt id(String token) {
        return OptionalInt.empty();
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String decode(int[] tokens, boolean skipSpecialTokens) {
        throw new UnsupportedOperationException();
    }
}
