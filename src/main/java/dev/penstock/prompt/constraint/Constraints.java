package dev.penstock.prompt.constraint;

import dev.penstock.model.OutputConstraint;
import dev.penstock.prompt.Tokenizer;

/** Compiles constraints for one vocabulary, and keeps those that were used last. Safe for many threads. */
public final class Constraints {
    private final Tokenizer tokenizer;

    /** For completions of this tokenizer's tokens. */
    public Constraints(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * The constraint that allows what has this form.
     *
     * @throws ConstraintException it can't be enforced, or nothing has it
     */
    public OutputConstraint compile(OutputForm form) {
        throw new ConstraintException("no form is known for " + tokenizer.vocabSize() + " tokens: " + form);
    }
}
