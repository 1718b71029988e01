package dev.penstock.onnx;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penstock.model.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** The library of the tests is the jar's, which has no CUDA. */
@DisabledIfEnvironmentVariable(named = NativeLibrary.FOLDER_VARIABLE, matches = ".+")
class CudaProviderTest {
    @TempDir
    Path folder;

    @Test
    void aLibraryWithoutCudaIsToldWithItsPathAndWhatToDo() {
        assertThatThrownBy(() -> OnnxSession.require(new Device.Cuda(1)))
                .isInstanceOf(OnnxException.class)
                .hasMessageStartingWith("cuda:1 can't be used: ")
                .hasMessageContaining(NativeLibrary.find().toString())
                .hasMessageContaining("onnxruntime_gpu")
                .hasMessageContaining("PENSTOCK_ONNXRUNTIME");
        assertThatCode(() -> OnnxSession.require(Device.CPU)).doesNotThrowAnyException();
    }

    @Test
    void aSessionOnAGpuIsRefusedTheSameWayAndLeavesNothing() {
        Path graph = new TestGraph()
                .input("a", ElementType.FLOAT, "N")
                .node("", "Neg", "neg", List.of("a"), List.of("b"), Map.of())
                .output("b", ElementType.FLOAT, "N")
                .write(folder.resolve("neg.onnx"));
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> OnnxSession.open(graph, SessionConfig.of(new Device.Cuda(0), 1)))
                    .isInstanceOf(OnnxException.class)
                    .hasMessageStartingWith("cuda:0 can't be used: ");
        }
        OnnxSession.open(graph, SessionConfig.ofThreads(1)).close();
    }

    @Test
    void aFolderWithoutALibraryIsNamed() {
        assertThatThrownBy(() -> NativeLibrary.in(folder.toString(), "libonnxruntime.so"))
                .isInstanceOf(OnnxException.class)
                .hasMessage("PENSTOCK_ONNXRUNTIME=" + folder + " holds no readable libonnxruntime.so");
    }
}
