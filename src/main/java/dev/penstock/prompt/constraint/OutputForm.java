package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** A description of the texts that a completion may have; equal descriptions are compiled once. */
public sealed interface OutputForm {
    /** This text. */
    record Literal(String text) implements OutputForm {}

    /** One of the model's special tokens, by its exact name, such as {@code [TOOL_CALLS]}. */
    record Special(String token) implements OutputForm {}

    /** A JSON value that is valid under this JSON Schema, draft 2020-12; {@code true} and {@code {}} allow any value. */
    record Json(JsonNode schema) implements OutputForm {}

    /** What the whole of this regular expression matches. */
    record Regex(String pattern) implements OutputForm {}

    /** What the {@code root} rule of this grammar derives; GBNF as llama.cpp writes it. */
    record Grammar(String gbnf) implements OutputForm {}

    /** Any text in which {@code end} does not occur, not even in part beyond it; an empty {@code end} allows any text. */
    record TextWithout(String end) implements OutputForm {}

    /** One after the other. */
    record Sequence(List<OutputForm> parts) implements OutputForm {
        /** Copies the list. */
        public Sequence {
            parts = List.copyOf(parts);
        }
    }

    /** One of these. */
    record Choice(List<OutputForm> options) implements OutputForm {
        /** Copies the list. */
        public Choice {
            options = List.copyOf(options);
        }
    }

    /** At least {@code min} and at most {@code max} times. */
    record Repeat(OutputForm form, int min, int max) implements OutputForm {}
}
