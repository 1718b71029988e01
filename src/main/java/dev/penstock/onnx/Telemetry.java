package dev.penstock.onnx;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Keeps ONNX Runtime from reporting to its maker: since 1.29 its builds for Linux and macOS upload events, and keep a
 * device id under the user's cache folder, unless the environment says {@value #VARIABLE}=1 before the library starts
 * (microsoft/onnxruntime, pull request 27379). The environment is set from here, so that nothing is sent however the JVM
 * was started; whoever sets the variable to another value keeps it.
 */
final class Telemetry {
    static final String VARIABLE = "ORT_DISABLE_TELEMETRY";

    private Telemetry() {}

    /** To be called before the library is loaded; without effect on Windows, whose builds report to the system's own log. */
    static void disable() {
        Linker linker = Linker.nativeLinker();
        Optional<MemorySegment> setenv = linker.defaultLookup().find("setenv");
        if (setenv.isEmpty()) {
            return;
        }
        MethodHandle call =
                linker.downcallHandle(setenv.get(), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            int overwrite = 0;
            int result = (int) call.invokeExact(arena.allocateFrom(VARIABLE), arena.allocateFrom("1"), overwrite);
            if (result != 0) {
                throw new OnnxException("cannot set " + VARIABLE + " in the environment");
            }
        } catch (Throwable e) {
            throw OrtApi.rethrow(e);
        }
    }
}
