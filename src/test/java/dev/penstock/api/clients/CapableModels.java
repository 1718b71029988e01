package dev.penstock.api.clients;

import dev.penstock.api.ByteTokenizer;
import dev.penstock.model.Budget;
import dev.penstock.ops.ModelLoader;
import dev.penstock.ops.ModelRegistry;
import dev.penstock.ops.PenstockConfig;
import dev.penstock.prompt.ChatTemplates;
import dev.penstock.prompt.SamplingDefaults;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.Tokenizer;
import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.dialogue.DialogueFormat;
import dev.penstock.prompt.dialogue.ToolStyle;
import dev.penstock.routing.Member;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.time.Instant;
import java.util.List;
import java.util.Set;

/** Two models of {@link CapableBackend}, with a small vocabulary. */
@Alternative
@Singleton
public class CapableModels implements ModelLoader {
    static final String MODEL = "capable";
    static final String OTHER_MODEL = "capable-too";
    private static final int CONTEXT = 8192;

    @Override
    public void load(ModelRegistry registry) {
        for (String id : descriptions()) {
            Tokenizer tokenizer = new PieceTokenizer();
            registry.serve(
                    new ServedModel(
                            id,
                            Instant.parse("2026-01-02T03:04:05Z"),
                            "fp_" + id,
                            tokenizer,
                            new Constraints(tokenizer),
                            new DialogueFormat(ToolStyle.HERMES, null, Set.of()),
                            ChatTemplates.of(Knowledge.TEMPLATE),
                            "<s>",
                            "</s>",
                            Set.of(ByteTokenizer.END),
                            SamplingDefaults.NEUTRAL,
                            CONTEXT),
                    Budget.NONE,
                    List.of(Member.of(new CapableBackend(id, tokenizer))));
        }
    }

    @Override
    public void reload(PenstockConfig wanted, ModelRegistry registry) {}

    @Override
    public List<String> descriptions() {
        return List.of(MODEL, OTHER_MODEL);
    }

    @Override
    public void close() {}
}
