package dev.penstock.hardware;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Against a driver of Java functions behind C's calls: its devices' handles are their numbers from 1 on. */
class GpusTest {
    private static final int NOT_SUPPORTED = 3;
    private static final int DRIVER_NOT_LOADED = 9;

    private final Arena arena = Arena.ofConfined();
    private final Map<String, MemorySegment> functions = new HashMap<>();
    private final SymbolLookup library = name -> Optional.ofNullable(functions.get(name));

    @AfterEach
    void close() {
        arena.close();
    }

    private void function(String name, String method, MemoryLayout... parameters) throws ReflectiveOperationException {
        FunctionDescriptor descriptor = FunctionDescriptor.of(JAVA_INT, parameters);
        MethodType type = descriptor.toMethodType();
        MethodHandle handle = MethodHandles.lookup().findStatic(GpusTest.class, method, type);
        functions.put(name, Linker.nativeLinker().upcallStub(handle, descriptor, arena));
    }

    private void twoGpus() throws ReflectiveOperationException {
        function("nvmlInit_v2", "succeed");
        function("nvmlShutdown", "succeed");
        function("nvmlDeviceGetCount_v2", "count", ADDRESS);
        function("nvmlDeviceGetHandleByIndex_v2", "handle", JAVA_INT, ADDRESS);
        function("nvmlDeviceGetName", "name", ADDRESS, ADDRESS, JAVA_INT);
        function("nvmlDeviceGetMemoryInfo", "memory", ADDRESS, ADDRESS);
        function("nvmlDeviceGetUtilizationRates", "utilization", ADDRESS, ADDRESS);
        function("nvmlDeviceGetPowerUsage", "power", ADDRESS, ADDRESS);
        function("nvmlDeviceGetCudaComputeCapability", "capability", ADDRESS, ADDRESS, ADDRESS);
        function("nvmlDeviceGetMigMode", "mig", ADDRESS, ADDRESS, ADDRESS);
    }

    static int succeed() {
        return 0;
    }

    static int fail() {
        return DRIVER_NOT_LOADED;
    }

    static int count(MemorySegment count) {
        return set(count, 0, 2);
    }

    static int handle(int index, MemorySegment device) {
        device.reinterpret(ADDRESS.byteSize()).set(ADDRESS, 0, MemorySegment.ofAddress(index + 1));
        return 0;
    }

    static int name(MemorySegment device, MemorySegment name, int length) {
        name.reinterpret(length).setString(0, "GPU of " + device.address());
        return 0;
    }

    static int memory(MemorySegment device, MemorySegment memory) {
        MemorySegment numbers = memory.reinterpret(24);
        numbers.setAtIndex(JAVA_LONG, 0, device.address() * 1000);
        numbers.setAtIndex(JAVA_LONG, 1, device.address() * 100);
        numbers.setAtIndex(JAVA_LONG, 2, device.address() * 900);
        return 0;
    }

    static int utilization(MemorySegment device, MemorySegment rates) {
        return device.address() == 2 ? NOT_SUPPORTED : set(rates, 0, 37) + set(rates, 4, 5);
    }

    static int power(MemorySegment device, MemorySegment milliwatts) {
        return device.address() == 2 ? NOT_SUPPORTED : set(milliwatts, 0, 71_500);
    }

    static int capability(MemorySegment device, MemorySegment major, MemorySegment minor) {
        return set(major, 0, 8) + set(minor, 0, (int) device.address());
    }

    static int mig(MemorySegment device, MemorySegment current, MemorySegment pending) {
        return set(current, 0, device.address() == 2 ? 1 : 0) + set(pending, 0, 1);
    }

    private static int set(MemorySegment target, long offset, int value) {
        target.reinterpret(offset + 4).set(JAVA_INT, offset, value);
        return 0;
    }

    @Test
    void eachGpuIsToldWithWhatItTells() throws ReflectiveOperationException {
        twoGpus();

        assertThat(Gpus.find(library))
                .containsExactly(
                        new Gpu(0, "GPU of 1", 1000, 100, OptionalInt.of(37), OptionalDouble.of(71.5), "8.1", false),
                        new Gpu(1, "GPU of 2", 2000, 200, OptionalInt.empty(), OptionalDouble.empty(), "8.2", true));
    }

    @Test
    void whatALibraryLacksIsLeftOut() throws ReflectiveOperationException {
        twoGpus();
        functions
                .keySet()
                .removeAll(List.of(
                        "nvmlDeviceGetUtilizationRates",
                        "nvmlDeviceGetPowerUsage",
                        "nvmlDeviceGetCudaComputeCapability",
                        "nvmlDeviceGetMigMode"));

        assertThat(Gpus.find(library).getFirst())
                .isEqualTo(new Gpu(0, "GPU of 1", 1000, 100, OptionalInt.empty(), OptionalDouble.empty(), "", false));
    }

    @Test
    void withoutADriverOrAnyFunctionThereIsNone() throws ReflectiveOperationException {
        assertThat(Gpus.find(library)).isEmpty();
        twoGpus();
        function("nvmlInit_v2", "fail");
        assertThat(Gpus.find(library)).isEmpty();
    }

    @Test
    void askingThisMachineNeverFails() {
        assertThat(Gpus.find()).allSatisfy(gpu -> {
            assertThat(gpu.name()).isNotBlank();
            assertThat(gpu.freeBytes()).isBetween(0L, gpu.totalBytes());
        });
    }
}
