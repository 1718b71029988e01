package dev.penstock.ops;

import dev.penstock.prompt.ChatTemplate;
import dev.penstock.prompt.ChatTemplates;
import dev.penstock.prompt.SamplingDefaults;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.TemplateByTools;
import dev.penstock.prompt.TemplateException;
import dev.penstock.prompt.constraint.Constraints;
import dev.penstock.prompt.dialogue.DialogueFormat;
import dev.penstock.prompt.tokenizer.HfTokenizer;
import dev.penstock.prompt.tokenizer.Tokenizers;
import dev.penstock.weights.GenerationConfig;
import dev.penstock.weights.ModelFolder;
import dev.penstock.weights.TokenizerConfig;
import dev.penstock.weights.Variant;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes the text side of a model from what its folder says. */
final class ModelText {
    private ModelText() {}

    /** The folder's tokenizer; the caller closes it. */
    static HfTokenizer tokenizer(ModelFolder folder) throws IOException {
        Path file = folder.tokenizerJson()
                .or(folder::tokenizerModel)
                .orElseThrow(() -> new StartException(
                        "The model folder " + folder.path() + " has neither a tokenizer.json nor a tokenizer.model."));
        return Tokenizers.load(file);
    }

    /** What the API needs of the model. */
    static ServedModel served(
            ModelSettings settings,
            Variant variant,
            HfTokenizer tokenizer,
            Constraints constraints,
            @Nullable ChatTemplate template,
            int contextLength) {
        TokenizerConfig texts = settings.folder().tokenizer();
        GenerationConfig generation = settings.folder().generation();
        return new ServedModel(
                settings.name(),
                Instant.now(),
                fingerprint(variant),
                tokenizer,
                constraints,
                DialogueFormat.detect(toolTemplate(texts), tokenizer, null),
                template,
                texts.bosToken().orElse(null),
                texts.eosToken().orElse(null),
                eosTokens(generation, texts, tokenizer),
                defaults(generation),
                contextLength);
    }

    /** The folder's chat template, null where it has none; throws StartException where it can't be read. */
    static @Nullable ChatTemplate template(ModelSettings settings) {
        TokenizerConfig texts = settings.folder().tokenizer();
        String plain = texts.chatTemplates().get(TokenizerConfig.DEFAULT_TEMPLATE);
        String withTools = toolTemplate(texts);
        if (plain == null || withTools == null) {
            return null;
        }
        try {
            ChatTemplate template = ChatTemplates.of(plain);
            return withTools.equals(plain) ? template : new TemplateByTools(template, ChatTemplates.of(withTools));
        } catch (TemplateException e) {
            throw new StartException("The model " + settings.name() + " can't be served: " + e.getMessage(), e);
        }
    }

    /** The one that tells how the model calls tools. */
    private static @Nullable String toolTemplate(TokenizerConfig texts) {
        Map<String, String> templates = texts.chatTemplates();
        String plain = templates.get(TokenizerConfig.DEFAULT_TEMPLATE);
        return plain == null ? null : templates.getOrDefault(TokenizerConfig.TOOL_TEMPLATE, plain);
    }

    /** Chat models often end a turn with the tokenizer's end token, and a document with that of the configuration. */
    private static Set<Integer> eosTokens(GenerationConfig generation, TokenizerConfig texts, HfTokenizer tokenizer) {
        Set<Integer> tokens = new HashSet<>(generation.eosTokens());
        texts.eosToken().ifPresent(text -> tokenizer.id(text).ifPresent(tokens::add));
        return tokens;
    }

    private static SamplingDefaults defaults(GenerationConfig generation) {
        SamplingDefaults neutral = SamplingDefaults.NEUTRAL;
        boolean greedy = !generation.doSample().orElse(true);
        return new SamplingDefaults(
                (float) generation.temperature().orElse(greedy ? 0 : neutral.temperature()),
                (float) generation.topP().orElse(neutral.topP()),
                generation.topK().orElse(neutral.topK()),
                (float) generation.minP().orElse(neutral.minP()),
                (float) generation.repetitionPenalty().orElse(neutral.repetitionPenalty()));
    }

    /** The same for the same weights, precision and build of this program. */
    private static String fingerprint(Variant variant) {
        String all = variant.id() + Penstock.version();
        return "fp_"
                + UUID.nameUUIDFromBytes(all.getBytes(StandardCharsets.UTF_8))
                        .toString()
                        .replace("-", "")
                        .substring(0, 12);
    }
}
