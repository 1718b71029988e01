package dev.penstock.weights;

import static dev.penstock.weights.PackedRuns.FP32_TOLERANCE;
import static dev.penstock.weights.PackedRuns.alone;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.engine.OnnxModelRunner;
import dev.penstock.engine.RunnerConfig;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.weights.ClassicAttention.Form;
import dev.penstock.weights.ClassicDecoder.Matrices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Snapshots in Hugging Face's cache: each file is a link to a blob that is named by its hash, in a folder beside. */
class HuggingFaceCacheTest {
    @TempDir
    Path temp;

    private HuggingFaceFolder source;
    private ReferenceModel reference;

    @BeforeEach
    void writeModel() {
        source = HuggingFaceFolder.read(TinyModels.gqa().shards(2).write(temp.resolve("model")));
        reference = ReferenceModel.read(source.path());
    }

    /** Moves a folder's files into a cache; returns the snapshot. */
    private Path cached(Path folder) throws IOException {
        Path cache = temp.resolve("hub/models--someone--model");
        Path blobs = Files.createDirectories(cache.resolve("blobs"));
        Path snapshot = cache.resolve("snapshots/5f0b02c75b57c5855da9ae460ce51323ea669d8a");
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(Files::isRegularFile).toList();
        }
        for (Path file : files) {
            byte[] hash = FileDigests.sha256().digest(Files.readAllBytes(file));
            Path blob = Files.move(file, blobs.resolve(FileDigests.hex(hash)));
            Path link = snapshot.resolve(folder.relativize(file));
            Path around = Objects.requireNonNull(link.getParent());
            Files.createDirectories(around);
            Files.createSymbolicLink(link, around.relativize(blob));
        }
        return snapshot;
    }

    private Variant build(Path folder) {
        return new ModelStore(temp.resolve("store"))
                .build(ModelFolder.open(folder), Precision.FP32, BuildOptions.defaults(), BuildProgress.NONE);
    }

    private void assertComputesTheReference(Variant variant) {
        RunnerConfig config = new RunnerConfig(2, KvType.FP32, PackedRuns.BLOCK_SIZE, PackedRuns.BLOCKS, 256, 256);
        try (OnnxModelRunner runner = OnnxModelRunner.open(variant.folder(), variant.shape(), config)) {
            assertThat(alone(runner, reference, new Random(1))).isLessThan(FP32_TOLERANCE);
        }
    }

    @Test
    void safetensorsAreReadThroughLinksAndAreTheSameModel() throws IOException {
        String plain = build(source.path()).id();
        AtomicFolder.delete(temp.resolve("store"));

        Variant variant = build(cached(source.path()));

        assertThat(variant.id()).isEqualTo(plain);
        assertComputesTheReference(variant);
    }

    @Test
    void graphAndDataOfGenaiAreReadThroughLinks() throws IOException {
        Path genai = ClassicFolders.genai(source, Form.GROUP_QUERY_PACKED, Matrices.FLOATS, temp.resolve("genai"));

        assertComputesTheReference(build(cached(genai)));
    }

    /** The empty name: data in the graph file itself. */
    @ParameterizedTest
    @ValueSource(strings = {"model.onnx_data", ""})
    void graphsInAFolderOfTheirOwnAreReadThroughLinks(String dataFile) throws IOException {
        Path optimum = ClassicFolders.optimum(source, temp.resolve("optimum"));
        ClassicDecoder.write(source, Form.DECOMPOSED, Matrices.FLOATS, optimum.resolve("onnx/model.onnx"), dataFile);

        assertComputesTheReference(build(cached(optimum)));
    }

    @Test
    void dataInAFolderBelowTheGraphAreRead() throws IOException {
        Path optimum = ClassicFolders.optimum(source, temp.resolve("optimum"));
        Files.createDirectories(optimum.resolve("onnx/data"));
        ClassicDecoder.write(
                source, Form.GROUP_QUERY, Matrices.FLOATS, optimum.resolve("onnx/model.onnx"), "data/weights");

        assertComputesTheReference(build(optimum));
        AtomicFolder.delete(temp.resolve("store"));
        assertComputesTheReference(build(cached(optimum)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "model-00002-of-00002.safetensors"})
    void aLinkWhoseBlobIsGoneIsNamed(String name) throws IOException {
        Path snapshot = cached(source.path());
        Files.delete(snapshot.resolve(name).toRealPath());

        assertThatThrownBy(() -> build(snapshot))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining(snapshot.toString())
                .hasMessageContaining(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.onnx", "model.onnx.data", "genai_config.json"})
    void aLinkOfGenaiWhoseBlobIsGoneIsNamed(String name) throws IOException {
        Path genai = ClassicFolders.genai(source, Form.GROUP_QUERY, Matrices.FLOATS, temp.resolve("genai"));
        Path snapshot = cached(genai);
        Files.delete(snapshot.resolve(name).toRealPath());

        assertThatThrownBy(() -> build(snapshot))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining(snapshot.toString())
                .hasMessageContaining(name);
    }
}
