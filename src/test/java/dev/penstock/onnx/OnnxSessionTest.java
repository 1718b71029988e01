package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxSessionTest {
    @TempDir
    Path folder;

    private Path sum() {
        return new TestGraph()
                .input("a", ElementType.FLOAT, "N", 2L)
                .input("b", ElementType.FLOAT, "N", 2L)
                .node("", "Add", "add", List.of("a", "b"), List.of("sum"), Map.of())
                .output("sum", ElementType.FLOAT, "N", 2L)
                .write(folder.resolve("sum.onnx"));
    }

    @Test
    void aSessionStatesItsInputsAndOutputs() {
        try (OnnxSession session = OnnxSession.open(sum(), SessionConfig.ofThreads(1))) {
            assertThat(session.inputs())
                    .containsExactly(
                            new TensorSpec("a", ElementType.FLOAT, List.of(-1L, 2L)),
                            new TensorSpec("b", ElementType.FLOAT, List.of(-1L, 2L)));
            assertThat(session.outputs()).containsExactly(new TensorSpec("sum", ElementType.FLOAT, List.of(-1L, 2L)));
        }
    }

    @Test
    void aBoundTensorIsReadAndWrittenInPlaceAndMayChangeItsShape() {
        try (OnnxSession session = OnnxSession.open(sum(), SessionConfig.ofThreads(1));
                OnnxBinding binding = session.bind();
                Arena arena = Arena.ofConfined()) {
            MemorySegment a = arena.allocateFrom(JAVA_FLOAT, 1, 2, 3, 4);
            MemorySegment b = arena.allocateFrom(JAVA_FLOAT, 10, 20, 30, 40);
            MemorySegment sum = arena.allocate(JAVA_FLOAT, 4);
            for (int rows : new int[] {2, 1, 2}) {
                sum.fill((byte) 0);
                binding.input("a", ElementType.FLOAT, a, rows, 2);
                binding.input("b", ElementType.FLOAT, b, rows, 2);
                binding.output("sum", ElementType.FLOAT, sum, rows, 2);
                binding.run();
                assertThat(sum.toArray(JAVA_FLOAT))
                        .containsExactly(rows == 2 ? new float[] {11, 22, 33, 44} : new float[] {11, 22, 0, 0});
            }
            a.setAtIndex(JAVA_FLOAT, 0, 5);
            binding.run();
            assertThat(sum.getAtIndex(JAVA_FLOAT, 0)).isEqualTo(15);
        }
    }

    @Test
    void whatDoesNotFitIsRefusedWithTheReason() {
        try (OnnxSession session = OnnxSession.open(sum(), SessionConfig.ofThreads(1));
                OnnxBinding binding = session.bind();
                Arena arena = Arena.ofConfined()) {
            MemorySegment a = arena.allocate(JAVA_FLOAT, 4);
            assertThatThrownBy(() -> binding.input("a", ElementType.FLOAT, a, 3, 2))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("needs 24 bytes outside of the heap, not 16");
            assertThatThrownBy(() -> binding.input("a", ElementType.FLOAT, MemorySegment.ofArray(new float[4]), 2, 2))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> binding.input("c", ElementType.FLOAT, a, 2, 2))
                    .isInstanceOf(OnnxException.class)
                    .hasMessageContaining("no input c");
            assertThatThrownBy(() -> binding.output("a", ElementType.FLOAT, a, 2, 2))
                    .isInstanceOf(OnnxException.class)
                    .hasMessageContaining("no output a");
            binding.input("a", ElementType.FLOAT, a, 2, 2);
            binding.output("sum", ElementType.FLOAT, a, 2, 2);
            assertThatThrownBy(binding::run).isInstanceOf(OnnxException.class);
            binding.input("b", ElementType.FLOAT, a, 1, 4);
            assertThatThrownBy(binding::run).isInstanceOf(OnnxException.class).hasMessageContaining("b");
        }
    }

    @Test
    void sessionsOpenOnAStackManyTimesTheDefault() throws Throwable {
        assertThat(OnnxSession.onDeepStack(() -> depth(200_000))).isEqualTo(200_000);
        assertThatThrownBy(() -> OnnxSession.onDeepStack(() -> {
                    throw new OnnxException("as it was");
                }))
                .isInstanceOf(OnnxException.class)
                .hasMessage("as it was");
    }

    private static long depth(long further) {
        return further == 0 ? 0 : 1 + depth(further - 1);
    }

    @Test
    void afterClosingNothingRunsAndClosingAgainIsHarmless() {
        OnnxSession session = OnnxSession.open(sum(), SessionConfig.ofThreads(1));
        OnnxBinding binding = session.bind();
        binding.close();
        binding.close();
        assertThatThrownBy(binding::run).isInstanceOf(IllegalStateException.class);
        session.close();
        session.close();
        assertThatThrownBy(session::bind).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aFileThatIsNoGraphIsRefusedWithItsName() throws IOException {
        Path file = Files.writeString(folder.resolve("not-a-graph.onnx"), "hello");
        assertThatThrownBy(() -> OnnxSession.open(file, SessionConfig.ofThreads(1)))
                .isInstanceOf(OnnxException.class)
                .hasMessageContaining("not-a-graph.onnx");
        assertThatThrownBy(() -> OnnxSession.open(folder.resolve("none.onnx"), SessionConfig.ofThreads(1)))
                .isInstanceOf(OnnxException.class)
                .hasMessageContaining("none.onnx");
    }

    @Test
    void lazyMemoryIsZeroedAlignedAndGoesBack() {
        LazyMemory memory = LazyMemory.allocate(1L << 32);
        MemorySegment segment = memory.segment();
        assertThat(segment.byteSize()).isEqualTo(1L << 32);
        assertThat(segment.address() % 4096).isZero();
        assertThat(segment.get(JAVA_FLOAT, (1L << 32) - 4)).isZero();
        memory.close();
        assertThatThrownBy(() -> segment.get(JAVA_FLOAT, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> LazyMemory.allocate(Long.MAX_VALUE >> 1)).isInstanceOf(OnnxException.class);
    }
}
