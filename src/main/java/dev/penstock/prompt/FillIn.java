package dev.penstock.prompt;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * How a model is asked for what stands between two texts (Bavarian et al., "Efficient Training of Language Models to Fill in the
 * Middle", 2022): tokens that models were trained with tell it what comes before and what comes after.
 *
 * @param before the token ahead of the text before the gap
 * @param after the token ahead of the text after it
 * @param gap the token that ends the prompt; absent where the text before the gap does, and comes last
 */
public record FillIn(int before, int after, OptionalInt gap) {
    /** Names of tokens as families have them: before, after and, but for the last, gap. */
    private static final List<List<String>> FAMILIES = List.of(
            List.of("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
            List.of("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
            List.of("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
            List.of("▁<PRE>", "▁<SUF>", "▁<MID>"),
            List.of("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
            List.of("[PREFIX]", "[SUFFIX]"));

    /** What a tokenizer has tokens for; empty for a model that can't fill in. */
    public static Optional<FillIn> of(Tokenizer tokenizer) {
        for (List<String> names : FAMILIES) {
            List<OptionalInt> ids = names.stream().map(tokenizer::id).toList();
            if (ids.stream().allMatch(OptionalInt::isPresent)) {
                return Optional.of(new FillIn(
                        ids.get(0).orElseThrow(),
                        ids.get(1).orElseThrow(),
                        ids.size() > 2 ? ids.get(2) : OptionalInt.empty()));
            }
        }
        return Optional.empty();
    }

    /**
     * The prompt for a gap.
     *
     * @param prefix the tokens before it, which may begin with a begin token
     * @param suffix the tokens after it
     * @param begins how many of the prefix's tokens stay in front of everything
     */
    public int[] prompt(int[] prefix, int[] suffix, int begins) {
        IntStream front = IntStream.of(prefix).limit(begins);
        IntStream head = IntStream.of(prefix).skip(begins);
        IntStream first = IntStream.of(before);
        IntStream second = IntStream.of(after);
        IntStream body = gap.isPresent()
                ? concat(first, head, second, IntStream.of(suffix), IntStream.of(gap.getAsInt()))
                : concat(second, IntStream.of(suffix), first, head);
        return IntStream.concat(front, body).toArray();
    }

    private static IntStream concat(IntStream... parts) {
        return List.of(parts).stream().flatMapToInt(part -> part);
    }
}
