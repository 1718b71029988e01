package dev.penstock.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The safetensors files of a model folder, mapped into memory; it owns the mappings, {@link #close} frees them. */
final class Checkpoint implements WeightSource {
    private record Place(SafetensorsHeader.Entry entry, Path file, MemorySegment mapping) {}

    private final Path folder;
    private final Arena arena;
    private final Map<String, Place> places;

    private Checkpoint(Path folder, Arena arena, Map<String, Place> places) {
        this.folder = folder;
        this.arena = arena;
        this.places = places;
    }

    /**
     * Maps the files and checks their headers.
     *
     * @param files the model's safetensors files
     * @param index which file each tensor must stand in; empty where there is no index
     * @throws ModelFolderException a header is wrong, two files hold the same tensor, or a file lacks what the index says
     */
    static Checkpoint open(Path folder, List<Path> files, Map<String, Path> index) {
        Arena arena = Arena.ofShared();
        try {
            Map<String, Place> places = new HashMap<>();
            for (Path file : files) {
                map(file, arena, places);
            }
            index.forEach((tensor, file) -> {
                @Nullable Place place = places.get(tensor);
                if (place == null || !place.file().equals(file)) {
                    throw ModelFolderException.in(
                            file,
                            "expected tensor `" + tensor + "`, which the index places here, found "
                                    + (place == null ? "none" : "it in " + place.file()));
                }
            });
            return new Checkpoint(folder, arena, places);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    private static void map(Path file, Arena arena, Map<String, Place> places) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            SafetensorsHeader header = SafetensorsHeader.read(file, channel);
            MemorySegment mapping = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            header.tensors().forEach((name, entry) -> {
                @Nullable Place other = places.put(name, new Place(entry, file, mapping));
                if (other != null) {
                    throw ModelFolderException.in(file, "tensor `" + name + "` stands in " + other.file() + " too");
                }
            });
        } catch (IOException e) {
            throw ModelFolderException.in(file, "can't be read: " + e, e);
        }
    }

    @Override
    public boolean has(String tensor) {
        return places.containsKey(tensor);
    }

    @Override
    public void require(String tensor, long... shape) {
        @Nullable Place place = places.get(tensor);
        if (place == null) {
            throw new ModelFolderException(folder + ": tensor `" + tensor + "` is missing: expected one of shape "
                    + Arrays.toString(shape) + " in its safetensors files");
        }
        SafetensorsHeader.Entry entry = place.entry();
        if (!entry.shape().equals(Arrays.stream(shape).boxed().toList())) {
            throw ModelFolderException.in(
                    place.file(),
                    "tensor `" + tensor + "`: expected the shape " + Arrays.toString(shape)
                            + " that config.json gives, found " + entry.shape());
        }
        if (entry.type() == null || !entry.type().readable()) {
            throw ModelFolderException.in(
                    place.file(), "tensor `" + tensor + "`: expected F32, F16 or BF16, found " + entry.typeName());
        }
    }

    @Override
    public void read(String tensor, long start, float[] to, int toIndex, int count) {
        @Nullable Place place = places.get(tensor);
        @Nullable TensorType type = place == null ? null : place.entry().type();
        if (place == null
                || type == null
                || (start + count) * type.bytes() > place.entry().bytes()) {
            throw new IllegalArgumentException("no " + count + " numbers from " + start + " in tensor " + tensor);
        }
        long from = place.entry().start() + start * type.bytes();
        FloatReader.read(type, place.mapping(), from, to, toIndex, count);
        // Each number is read once: what was read need not stay in this process's memory.
        place.mapping().asSlice(from, (long) count * type.bytes()).unload();
    }

    @Override
    public void close() {
        arena.close();
    }
}
