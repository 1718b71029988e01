package dev.penstock.weights;

import dev.penstock.model.Device;
import dev.penstock.model.EncoderTask;
import dev.penstock.model.Precision;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** An encoder's safetensors, of which graphs of all precisions of the CPU are built. */
public final class EncoderCheckpoint implements EncoderFolder.Weights {
    private final Path path;
    private final EncoderSpec spec;
    private final List<Path> files;
    private final Map<String, Path> index;

    private EncoderCheckpoint(Path path, EncoderSpec spec, List<Path> files, Map<String, Path> index) {
        this.path = path;
        this.spec = spec;
        this.files = files;
        this.index = index;
    }

    /** Finds the weights of a folder and checks their headers; throws ModelFolderException. */
    static EncoderCheckpoint read(Path path, JsonFile config, EncoderTask task) {
        Map<String, Path> index = HuggingFaceFolder.index(path);
        List<Path> files = HuggingFaceFolder.weightFiles(path, index);
        try (Checkpoint weights = Checkpoint.open(path, files, index)) {
            return new EncoderCheckpoint(path, BertFamily.describe(config, task, weights::has), files, index);
        }
    }

    EncoderSpec spec() {
        return spec;
    }

    /** Maps the safetensors files; the caller closes the source. */
    WeightSource openWeights() {
        return Checkpoint.open(path, files, index);
    }

    /** The files that decide what a graph is, absolute. */
    List<Path> sourceFiles() {
        return Stream.concat(Stream.of(path.resolve(ModelFolder.CONFIG)), files.stream())
                .toList();
    }

    /** As it is where nothing is asked for: encoders are small. */
    @Override
    public Precision precision(Optional<Precision> asked) {
        Precision precision = asked.orElse(Precision.FP32);
        BuildOptions.on(Device.CPU).layoutOf(precision);
        return precision;
    }
}
