package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.ChildJvm;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Variants that the store's file system doesn't take: nothing that looks whole is left, and a later build succeeds. */
class FullDiskTest {
    private static final BuildOptions OPTIONS = new BuildOptions(2, 1 << 20, WeightLayout.STANDARD);

    @TempDir
    Path temp;

    private Path root;
    private Path model;

    @BeforeEach
    void writeModel() {
        root = temp.resolve("store");
        model = TinyModels.gqa().write(temp.resolve("model"));
    }

    /** A disk that is full after so many bytes, and tells another number. */
    private record SmallDisk(long told, AtomicLong left) implements StoreFiles {
        @Override
        public long usableBytes(Path folder) {
            return told;
        }

        @Override
        public DataFile create(Path file) throws IOException {
            DataFile real = SYSTEM.create(file);
            return new DataFile() {
                @Override
                public void write(ByteBuffer bytes, long position) throws IOException {
                    if (left.addAndGet(-bytes.remaining()) < 0) {
                        throw new IOException("No space left on device");
                    }
                    real.write(bytes, position);
                }

                @Override
                public void sync() throws IOException {
                    real.sync();
                }

                @Override
                public void close() throws IOException {
                    real.close();
                }
            };
        }
    }

    @Test
    void noSpaceIsToldBeforeAnythingIsWritten() throws IOException {
        ModelStore full = new ModelStore(root, new SmallDisk(1000, new AtomicLong()));
        assertThatThrownBy(() -> build(full))
                .isInstanceOf(ModelStoreException.class)
                .hasMessageContaining("no space left in the model store " + root)
                .hasMessageContaining("1,000 are free")
                .hasMessageContaining("PENSTOCK_HOME");
        assertThat(variants()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.01, 0.6, 0.9999})
    void spaceThatRunsOutMidwayLeavesNothing(double share) throws IOException {
        Variant whole = build(new ModelStore(temp.resolve("other")));
        long bytes;
        try (Stream<Path> files = Files.list(whole.folder())) {
            bytes = (long) (share * files.mapToLong(f -> f.toFile().length()).sum());
        }
        ModelStore full = new ModelStore(root, new SmallDisk(1L << 40, new AtomicLong(bytes)));
        assertThatThrownBy(() -> build(full))
                .isInstanceOf(ModelStoreException.class)
                .hasMessageContaining("no space left");
        assertThat(variants()).isEmpty();
        assertThat(build(new ModelStore(root)).graph(KvType.FP16)).isRegularFile();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void fullDiskIsKnownByTheKernelsWord() throws IOException {
        StoreFiles full = new StoreFiles() {
            @Override
            public long usableBytes(Path folder) {
                return 1L << 40;
            }

            @Override
            public DataFile create(Path file) throws IOException {
                return new ChannelFile(FileChannel.open(Path.of("/dev/full"), StandardOpenOption.WRITE));
            }
        };
        assertThatThrownBy(() -> build(new ModelStore(root, full)))
                .isInstanceOf(ModelStoreException.class)
                .hasMessageContaining("no space left in the model store " + root);
        assertThat(variants()).isEmpty();
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "it has no limit of a file's size to set")
    void fileThatTheKernelCutsOffLeavesNothing() throws Exception {
        // 16 KiB, in the midst of the weights.
        List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -f 32 && exec \"$@\"", "sh"));
        command.addAll(ChildJvm.command(
                List.of("-XX:-UsePerfData"), ModelStoreTest.BuildMain.class, root.toString(), model.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isNotZero();
        assertThat(output)
                .contains("ModelStoreException: files in the model store " + root)
                .contains("File too large")
                .contains("PENSTOCK_HOME");
        assertThat(variants()).isEmpty();

        assertThat(Files.size(new ModelStore(root)
                        .build(ModelFolder.open(model), Precision.INT4, OPTIONS, BuildProgress.NONE)
                        .folder()
                        .resolve("model.onnx.data")))
                .isGreaterThan(16 << 10);
        assertThat(variants()).hasSize(1);
    }

    private Variant build(ModelStore store) {
        return store.build(ModelFolder.open(model), Precision.FP32, OPTIONS, BuildProgress.NONE);
    }

    private List<String> variants() throws IOException {
        try (Stream<Path> all = Files.list(root.resolve("variants"))) {
            return all.map(f -> f.getFileName().toString()).toList();
        }
    }
}
