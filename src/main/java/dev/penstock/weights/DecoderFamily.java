package dev.penstock.weights;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** A family of models: knows its config.json, and describes a member of it to the shared graph builder. */
interface DecoderFamily {
    /** All families that graphs can be built for. */
    List<DecoderFamily> ALL = List.of(new LlamaFamily());

    /** The name that goes into {@link dev.penstock.model.DecoderShape#family}. */
    String name();

    /** The class names under {@code architectures} in config.json that mean this family. */
    Set<String> architectures();

    /**
     * Reads a config.json of this family.
     *
     * @throws ModelFolderException a value is missing, absurd, or asks for what this family does not do
     */
    DecoderSpec describe(JsonFile config);

    /**
     * The family that a config.json asks for.
     *
     * @throws ModelFolderException there is none; the message lists those there are
     */
    static DecoderFamily of(JsonFile config) {
        List<String> wanted = config.strings("architectures");
        String known =
                ALL.stream().flatMap(f -> f.architectures().stream()).sorted().collect(Collectors.joining(", "));
        if (wanted.isEmpty()) {
            throw config.missing("architectures", "one of " + known);
        }
        return ALL.stream()
                .filter(f -> wanted.stream().anyMatch(f.architectures()::contains))
                .findFirst()
                .orElseThrow(() -> config.wrong("architectures", "one of the supported: " + known, wanted));
    }
}
