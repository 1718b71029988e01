package dev.penstock.weights;

import dev.penstock.model.Pooling;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What modules.json of a sentence-transformers folder says: how a text's vector comes about from those of its tokens.
 *
 * @param pooling of the vectors of tokens, if there is a module for it
 * @param normalized whether vectors are scaled to length 1
 */
record SentenceModules(Optional<Pooling> pooling, boolean normalized) {
    private static final String FILE = "modules.json";
    private static final int MAX_MODULES = 16;

    /** The ways of pooling as older and as newer files name them. */
    private enum Mode {
        CLS("pooling_mode_cls_token", "cls", Pooling.CLS),
        MEAN("pooling_mode_mean_tokens", "mean", Pooling.MEAN),
        LAST("pooling_mode_lasttoken", "lasttoken", Pooling.LAST);

        private final String flag;
        private final String label;
        private final Pooling pooling;

        Mode(String flag, String label, Pooling pooling) {
            this.flag = flag;
            this.label = label;
            this.pooling = pooling;
        }
    }

    /**
     * Reads the modules of a folder, if it has any.
     *
     * @throws ModelFolderException they are malformed, or there is one that is not supported
     */
    static Optional<SentenceModules> read(Path folder) {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        List<JsonFile> modules = JsonFile.readArray(file, ModelFolder.MAX_CONFIG_BYTES);
        if (modules.size() > MAX_MODULES) {
            throw ModelFolderException.in(file, "expected at most " + MAX_MODULES + " modules");
        }
        Optional<Pooling> pooling = Optional.empty();
        boolean normalized = false;
        for (JsonFile module : modules) {
            String type = module.optionalString("type").orElse("");
            switch (type.substring(type.lastIndexOf('.') + 1)) {
                case "Transformer" -> {}
                case "Pooling" -> pooling = Optional.of(pooling(folder, module));
                case "Normalize" -> normalized = true;
                default -> throw module.wrong("type", "Transformer, Pooling or Normalize, as are supported", type);
            }
        }
        return Optional.of(new SentenceModules(pooling, normalized));
    }

    private static Pooling pooling(Path folder, JsonFile module) {
        String path = module.optionalString("path").orElse("");
        // A plain name can't lead out of the folder.
        if (!path.matches("[A-Za-z0-9_-]+")) {
            throw module.wrong("path", "the name of a folder", path);
        }
        JsonFile config = JsonFile.read(folder.resolve(path).resolve(ModelFolder.CONFIG), ModelFolder.MAX_CONFIG_BYTES);
        Optional<String> named = config.optionalString("pooling_mode");
        List<Pooling> found = new ArrayList<>();
        for (Mode mode : Mode.values()) {
            if (named.map(mode.label::equals)
                    .orElseGet(() -> config.optionalBoolean(mode.flag).orElse(false))) {
                found.add(mode.pooling);
            }
        }
        if (found.size() != 1) {
            throw ModelFolderException.in(
                    config.file(), "expected one way of pooling: cls, mean or last token, found " + found);
        }
        return found.getFirst();
    }
}
