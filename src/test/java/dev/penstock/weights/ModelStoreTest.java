package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.ChildJvm;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelStoreTest {
    private static final BuildOptions OPTIONS = new BuildOptions(2, 1 << 20, WeightLayout.STANDARD);

    @TempDir
    Path temp;

    private Path root;
    private ModelStore store;
    private Path model;

    @BeforeEach
    void writeModel() {
        root = temp.resolve("store");
        store = new ModelStore(root);
        model = TinyModels.gqa().write(temp.resolve("model"));
    }

    /** Remembers the phases. */
    private static final class Phases implements BuildProgress {
        final List<String> names = Collections.synchronizedList(new ArrayList<>());
        final AtomicLong expected = new AtomicLong();
        final AtomicLong done = new AtomicLong();

        @Override
        public void start(String phase, long bytes) {
            names.add(phase);
            expected.set(bytes);
            done.set(0);
        }

        @Override
        public void advance(long bytes) {
            done.addAndGet(bytes);
        }

        @Override
        public void close() {}
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FP16")
    void variantHasItsFilesAndIsFoundAgain(Precision precision) throws IOException {
        Phases first = new Phases();
        Variant built = store.build(ModelFolder.open(model), precision, OPTIONS, first);
        assertThat(first.names).contains("Building " + precision.label());
        assertThat(first.done.get()).isEqualTo(first.expected.get()).isPositive();
        for (KvType kvType : KvType.values()) {
            assertThat(built.graph(kvType)).isRegularFile();
        }
        assertThat(built.folder().resolve("variant.json")).content().contains(built.id(), "\"hiddenSize\" : 64");
        assertThat(built.shape().family()).isEqualTo("llama");
        byte[] data = Files.readAllBytes(built.folder().resolve("model.onnx.data"));

        Phases second = new Phases();
        assertThat(new ModelStore(root).build(ModelFolder.open(model), precision, OPTIONS, second))
                .isEqualTo(built);
        assertThat(second.names).doesNotContain("Building " + precision.label());
        assertThat(Files.readAllBytes(built.folder().resolve("model.onnx.data")))
                .isEqualTo(data);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "CUDA")
    void threadsDoNotChangeTheBytes(WeightLayout layout) throws IOException {
        Variant one = store.build(
                ModelFolder.open(model), Precision.INT4, new BuildOptions(1, 128, layout), BuildProgress.NONE);
        Variant four = new ModelStore(temp.resolve("other"))
                .build(ModelFolder.open(model), Precision.INT4, new BuildOptions(4, 128, layout), BuildProgress.NONE);
        assertThat(four.id()).isEqualTo(one.id());
        for (String file : List.of("model.onnx", "model.onnx.data")) {
            assertThat(four.folder().resolve(file))
                    .hasSameBinaryContentAs(one.folder().resolve(file));
        }
    }

    @Test
    void contextIsLimitedWhereTheOptionsSaySo() {
        Variant variant = store.build(
                ModelFolder.open(model),
                Precision.FP32,
                new BuildOptions(2, 50, WeightLayout.STANDARD),
                BuildProgress.NONE);
        assertThat(variant.shape().contextLength()).isEqualTo(50);
        assertThat(variant.id()).isNotEqualTo(build(Precision.FP32).id());
    }

    @Test
    void anyChangeOfASourceGivesAnotherVariant() throws IOException {
        Variant before = build(Precision.INT8);
        Path weights = model.resolve("model.safetensors");
        FileTime time = Files.getLastModifiedTime(weights);
        try (FileChannel channel = FileChannel.open(weights, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {1}), channel.size() - 1);
        }
        assertThat(build(Precision.INT8).id()).isNotEqualTo(before.id());
        assertThat(before.folder()).isDirectory();
        Files.setLastModifiedTime(weights, time);
    }

    @Test
    void copyElsewhereIsTheSameVariant() throws IOException {
        Variant before = build(Precision.INT8);
        Path copy = Files.createDirectory(temp.resolve("copy"));
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        assertThat(store.build(ModelFolder.open(copy), Precision.INT8, OPTIONS, BuildProgress.NONE))
                .isEqualTo(before);
    }

    @Test
    void hashesAreRememberedOnceFilesHaveSettled() throws IOException {
        Phases fresh = new Phases();
        store.build(ModelFolder.open(model), Precision.FP32, OPTIONS, fresh);
        assertThat(fresh.names).contains("Hashing model.safetensors");
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.toList()) {
                Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
            }
        }
        store.build(ModelFolder.open(model), Precision.FP32, OPTIONS, BuildProgress.NONE);
        Phases again = new Phases();
        store.build(ModelFolder.open(model), Precision.FP32, OPTIONS, again);
        assertThat(again.names).isEmpty();
    }

    @Test
    void damagedMemoryOfHashesIsReplaced() throws IOException {
        hashesAreRememberedOnceFilesHaveSettled();
        try (Stream<Path> files = Files.list(root.resolve("digests"))) {
            for (Path file : files.toList()) {
                Files.writeString(file, "{\"path\": nul");
            }
        }
        hashesAreRememberedOnceFilesHaveSettled();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FP16")
    void theBytesOfAVariantAreKnownBeforeItIsBuilt(Precision precision) throws IOException {
        long foreseen = ModelStore.weightBytes(HuggingFaceFolder.read(model), precision, OPTIONS);
        assertThat(foreseen).isEqualTo(Files.size(build(precision).folder().resolve(VariantFolder.DATA_FILE)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.onnx.data", "model.onnx", "variant.json"})
    void variantThatIsNotWholeIsBuiltAnew(String damaged) throws IOException {
        Variant built = build(Precision.INT4);
        Map<String, Long> sizes = sizes(built.folder());
        Path file = built.folder().resolve(damaged);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() / 2);
        }
        assertThat(build(Precision.INT4)).isEqualTo(built);
        assertThat(sizes(built.folder())).isEqualTo(sizes);
    }

    @Test
    void modelThatLacksATensorLeavesNothing() throws IOException {
        Map<String, TinyModels.Tensor> tensors = new HashMap<>(TinyModels.gqa().tensors());
        tensors.remove("model.layers.1.mlp.up_proj.weight");
        TinyModels.writeTensors(model, tensors, "F32", 1);
        assertThatThrownBy(() -> build(Precision.INT4))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("`model.layers.1.mlp.up_proj.weight` is missing")
                .hasMessageContaining("[128, 64]");
        assertThat(variants()).isEmpty();
    }

    @Test
    void weightsOfAnotherShapeLeaveNothing() throws IOException {
        TinyModels.writeTensors(model, TinyModels.mha().tensors(), "F32", 1);
        assertThatThrownBy(() -> build(Precision.INT4))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("expected the shape");
        assertThat(variants()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void weightsThatAreNoNumbersAreRefusedWhenQuantising(float value) throws IOException {
        Map<String, TinyModels.Tensor> tensors = TinyModels.gqa().tensors();
        Objects.requireNonNull(tensors.get("model.layers.1.mlp.up_proj.weight")).values()[777] = value;
        TinyModels.writeTensors(model, tensors, "F32", 1);
        assertThatThrownBy(() -> build(Precision.INT4))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("`model.layers.1.mlp.up_proj.weight`")
                .hasMessageContaining("NaN or infinity");
        assertThat(variants()).isEmpty();
    }

    @Test
    void storeThatIsAFileIsAClearError() throws IOException {
        Files.writeString(root, "no folder");
        assertThatThrownBy(() -> build(Precision.INT4))
                .isInstanceOf(ModelStoreException.class)
                .hasMessageContaining(root.toString());
    }

    @Test
    void threadsThatBuildAtOnceShareOneBuild() throws Exception {
        Phases phases = new Phases();
        try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
            List<Future<Variant>> results = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                results.add(pool.submit(
                        () -> new ModelStore(root).build(ModelFolder.open(model), Precision.INT8, OPTIONS, phases)));
            }
            Variant first = results.getFirst().get();
            for (Future<Variant> result : results) {
                assertThat(result.get()).isEqualTo(first);
            }
        }
        assertThat(phases.names.stream().filter("Building int8"::equals)).hasSize(1);
    }

    @Test
    void processesThatBuildAtOnceAllHaveTheVariant() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(start(BuildMain.class, root.toString(), model.toString()));
        }
        for (Process process : processes) {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        }
        assertThat(variants()).hasSize(1);
        assertThat(build(Precision.INT4).folder().getFileName())
                .hasToString(variants().getFirst());
    }

    /** Builds in a process of its own. */
    static final class BuildMain {
        private BuildMain() {}

        public static void main(String[] args) {
            new ModelStore(Path.of(args[0]))
                    .build(ModelFolder.open(Path.of(args[1])), Precision.INT4, OPTIONS, BuildProgress.NONE);
        }
    }

    @Test
    void killedBuildLeavesNothingThatLooksWholeAndIsCleanedUpByTheNext() throws Exception {
        Process process = start(EndlessBuildMain.class, root.toString());
        // The line comes from the midst of the build.
        assertThat(process.inputReader().readLine()).isEqualTo("building");
        process.destroyForcibly().waitFor();
        assertThat(variants()).singleElement().asString().startsWith("tmp-");

        Variant other = build(Precision.INT4);
        assertThat(variants()).containsExactly(other.id());
    }

    @Test
    void runningBuildIsNotCleanedUpByAnother() throws Exception {
        Process process = start(EndlessBuildMain.class, root.toString());
        try {
            assertThat(process.inputReader().readLine()).isEqualTo("building");
            Variant other = build(Precision.INT4);
            assertThat(variants()).hasSize(2).contains(other.id());
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    /** Builds, and stops in the midst of it until it is killed. */
    static final class EndlessBuildMain {
        private EndlessBuildMain() {}

        public static void main(String[] args) {
            DecoderShape shape = new DecoderShape("llama", 2, 64, 4, 4, 16, 128, 1000, 64);
            new ModelStore(Path.of(args[0]))
                    .build(RandomModel.ofShape("tiny", shape, false, 3), Precision.FP32, OPTIONS, new BuildProgress() {
                        @Override
                        public void start(String phase, long bytes) {}

                        @Override
                        public void advance(long bytes) {
                            synchronized (System.out) {
                                System.out.println("building");
                                System.out.flush();
                                while (true) {
                                    LockSupport.park();
                                }
                            }
                        }

                        @Override
                        public void close() {}
                    });
        }
    }

    @Test
    void embeddedModelIsUnpackedOnceAndOpens() throws IOException {
        ModelFolder folder = EmbeddedModel.unpack(store, "/penstock-tiny/", ModelStore.class);
        Path config = folder.path().resolve("config.json");
        FileTime time = Files.getLastModifiedTime(config);
        assertThat(folder.path().startsWith(root)).isTrue();
        assertThat(folder.tokenizerJson()).isPresent();
        assertThat(folder.generation().eosTokens()).isNotEmpty();
        assertThat(EmbeddedModel.unpack(store, "/penstock-tiny", ModelStore.class)
                        .path())
                .isEqualTo(folder.path());
        assertThat(Files.getLastModifiedTime(config)).isEqualTo(time);

        Files.delete(folder.path().resolve("model.safetensors"));
        EmbeddedModel.unpack(store, "/penstock-tiny/", ModelStore.class)
                .openWeights()
                .close();
    }

    @Test
    void embeddedModelThatIsNotThereIsAClearError() {
        assertThatThrownBy(() -> EmbeddedModel.unpack(store, "/nothing/", ModelStore.class))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("/nothing/: expected config.json");
    }

    @Test
    void randomModelsOfTheSameSeedAreTheSame() throws IOException {
        DecoderShape shape = new DecoderShape("llama", 2, 64, 4, 4, 16, 128, 1000, 64);
        Variant first =
                store.build(RandomModel.ofShape("tiny", shape, true, 3), Precision.INT4, OPTIONS, BuildProgress.NONE);
        Variant second = new ModelStore(temp.resolve("other"))
                .build(RandomModel.ofShape("tiny", shape, true, 3), Precision.INT4, OPTIONS, BuildProgress.NONE);
        Variant other =
                store.build(RandomModel.ofShape("tiny", shape, true, 4), Precision.INT4, OPTIONS, BuildProgress.NONE);
        assertThat(second.id()).isEqualTo(first.id()).isNotEqualTo(other.id());
        assertThat(contents(second.folder()).get("model.onnx.data"))
                .isEqualTo(contents(first.folder()).get("model.onnx.data"))
                .isNotEqualTo(contents(other.folder()).get("model.onnx.data"));
    }

    @Test
    void shapesToBenchAreKnownByName() {
        assertThat(RandomModel.names()).containsExactly("tinyllama-1.1b", "llama-2-7b", "gemma-2b", "mixtral-8x7b-4l");
        assertThat(RandomModel.ofName("gpt-5", 1)).isEmpty();
        assertThat(RandomModel.ofName("llama-2-7b", 1).orElseThrow().spec().shape())
                .isEqualTo(new DecoderShape("llama", 32, 4096, 32, 32, 128, 11_008, 32_000, 4096));
    }

    private Variant build(Precision precision) {
        return store.build(ModelFolder.open(model), precision, OPTIONS, BuildProgress.NONE);
    }

    private List<String> variants() throws IOException {
        Path folder = root.resolve("variants");
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    private static Map<String, byte[]> contents(Path folder) throws IOException {
        Map<String, byte[]> contents = new HashMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                contents.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return contents;
    }

    private static Map<String, Long> sizes(Path folder) throws IOException {
        Map<String, Long> sizes = new HashMap<>();
        contents(folder).forEach((name, content) -> sizes.put(name, (long) content.length));
        return sizes;
    }

    private static Process start(Class<?> main, String... args) throws IOException {
        return new ProcessBuilder(ChildJvm.command(List.of(), main, args))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }
}
