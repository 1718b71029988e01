package dev.penstock.prompt.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Variables of a template, a loop's round, a macro's call or a block; what is not found goes on to the scope around. */
final class Scope {
    private final @Nullable Scope around;
    private @Nullable Map<String, Object> variables;

    Scope(@Nullable Scope around) {
        this.around = around;
    }

    void set(String name, Object value) {
        if (variables == null) {
            variables = new HashMap<>();
        }
        variables.put(name, value);
    }

    @Nullable
    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.around) {
            Object value = scope.variables == null ? null : scope.variables.get(name);
            if (value != null) {
                return value;
            }
        }
        return null;
    }
}
