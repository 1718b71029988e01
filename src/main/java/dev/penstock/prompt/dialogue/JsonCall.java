package dev.penstock.prompt.dialogue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads one call that is a JSON object with a name and arguments, which may come in either order. Arguments are told of
 * as they come once the name is known; some models write them as a string, which is told of when it is whole.
 */
final class JsonCall implements CallReader {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final Set<String> ARGUMENTS = Set.of("arguments", "parameters");
    /** What a call may have beside name and arguments; an object that begins with anything else is none. */
    private static final Set<String> FURTHER = Set.of("type", "id");

    private static final int MAX_NAME = 64;

    private enum State {
        BEGIN,
        FIRST_KEY,
        KEY,
        IN_KEY,
        COLON,
        VALUE,
        IN_VALUE,
        NEXT
    }

    private final CallSink calls;
    private State state = State.BEGIN;
    /** The key, then the value where it is kept. */
    private final StringBuilder kept = new StringBuilder();

    private String key = "";
    private JsonScanner value = new JsonScanner();
    private @Nullable Tool tool;
    /** Arguments that came before the name. */
    private @Nullable String early;
    /** Whether the value that is read is told of as it comes. */
    private boolean streaming;

    private boolean ended;

    JsonCall(CallSink calls) {
        this.calls = calls;
    }

    @Override
    public Step take(char c) {
        if (state == State.IN_KEY) {
            return key(c);
        }
        if (state == State.IN_VALUE) {
            return value(c);
        }
        if (CharSink.isSpace(c)) {
            return Step.MORE;
        }
        return switch (state) {
            case BEGIN -> next(c == '{', State.FIRST_KEY);
            case FIRST_KEY, KEY -> next(c == '"', State.IN_KEY);
            case COLON -> next(c == ':', State.VALUE);
            case VALUE -> valueBegins(c);
            default -> c == '}' ? close() : next(c == ',', State.KEY);
        };
    }

    @Override
    public boolean rests() {
        return ended;
    }

    private Step key(char c) {
        if (c != '"') {
            kept.append(c);
            return kept.length() > MAX_NAME ? Step.BROKEN : Step.MORE;
        }
        key = kept.toString();
        kept.setLength(0);
        boolean known = key.equals("name") || ARGUMENTS.contains(key) || FURTHER.contains(key);
        return next(known || tool != null, State.COLON);
    }

    private Step valueBegins(char c) {
        boolean arguments = isArguments();
        if (arguments ? "{\"n".indexOf(c) < 0 : key.equals("name") && c != '"') {
            return Step.BROKEN;
        }
        value = new JsonScanner();
        state = State.IN_VALUE;
        streaming = false;
        if (arguments && c == '{' && tool != null) {
            streaming = true;
            calls.begin(tool);
        }
        return value(c);
    }

    private Step value(char c) {
        String written = value.escaped(c);
        Step step = value.take(c);
        if (step == Step.BROKEN) {
            return step;
        }
        if (step == Step.OVER) {
            // Only a number ends so, and nothing is done with one.
            kept.setLength(0);
            state = State.NEXT;
            return take(c);
        }
        if (streaming) {
            calls.arguments(written);
        } else if (key.equals("name") || isArguments()) {
            kept.append(written);
            // A name has quotes around it.
            if (key.equals("name") && kept.length() > MAX_NAME + 2) {
                return Step.BROKEN;
            }
        }
        if (step == Step.DONE) {
            state = State.NEXT;
            return valueEnds() ? Step.MORE : Step.BROKEN;
        }
        return step;
    }

    private boolean isArguments() {
        return !ended && early == null && ARGUMENTS.contains(key);
    }

    /** Whether the value is one that a call can have. */
    private boolean valueEnds() {
        if (streaming) {
            streaming = false;
            end();
            return true;
        }
        String whole = kept.toString();
        kept.setLength(0);
        if (isArguments()) {
            early = object(whole);
            if (early == null) {
                return false;
            }
        } else if (key.equals("name") && tool == null) {
            tool = calls.tool(whole.substring(1, whole.length() - 1));
            if (tool == null) {
                return false;
            }
        } else {
            return true;
        }
        if (tool != null && early != null) {
            tell(tool, early);
        }
        return true;
    }

    private Step close() {
        if (tool == null) {
            return Step.BROKEN;
        }
        if (!ended) {
            tell(tool, "{}");
        }
        return Step.DONE;
    }

    private void tell(Tool known, String arguments) {
        calls.begin(known);
        calls.arguments(arguments);
        end();
    }

    private void end() {
        calls.end();
        ended = true;
    }

    /** Arguments as the text of an object: of an object, of a string that holds one, of null; else null. */
    private static @Nullable String object(String json) {
        if (json.startsWith("{")) {
            return json;
        }
        try {
            JsonNode node = JSON.readTree(json);
            if (node.isNull()) {
                return "{}";
            }
            String inner = node.textValue().strip();
            return JSON.readTree(inner).isObject() ? inner : null;
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    private Step next(boolean fits, State after) {
        if (!fits) {
            return Step.BROKEN;
        }
        state = after;
        return Step.MORE;
    }
}
