package dev.penstock.hardware;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The GPUs of this machine, by NVML (nvml.h), the library that comes with NVIDIA's driver. Where it is not there, or finds no
 * driver, there are none; what a GPU does not tell is left out.
 */
public final class Gpus {
    private static final Linker LINKER = Linker.nativeLinker();

    private static final int SUCCESS = 0;
    /** NVML_DEVICE_NAME_V2_BUFFER_SIZE. */
    private static final int NAME_BYTES = 96;
    /** More are not believed. */
    private static final int MAX_GPUS = 256;

    private static final double MILLIWATTS = 1000;

    private final SymbolLookup library;
    private final Arena arena;

    private Gpus(SymbolLookup library, Arena arena) {
        this.library = library;
        this.arena = arena;
    }

    /** All that the driver names, in its order. */
    public static List<Gpu> find() {
        String file = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("win")
                ? "nvml.dll"
                : "libnvidia-ml.so.1";
        try {
            return find(SymbolLookup.libraryLookup(file, Arena.global()));
        } catch (IllegalArgumentException absent) {
            return List.of();
        }
    }

    /** As {@link #find()}, by the functions of a library. */
    static List<Gpu> find(SymbolLookup library) {
        try (Arena arena = Arena.ofConfined()) {
            Gpus nvml = new Gpus(library, arena);
            if (!nvml.call("nvmlInit_v2")) {
                return List.of();
            }
            try {
                return nvml.all();
            } finally {
                nvml.call("nvmlShutdown");
            }
        }
    }

    private List<Gpu> all() {
        MemorySegment count = arena.allocate(JAVA_INT);
        List<Gpu> gpus = new ArrayList<>();
        if (call("nvmlDeviceGetCount_v2", count)) {
            for (int i = 0; i < Math.min(MAX_GPUS, count.get(JAVA_INT, 0)); i++) {
                gpu(i).ifPresent(gpus::add);
            }
        }
        return List.copyOf(gpus);
    }

    /** Empty for one that has fallen off the bus, or is not ours to see. */
    private Optional<Gpu> gpu(int index) {
        MemorySegment handle = arena.allocate(ADDRESS);
        MemorySegment memory = arena.allocate(JAVA_LONG, 3); // total, free, used
        if (!call("nvmlDeviceGetHandleByIndex_v2", index, handle)) {
            return Optional.empty();
        }
        MemorySegment device = handle.get(ADDRESS, 0);
        MemorySegment name = arena.allocate(NAME_BYTES);
        if (!call("nvmlDeviceGetMemoryInfo", device, memory) || !call("nvmlDeviceGetName", device, name, NAME_BYTES)) {
            return Optional.empty();
        }
        MemorySegment pair = arena.allocate(JAVA_INT, 2);
        MemorySegment first = pair.asSlice(0, JAVA_INT);
        MemorySegment second = pair.asSlice(JAVA_INT.byteSize(), JAVA_INT);
        OptionalInt busy = call("nvmlDeviceGetUtilizationRates", device, pair)
                ? OptionalInt.of(first.get(JAVA_INT, 0))
                : OptionalInt.empty();
        OptionalDouble power = call("nvmlDeviceGetPowerUsage", device, first)
                ? OptionalDouble.of(first.get(JAVA_INT, 0) / MILLIWATTS)
                : OptionalDouble.empty();
        String capability = call("nvmlDeviceGetCudaComputeCapability", device, first, second)
                ? first.get(JAVA_INT, 0) + "." + second.get(JAVA_INT, 0)
                : "";
        boolean mig = call("nvmlDeviceGetMigMode", device, first, second) && first.get(JAVA_INT, 0) == 1;
        return Optional.of(new Gpu(
                index,
                name.getString(0),
                memory.getAtIndex(JAVA_LONG, 0),
                memory.getAtIndex(JAVA_LONG, 1),
                busy,
                power,
                capability,
                mig));
    }

    /** Calls a function with whole numbers and addresses; false if it fails or is not there. */
    private boolean call(String function, Object... arguments) {
        Optional<MemorySegment> address = library.find(function);
        if (address.isEmpty()) {
            return false;
        }
        MemoryLayout[] layouts = Arrays.stream(arguments)
                .map(argument -> argument instanceof Integer ? JAVA_INT : ADDRESS)
                .toArray(MemoryLayout[]::new);
        try {
            return (int) LINKER.downcallHandle(address.get(), FunctionDescriptor.of(JAVA_INT, layouts))
                            .invokeWithArguments(arguments)
                    == SUCCESS;
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(function + " failed", e);
        }
    }
}
