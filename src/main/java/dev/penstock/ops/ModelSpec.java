package dev.penstock.ops;

import dev.penstock.model.Device;
import dev.penstock.model.EncoderTask;
import dev.penstock.model.KvType;
import dev.penstock.model.Pooling;
import dev.penstock.model.Precision;
import dev.penstock.weights.Rounding;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A model as the command line names it: {@code NAME=FOLDER[,KEY=VALUE]...}.
 *
 * @param name what callers name in {@code model}
 * @param folder a Hugging Face folder, or one with ONNX graphs
 * @param settings the rest, by key, checked
 */
record ModelSpec(String name, String folder, Map<String, String> settings) {
    /** What the properties of all models begin with. */
    static final String PREFIX = "penstock.models.";

    private static final String FORM =
            "NAME=FOLDER[,device=cpu|cuda:N][,precision=fp32|fp16|int8|int4|mixed][,rounding=search|nearest][,kv=fp32|fp16|int8][,threads=N][,context=N][,task=generate|embed|rerank][,pooling=mean|cls|last]";

    /**
     * Reads it.
     *
     * @throws TypeConversionException with what is wrong with it
     */
    static ModelSpec parse(String text) {
        String[] parts = text.split(",", -1);
        int equals = parts[0].indexOf('=');
        if (equals < 1 || equals == parts[0].length() - 1) {
            throw wrong("must be " + FORM, text);
        }
        if (parts[0].substring(0, equals).matches(".*[\"\\\\].*")) {
            throw wrong("must have a name without quotes and backslashes", text);
        }
        Map<String, String> settings = new LinkedHashMap<>();
        for (int i = 1; i < parts.length; i++) {
            String[] setting = parts[i].split("=", 2);
            if (setting.length < 2 || setting[1].isEmpty()) {
                throw wrong("must be " + FORM, text);
            }
            check(setting[0], setting[1], text);
            if (settings.put(setting[0], setting[1]) != null) {
                throw wrong("names " + setting[0] + " twice", text);
            }
        }
        return new ModelSpec(parts[0].substring(0, equals), parts[0].substring(equals + 1), settings);
    }

    /** Keys of the model; the others are of its replica. */
    private static final Set<String> OF_MODEL = Set.of("context", "task", "pooling");

    /** The properties that configure this model, with one replica. */
    Map<String, String> properties() {
        String prefix = PREFIX + '"' + name + "\".";
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put(prefix + "source", folder);
        properties.put(prefix + "backends[0].kind", "replica");
        settings.forEach(
                (key, value) -> properties.put(prefix + (OF_MODEL.contains(key) ? key : "backends[0]." + key), value));
        return properties;
    }

    private static void check(String key, String value, String text) {
        switch (key) {
            case "device" -> {
                if (Device.ofLabel(value).isEmpty()) {
                    throw wrong("has the device '" + value + "', but there are " + Device.labels(), text);
                }
            }
            case "precision" -> {
                if (Precision.ofLabel(value).isEmpty()) {
                    throw wrong("has the precision '" + value + "', but there are " + Precision.labels(), text);
                }
            }
            case "rounding" -> {
                if (Rounding.ofLabel(value).isEmpty()) {
                    throw wrong("has the rounding '" + value + "', but there are nearest and search", text);
                }
            }
            case "kv" -> {
                if (KvType.ofLabel(value).isEmpty()) {
                    throw wrong("has the kv '" + value + "', but there are " + KvType.labels(), text);
                }
            }
            case "threads", "context" -> {
                if (!value.matches("[1-9][0-9]{0,8}")) {
                    throw wrong("needs a positive number for " + key + ", not '" + value + "'", text);
                }
            }
            case "task" -> {
                if (!value.equals(EncoderSettings.GENERATE)
                        && Arrays.stream(EncoderTask.values())
                                .noneMatch(t -> t.label().equals(value))) {
                    throw wrong("has the task '" + value + "', but there are " + EncoderSettings.TASKS, text);
                }
            }
            case "pooling" -> {
                if (Pooling.ofLabel(value).isEmpty()) {
                    throw wrong("has the pooling '" + value + "', but there are " + Pooling.labels(), text);
                }
            }
            default ->
                throw wrong(
                        "has the setting '" + key
                                + "', but there are device, precision, rounding, kv, threads, context, task and pooling",
                        text);
        }
    }

    private static TypeConversionException wrong(String what, String text) {
        return new TypeConversionException(what + "; it is '" + text + "'");
    }

    /** For picocli. */
    static final class Converter implements ITypeConverter<ModelSpec> {
        @Override
        public ModelSpec convert(String value) {
            return parse(value);
        }
    }
}
