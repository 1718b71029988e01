package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Tells whether a schema allows a value, by reading the value's text. */
final class Acceptance {
    private final Automaton automaton;

    private Acceptance(Automaton automaton) {
        this.automaton = automaton;
    }

    /** Of what a schema allows. */
    static Acceptance of(SchemaCompiler compiler, JsonNode schema, String where) {
        List<Symbol> symbols = compiler.value(schema, where);
        compiler.finish();
        try {
            return new Acceptance(new Automaton(new Grammar(symbols)));
        } catch (ConstraintException nothing) {
            return new Acceptance(new Automaton(new Grammar(List.of())));
        }
    }

    /** Whether it allows this value, its members in the order of the schema. */
    boolean accepts(JsonNode value) {
        Config at = automaton.start();
        for (byte b : value.toString().getBytes(StandardCharsets.UTF_8)) {
            at = automaton.after(at, b & 0xFF);
        }
        return at.accepts();
    }
}
