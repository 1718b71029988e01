package dev.penstock.weights;

import com.fasterxml.jackson.databind.JsonNode;

/** The rotary embedding of {@link ReferenceModel}: a pair of numbers is a point that turns with the position. */
final class ReferenceRotary {
    private final double[] frequencies;
    private final double magnitude;
    private final boolean interleaved;

    private ReferenceRotary(double[] frequencies, double magnitude, boolean interleaved) {
        this.frequencies = frequencies;
        this.magnitude = magnitude;
        this.interleaved = interleaved;
    }

    /** That of a layer, which may see only a window. */
    static ReferenceRotary of(JsonNode config, int headSize, boolean windowed) {
        String family = config.get("model_type").asText();
        boolean glm = family.startsWith("glm") || family.equals("chatglm");
        boolean local = family.equals("gemma3_text") && windowed;
        double part = config.path("partial_rotary_factor").asDouble(glm ? 0.5 : 1);
        double theta = local
                ? config.path("rope_local_base_freq").asDouble(10_000)
                : config.path("rope_theta").asDouble(10_000)
                        * config.path("rope_ratio").asDouble(1);
        JsonNode scaling = local ? config.path("nothing") : config.path("rope_scaling");
        double[] frequencies = new double[(int) (headSize * part) / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double frequency = 1 / Math.pow(theta, (double) i / frequencies.length);
            frequencies[i] = scaled(frequency, i, scaling, config);
        }
        return new ReferenceRotary(frequencies, magnitude(scaling, config), glm);
    }

    private static String type(JsonNode scaling) {
        return scaling.path("rope_type").asText(scaling.path("type").asText());
    }

    private static double scaled(double frequency, int index, JsonNode scaling, JsonNode config) {
        return switch (type(scaling)) {
            case "linear" -> frequency / scaling.get("factor").asDouble();
            case "llama3" -> {
                double wavelength = 2 * Math.PI / frequency;
                double context = scaling.get("original_max_position_embeddings").asDouble();
                double low = scaling.get("low_freq_factor").asDouble();
                double high = scaling.get("high_freq_factor").asDouble();
                double factor = scaling.get("factor").asDouble();
                if (wavelength > context / low) {
                    yield frequency / factor;
                }
                double smooth = (context / wavelength - low) / (high - low);
                yield wavelength > context / high ? (1 - smooth) * frequency / factor + smooth * frequency : frequency;
            }
            case "longrope", "su" -> {
                boolean extended = config.get("max_position_embeddings").asInt()
                        > config.get("original_max_position_embeddings").asInt();
                yield frequency
                        / scaling.get(extended ? "long_factor" : "short_factor")
                                .get(index)
                                .asDouble();
            }
            default -> frequency;
        };
    }

    private static double magnitude(JsonNode scaling, JsonNode config) {
        if (!scaling.has("long_factor")) {
            return 1;
        }
        double original = config.get("original_max_position_embeddings").asDouble();
        double stretch = config.get("max_position_embeddings").asDouble() / original;
        return stretch > 1 ? Math.sqrt(1 + Math.log(stretch) / Math.log(original)) : 1;
    }

    /** Turns the head that begins there. */
    void rotate(double[] vector, int head, int position) {
        int pairs = frequencies.length;
        for (int i = 0; i < pairs; i++) {
            int first = head + (interleaved ? 2 * i : i);
            int second = head + (interleaved ? 2 * i + 1 : i + pairs);
            double cos = magnitude * Math.cos(position * frequencies[i]);
            double sin = magnitude * Math.sin(position * frequencies[i]);
            double a = vector[first];
            double b = vector[second];
            vector[first] = a * cos - b * sin;
            vector[second] = b * cos + a * sin;
        }
    }
}
