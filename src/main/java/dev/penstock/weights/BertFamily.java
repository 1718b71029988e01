package dev.penstock.weights;

import dev.penstock.model.EncoderTask;
import dev.penstock.weights.EncoderSpec.Classifier;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/** BERT, and RoBERTa, XLM-RoBERTa and CamemBERT, which count positions in another way and have another classifier. */
final class BertFamily {
    private static final Set<String> ROBERTA = Set.of("roberta", "xlm-roberta", "camembert");

    private BertFamily() {}

    /** Whether graphs can be built for the model of a config.json. */
    static boolean knows(JsonFile config) {
        String type = config.optionalString("model_type").orElse("");
        return type.equals("bert") || ROBERTA.contains(type);
    }

    /**
     * Reads a config.json that {@link #knows} accepts.
     *
     * @param named whether a tensor of that name is in the checkpoint
     * @throws ModelFolderException a value is missing, absurd, or asks for what this family does not do
     */
    static EncoderSpec describe(JsonFile json, EncoderTask task, Predicate<String> named) {
        String type = json.optionalString("model_type").orElse("");
        boolean roberta = ROBERTA.contains(type);
        DecoderConfig config = new DecoderConfig(json, Map.of());
        String positions = json.optionalString("position_embedding_type").orElse("absolute");
        if (!positions.equals("absolute")) {
            throw json.wrong("position_embedding_type", "absolute", positions);
        }
        String activation = json.optionalString("hidden_act").orElse("gelu");
        if (!Set.of("gelu", "gelu_new", "gelu_pytorch_tanh").contains(activation)) {
            throw json.wrong("hidden_act", "gelu, gelu_new or gelu_pytorch_tanh", activation);
        }
        String base = roberta ? "roberta." : "bert.";
        Classifier classifier = roberta
                ? new Classifier("classifier.dense", "classifier.out_proj")
                : new Classifier("bert.pooler.dense", "classifier");
        return new EncoderSpec(
                config.shape(type),
                named.test(base + "embeddings.word_embeddings.weight") ? base : "",
                json.optionalDouble("layer_norm_eps", 0, 1).orElse(1e-12),
                json.optionalInt("type_vocab_size", 1, DecoderConfig.MAX_WIDTH).orElse(2),
                roberta
                        ? OptionalInt.of(json.tokenIds("pad_token_id").stream()
                                .findFirst()
                                .orElse(1))
                        : OptionalInt.empty(),
                !activation.equals("gelu"),
                task == EncoderTask.RERANK ? Optional.of(classifier) : Optional.empty());
    }
}
