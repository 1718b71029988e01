package dev.penstock.weights;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** A family of models: knows its config.json, and describes a member of it to the shared graph builder. */
interface DecoderFamily {
    /** All families that graphs can be built for. */
    List<DecoderFamily> ALL = List.of(
            new LlamaFamily(),
            new MistralFamily(),
            new MixtralFamily(),
            new QwenFamily(2),
            new QwenFamily(3),
            new GemmaFamily(),
            new Gemma2Family(),
            new Gemma3Family(),
            new Phi3Family(),
            GlmFamily.glm(),
            GlmFamily.glm4(),
            new ChatGlmFamily(),
            new GrokFamily());

    /** Why GLM of 2022 can't be served by a step that computes a prompt in chunks over a causal cache. */
    String BIDIRECTIONAL =
            "its tokens attend to the whole prompt, to what comes after them too, so that no prompt could"
                    + " be computed in chunks or share its cache with another; GLM-4 is supported";

    /** Architectures that are known and can't be served, and why. */
    Map<String, String> REFUSED = Map.of(
            "GLMModel", BIDIRECTIONAL,
            "GLMForConditionalGeneration", BIDIRECTIONAL,
            "GLM130B", BIDIRECTIONAL);

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
     * @throws ModelFolderException there is none; the message says why, or lists those there are
     */
    static DecoderFamily of(JsonFile config) {
        List<String> wanted = config.strings("architectures");
        String known =
                ALL.stream().flatMap(f -> f.architectures().stream()).sorted().collect(Collectors.joining(", "));
        if (wanted.isEmpty()) {
            throw config.missing("architectures", "one of " + known);
        }
        for (String name : wanted) {
            if (REFUSED.containsKey(name)) {
                throw ModelFolderException.in(config.file(), name + " is not supported: " + REFUSED.get(name));
            }
        }
        return ALL.stream()
                .filter(f -> wanted.stream()
                        .anyMatch(name -> f.architectures().contains(name)
                                || f.architectures().contains(withHead(name))))
                .findFirst()
                .orElseThrow(() -> config.wrong("architectures", "one of the supported: " + known, wanted));
    }

    /** Whether an architecture is a decoder of a known family without its head. */
    static boolean isHeadless(String architecture) {
        return ALL.stream().noneMatch(f -> f.architectures().contains(architecture))
                && ALL.stream().anyMatch(f -> f.architectures().contains(withHead(architecture)));
    }

    private static String withHead(String architecture) {
        return architecture.endsWith("Model")
                ? architecture.substring(0, architecture.length() - "Model".length()) + "ForCausalLM"
                : architecture;
    }
}
