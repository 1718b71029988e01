package dev.penstock.api;

import dev.penstock.model.Budget;
import dev.penstock.ops.ModelLoader;
import dev.penstock.ops.ModelRegistry;
import dev.penstock.ops.PenstockConfig;
import dev.penstock.prompt.SamplingDefaults;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.dialogue.DialogueFormat;
import dev.penstock.prompt.dialogue.ReasoningTags;
import dev.penstock.prompt.dialogue.ToolStyle;
import dev.penstock.routing.Member;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Scripted models: {@code scripted} with a chat template that knows tools, {@code lab/plain} without one, and {@code thinker}, which
 * reasons too.
 */
@Alternative
@Singleton
public class ScriptedModels implements ModelLoader {
    public static final String CHAT = "scripted";
    public static final String PLAIN = "lab/plain";
    public static final String THINKER = "thinker";
    public static final int CONTEXT = 200;
    public static final SamplingDefaults DEFAULTS = new SamplingDefaults(0.6f, 0.9f, 40, 0.05f, 1.1f);

    private final ScriptedBackend chat = new ScriptedBackend(CHAT);
    private final ScriptedBackend plain = new ScriptedBackend(PLAIN);

    private final ScriptedBackend thinker = new ScriptedBackend(THINKER);

    /** What stands behind {@link #THINKER}. */
    public ScriptedBackend thinker() {
        return thinker;
    }

    /** What stands behind {@link #CHAT}. */
    public ScriptedBackend chat() {
        return chat;
    }

    /** What stands behind {@link #PLAIN}. */
    public ScriptedBackend plain() {
        return plain;
    }

    @Override
    public void load(ModelRegistry registry) {
        Instant created = Instant.parse("2026-01-02T03:04:05Z");
        registry.serve(
                new ServedModel(
                        CHAT,
                        created,
                        "fp_scripted",
                        new ByteTokenizer(),
                        new Constraints(new ByteTokenizer()),
                        new DialogueFormat(ToolStyle.HERMES, null, Set.of()),
                        ScriptedModels::render,
                        "<s>",
                        "</s>",
                        Set.of(ByteTokenizer.END),
                        DEFAULTS,
                        CONTEXT),
                Budget.NONE,
                List.of(Member.of(chat)));
        registry.serve(
                new ServedModel(
                        PLAIN,
                        created,
                        "fp_plain",
                        new ByteTokenizer(),
                        new Constraints(new ByteTokenizer()),
                        new DialogueFormat(ToolStyle.NONE, null, Set.of()),
                        null,
                        null,
                        null,
                        Set.of(ByteTokenizer.END),
                        SamplingDefaults.NEUTRAL,
                        CONTEXT),
                Budget.NONE,
                List.of(Member.of(plain)));
        registry.serve(
                new ServedModel(
                        THINKER,
                        created,
                        "fp_thinker",
                        new ByteTokenizer(),
                        new Constraints(new ByteTokenizer()),
                        new DialogueFormat(ToolStyle.HERMES, ReasoningTags.THINK, Set.of()),
                        ScriptedModels::render,
                        "<s>",
                        "</s>",
                        Set.of(ByteTokenizer.END),
                        SamplingDefaults.NEUTRAL,
                        CONTEXT),
                Budget.NONE,
                List.of(Member.of(thinker)));
    }

    @Override
    public void reload(PenstockConfig wanted, ModelRegistry registry) {}

    @Override
    public List<String> descriptions() {
        return List.of(CHAT, PLAIN, THINKER);
    }

    @Override
    public void close() {}

    private static String render(Map<String, Object> variables) {
        StringBuilder text = new StringBuilder(String.valueOf(variables.get("bos_token")));
        for (Object message : (List<?>) variables.getOrDefault("messages", List.of())) {
            Map<?, ?> map = (Map<?, ?>) message;
            text.append('[')
                    .append(map.get("role"))
                    .append(']')
                    .append(map.get("content"))
                    .append('\n');
        }
        if (variables.get("tools") instanceof List<?> tools) {
            text.append("{tools ").append(tools.size()).append('}');
        }
        if (variables.containsKey("mood")) {
            text.append("{mood ").append(variables.get("mood")).append('}');
        }
        return text.append(variables.get("add_generation_prompt") == Boolean.TRUE ? "[assistant]" : "")
                .toString();
    }
}
