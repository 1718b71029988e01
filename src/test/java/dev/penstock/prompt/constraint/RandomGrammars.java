package dev.penstock.prompt.constraint;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Small grammars made by chance: recursive, ambiguous, nullable, some with rules that derive nothing or begin with themselves. */
final class RandomGrammars {
    static final String ALPHABET = "abc";

    private final RandomGenerator random;
    private final List<Rule> rules;

    private RandomGrammars(RandomGenerator random) {
        this.random = random;
        rules = IntStream.range(0, 1 + random.nextInt(4))
                .mapToObj(i -> new Rule("r" + i))
                .toList();
    }

    static List<Symbol> grammar(RandomGenerator random) {
        RandomGrammars made = new RandomGrammars(random);
        made.rules.forEach(rule -> rule.define(made.symbols(2)));
        return made.symbols(2);
    }

    private List<Symbol> symbols(int depth) {
        List<Symbol> symbols = new ArrayList<>();
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            symbols.add(symbol(depth));
        }
        return symbols;
    }

    private Symbol symbol(int depth) {
        int kind = random.nextInt(depth > 0 ? 7 : 5);
        return switch (kind) {
            case 0, 1, 2 -> new Symbol.Lex(regex(2));
            case 3, 4 -> new Symbol.Ref(rules.get(random.nextInt(rules.size())));
            case 5 ->
                new Symbol.Choice(IntStream.range(0, 1 + random.nextInt(3))
                        .mapToObj(i -> symbols(depth - 1))
                        .toList());
            default -> {
                int min = random.nextInt(3);
                int max = random.nextBoolean() ? Regex.UNBOUNDED : min + random.nextInt(3);
                yield new Symbol.Repeat(symbols(depth - 1), min, max);
            }
        };
    }

    private Regex regex(int depth) {
        int kind = random.nextInt(depth > 0 ? 8 : 4);
        return switch (kind) {
            case 0 -> Regex.literal(TestVocabulary.text(random, ALPHABET, random.nextInt(3)));
            case 1 -> Regex.range('a', 'a' + random.nextInt(3));
            case 2, 3 -> Regex.literal(TestVocabulary.text(random, ALPHABET, 1));
            case 4 -> Regex.union(regex(depth - 1), regex(depth - 1));
            case 5 -> Regex.concat(regex(depth - 1), regex(depth - 1));
            case 6 -> {
                int min = random.nextInt(3);
                yield Regex.repeat(regex(depth - 1), min, random.nextBoolean() ? Regex.UNBOUNDED : min + random.nextInt(3));
            }
            default -> {
                Regex a = regex(depth - 1);
                yield random.nextBoolean() ? Regex.and(a, Regex.not(regex(depth - 1))) : Regex.and(a, regex(depth - 1));
            }
        };
    }
}
