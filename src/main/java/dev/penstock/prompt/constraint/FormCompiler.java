package dev.penstock.prompt.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** Turns the form of a text into symbols of a grammar. */
final class FormCompiler {
    /** Text in UTF-8. */
    static final Regex TEXT = Regex.repeat(Regex.codePoints(0, Character.MAX_CODE_POINT), 0, Regex.UNBOUNDED);

    private FormCompiler() {}

    /** The symbols, one after the other. */
    static List<Symbol> compile(OutputForm form) {
        return switch (form) {
            case OutputForm.Literal(String text) -> List.of(new Symbol.Lex(Regex.literal(text)));
            case OutputForm.Special(String token) -> List.of(new Symbol.Lex(TokenTrie.special(token)));
            case OutputForm.TextWithout(String end) -> List.of(new Symbol.Lex(textWithout(end)));
            case OutputForm.Sequence(List<OutputForm> parts) ->
                parts.stream().flatMap(part -> compile(part).stream()).toList();
            case OutputForm.Choice(List<OutputForm> options) ->
                List.of(new Symbol.Choice(
                        options.stream().map(FormCompiler::compile).toList()));
            case OutputForm.Repeat(OutputForm item, int min, int max) ->
                List.of(new Symbol.Repeat(compile(item), min, max));
            case OutputForm.Json(JsonNode schema) -> SchemaCompiler.compile(schema);
            case OutputForm.Regex(String pattern) -> List.of(new Symbol.Lex(RegexParser.whole(pattern)));
            case OutputForm.Grammar(String gbnf) -> GbnfParser.parse(gbnf);
        };
    }

    private static Regex textWithout(String end) {
        if (end.isEmpty()) {
            return TEXT;
        }
        Regex anywhere = Regex.concat(Regex.ANYTHING, Regex.literal(end), Regex.ANYTHING);
        return Regex.and(TEXT, Regex.not(anywhere));
    }
}
