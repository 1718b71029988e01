package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.penstock.model.OutputConstraint;
import dev.penstock.model.OutputFollower;
import dev.penstock.prompt.Tokenizer;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Compiles constraints for one vocabulary, and keeps those that were used last. Safe for many threads. */
public final class Constraints {
    private static final int MAX_KEPT = 64;
    private static final long MAX_MASK_BYTES = 128L << 20;

    /** What many texts are made of: objects, strings, numbers. */
    private static final OutputForm USUAL =
            new OutputForm.Json(JsonNodeFactory.instance.objectNode().put("type", "object"));

    private static final int WARM_UP_TOKENS = 60;

    private final Tokenizer tokenizer;

    // Guarded by this.
    private @Nullable TokenTrie trie;
    private @Nullable TokenMasks masks;

    // Guarded by itself.
    private final Map<OutputForm, CompiledConstraint> kept = new LinkedHashMap<>(16, 0.75f, true);

    /** For completions of this tokenizer's tokens. */
    public Constraints(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Does what the first constraint would otherwise wait for: the vocabulary is read, and masks that most have in common are found. */
    public void warmUp() {
        OutputFollower follower = compile(USUAL).follow();
        Random random = new Random(1);
        for (int i = 0; i < WARM_UP_TOKENS && !follower.mustEnd(); i++) {
            int[] allowed = BitSet.valueOf(follower.allowed()).stream().toArray();
            follower.accept(allowed[random.nextInt(allowed.length)]);
        }
    }

    /**
     * The constraint that allows what has this form.
     *
     * @throws ConstraintException it can't be enforced, or nothing has it
     */
    public OutputConstraint compile(OutputForm form) {
        synchronized (kept) {
            CompiledConstraint known = kept.get(form);
            if (known != null) {
                return known;
            }
        }
        CompiledConstraint constraint;
        try {
            constraint = compiled(new Grammar(FormCompiler.compile(form)));
        } catch (StackOverflowError e) {
            throw new ConstraintException("it is nested too deeply.");
        }
        CompiledConstraint oldest = keep(form, constraint);
        if (oldest != null) {
            // Masks that are kept hold its configurations, and those would hold all that they lead to.
            oldest.forget();
        }
        return constraint;
    }

    /** Whether {@link #compile} takes this form; keeps nothing of it. */
    public static boolean takes(OutputForm form) {
        try {
            new Grammar(FormCompiler.compile(form));
            return true;
        } catch (ConstraintException | StackOverflowError e) {
            return false;
        }
    }

    /** The one that is kept no longer for it; null if there is room. */
    private @Nullable CompiledConstraint keep(OutputForm form, CompiledConstraint constraint) {
        synchronized (kept) {
            CompiledConstraint before = kept.put(form, constraint);
            return kept.size() > MAX_KEPT ? kept.remove(kept.keySet().iterator().next()) : before;
        }
    }

    private synchronized CompiledConstraint compiled(Grammar grammar) {
        TokenTrie tokens = trie;
        TokenMasks known = masks;
        if (tokens == null || known == null) {
            tokens = TokenTrie.of(tokenizer);
            known = new TokenMasks(tokens, MAX_MASK_BYTES);
            trie = tokens;
            masks = known;
        }
        return new CompiledConstraint(tokens, known, grammar);
    }

    /** Bytes of the masks that are kept for all constraints. */
    public synchronized long heldBytes() {
        return masks == null ? 0 : masks.keptBytes();
    }
}
