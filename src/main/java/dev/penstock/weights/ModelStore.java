package dev.penstock.weights;

import dev.penstock.model.Precision;
import dev.penstock.weights.onnximport.ImportedGraph;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The folder of built variants, each under a hash of what it was made from: the contents of its sources, the precision,
 * the context and the builder's version. Any number of processes may share it. A variant is built in a temporary folder
 * and moved to its name in one step when all of it is on the disk, so what has a variant's name is whole. Whoever
 * builds holds the lock of that variant; the others wait for it and find the result.
 */
public final class ModelStore {
    /** Must grow with every change that gives other files for the same sources; BuilderVersionTest notices. */
    private static final int BUILDER_VERSION = 6;

    /** Must grow with every change that rewrites the same graph in another way; ImportVersionTest notices. */
    static final int IMPORT_VERSION = 1;

    /** Must grow with every change that gives other files for the same encoder. */
    private static final int ENCODER_VERSION = 1;

    private static final String TEMPORARY = "tmp-";

    /** Space for graph files, metadata and what the file system itself takes. */
    private static final long SLACK_BYTES = 16 << 20;

    private final Path root;
    private final StoreFiles files;

    /** A store in that folder, which is created when it is needed. */
    public ModelStore(Path root) {
        this(root, StoreFiles.SYSTEM);
    }

    ModelStore(Path root, StoreFiles files) {
        this.root = root.toAbsolutePath().normalize();
        this.files = files;
    }

    /** The store of this user: {@code PENSTOCK_HOME}, or {@code ~/.cache/penstock}. */
    public static ModelStore ofUser() {
        String home = Optional.ofNullable(System.getenv("PENSTOCK_HOME")).orElse("");
        return new ModelStore(
                home.isBlank() ? Path.of(System.getProperty("user.home", "."), ".cache", "penstock") : Path.of(home));
    }

    /** The folder that the store is in. */
    public Path root() {
        return root;
    }

    /**
     * The variant of a model at a precision: the one in the store, or a new one.
     *
     * @throws IllegalArgumentException the precision is not there in the layout
     * @throws ModelFolderException the model can't be used
     * @throws ModelStoreException the store can't be written, or has no space left for it
     */
    public Variant build(ModelSource source, Precision precision, BuildOptions options, BuildProgress progress) {
        try {
            return switch (source) {
                case RawModel raw -> build(raw, precision, options, progress);
                case OnnxFolder folder -> build(folder, precision, options, progress);
            };
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    private Variant build(RawModel source, Precision precision, BuildOptions options, BuildProgress progress)
            throws IOException {
        DecoderSpec spec = source.spec().withContextLimit(options.contextLimit());
        WeightLayout layout = layout(spec, precision, options);
        String id = id(contents(source, options, progress), spec, precision, layout, options.rounding());
        return variant(id, progress, target -> {
            DecoderGraph graph = new DecoderGraph(spec, precision, layout, VariantFolder.DATA_FILE);
            try (WeightSource weights = source.openWeights()) {
                write(target, id, graph, weights, options, progress);
            }
        });
    }

    /** The variant of an encoder at a precision; errors as for the others. */
    public Variant build(EncoderCheckpoint source, Precision precision, BuildOptions options, BuildProgress progress) {
        try {
            WeightLayout layout = options.layoutOf(precision);
            String all = "encoder\n" + digests(source.sourceFiles(), options, progress) + source.spec() + "\n"
                    + precision + "\n" + layout + "\n" + (precision.has4Bits() ? options.rounding() + "\n" : "")
                    + ENCODER_VERSION;
            String id = id(all);
            return variant(id, progress, target -> {
                EncoderGraph graph = new EncoderGraph(source.spec(), precision, layout, VariantFolder.DATA_FILE);
                try (WeightSource weights = source.openWeights()) {
                    write(target, id, graph, weights, options, progress);
                }
            });
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    private void write(
            Path target,
            String id,
            BuiltGraph graph,
            WeightSource weights,
            BuildOptions options,
            BuildProgress progress)
            throws IOException {
        graph.constants().requireFrom(weights);
        progress.start(
                "Building " + graph.precision().label(), graph.constants().jobBytes());
        write(
                target,
                graph.constants().dataBytes() + SLACK_BYTES,
                folder -> VariantFolder.write(folder, files, id, graph, weights, options, progress));
    }

    private Variant build(OnnxFolder source, Precision precision, BuildOptions options, BuildProgress progress)
            throws IOException {
        if (options.layout() == WeightLayout.CUDA) {
            throw source.cpuOnly();
        }
        ImportedGraph graph = source.graph(precision, options.contextLimit());
        // Its graph files name the places of its weights, so these are part of what it is.
        List<Path> sources = new ArrayList<>(List.of(source.graphFile(precision)));
        sources.addAll(graph.dataFiles());
        String all = "onnx\n" + digests(sources, options, progress) + graph.dataFiles() + "\n" + graph.shape() + "\n"
                + precision + "\n" + IMPORT_VERSION;
        String id = id(all);
        return variant(
                id,
                progress,
                target ->
                        write(target, SLACK_BYTES, folder -> VariantFolder.write(folder, files, id, precision, graph)));
    }

    /** Makes a variant's folder. */
    @FunctionalInterface
    private interface Maker {
        void make(Path target) throws IOException;
    }

    /** The variant in the store, made now if it is not there yet. */
    private Variant variant(String id, BuildProgress progress, Maker maker) throws IOException {
        Path variants = Files.createDirectories(root.resolve("variants"));
        Path target = variants.resolve(id);
        Optional<Variant> ready = VariantFolder.read(target, id);
        if (ready.isPresent()) {
            return ready.get();
        }
        try (StoreLock held = lock(id, progress)) {
            // Whoever held the lock before may have built it.
            Optional<Variant> meanwhile = VariantFolder.read(target, id);
            if (meanwhile.isPresent()) {
                return meanwhile.get();
            }
            removeAbandoned(variants);
            maker.make(target);
        }
        return VariantFolder.read(target, id)
                .orElseThrow(() -> new ModelStoreException("the variant " + target + " is not as it was written"));
    }

    private static WeightLayout layout(DecoderSpec spec, Precision precision, BuildOptions options) {
        WeightLayout layout = options.layoutOf(precision);
        if (layout == WeightLayout.CUDA) {
            CudaLimits.check(spec, precision);
        }
        return layout;
    }

    /** Bytes of the weights that a variant of a model would have, or has; nothing is built. Errors as for {@link #build}. */
    public static long weightBytes(RawModel source, Precision precision, BuildOptions options) {
        DecoderSpec spec = source.spec().withContextLimit(options.contextLimit());
        return new DecoderGraph(spec, precision, layout(spec, precision, options), VariantFolder.DATA_FILE)
                .constants()
                .dataBytes();
    }

    /**
     * The folder with these files, which are written if they are not there.
     *
     * @param id a hash of names and contents
     */
    Path unpacked(String id, Map<String, byte[]> contents) {
        long needed = SLACK_BYTES;
        for (byte[] content : contents.values()) {
            needed += content.length;
        }
        try {
            Path models = Files.createDirectories(root.resolve("models"));
            Path target = models.resolve(id);
            if (holds(target, contents)) {
                return target;
            }
            try (StoreLock held = lock(id, BuildProgress.NONE)) {
                if (!holds(target, contents)) {
                    removeAbandoned(models);
                    write(target, needed, folder -> {
                        for (Map.Entry<String, byte[]> e : contents.entrySet()) {
                            try (StoreFiles.DataFile file = files.create(folder.resolve(e.getKey()))) {
                                file.write(ByteBuffer.wrap(e.getValue()), 0);
                                file.sync();
                            }
                        }
                    });
                }
            }
            return target;
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    private static boolean holds(Path folder, Map<String, byte[]> contents) throws IOException {
        for (Map.Entry<String, byte[]> e : contents.entrySet()) {
            Path file = folder.resolve(e.getKey());
            if (!Files.isRegularFile(file) || Files.size(file) != e.getValue().length) {
                return false;
            }
        }
        return true;
    }

    /** Makes a folder of the store, after a look at whether there is space for it. */
    private void write(Path target, long needed, AtomicFolder.Content content) throws IOException {
        long free = files.usableBytes(root);
        if (free < needed) {
            throw new ModelStoreException(noSpace(needed, free));
        }
        try {
            AtomicFolder.create(target, target.resolveSibling(TEMPORARY + target.getFileName()), content);
        } catch (IOException e) {
            // What others and this one wrote came over what there is: ENOSPC or EDQUOT, by their texts.
            String message = String.valueOf(e.getMessage());
            if (message.contains("No space left") || message.contains("quota")) {
                throw new ModelStoreException(noSpace(needed, files.usableBytes(root)), e);
            }
            // EFBIG: a limit of the process, or of a file system such as FAT32.
            if (message.contains("File too large")) {
                throw new ModelStoreException(
                        "files in the model store %s may not be as large as the variant's, %,d bytes in all; raise the limit (ulimit -f), or set PENSTOCK_HOME to a folder on another file system"
                                .formatted(root, needed),
                        e);
            }
            throw e;
        }
    }

    private ModelStoreException unusable(IOException e) {
        return new ModelStoreException("the model store " + root + " can't be used: " + e, e);
    }

    private String noSpace(long needed, long free) {
        return "no space left in the model store %s: the variant needs %,d bytes, %,d are free; free some, or set PENSTOCK_HOME to a folder on a larger disk"
                .formatted(root, needed, free);
    }

    /** What the contents of a model hash to, as text. */
    private String contents(RawModel source, BuildOptions options, BuildProgress progress) throws IOException {
        return switch (source) {
            case RandomModel random -> "random\n" + random.seed() + "\n";
            case HuggingFaceFolder folder -> "folder\n" + digests(folder.sourceFiles(), options, progress);
        };
    }

    /** The hashes of files, a line each. */
    private String digests(List<Path> sources, BuildOptions options, BuildProgress progress) throws IOException {
        FileDigests digests = new FileDigests(Files.createDirectories(root.resolve("digests")));
        StringBuilder all = new StringBuilder();
        for (Path file : sources) {
            try {
                all.append(digests.digest(file, options.threads(), progress)).append('\n');
            } catch (IOException e) {
                throw ModelFolderException.in(file, "can't be hashed: " + e, e);
            }
        }
        return all.toString();
    }

    private static String id(
            String contents, DecoderSpec spec, Precision precision, WeightLayout layout, Rounding rounding) {
        return id(contents + spec + "\n" + precision + "\n" + layout + "\n"
                + (precision.has4Bits() ? rounding + "\n" : "") + BUILDER_VERSION);
    }

    private static String id(String all) {
        MessageDigest digest = FileDigests.sha256();
        return FileDigests.hex(digest.digest(all.getBytes(StandardCharsets.UTF_8)))
                .substring(0, 32);
    }

    private Path lockFile(String id) throws IOException {
        return Files.createDirectories(root.resolve("locks")).resolve(id);
    }

    private StoreLock lock(String id, BuildProgress progress) throws IOException {
        Optional<StoreLock> free = StoreLock.tryAcquire(lockFile(id));
        if (free.isPresent()) {
            return free.get();
        }
        progress.start("Waiting for another build of the same variant", 0);
        return StoreLock.acquire(lockFile(id));
    }

    /** Temporary folders whose builder died are deleted: their locks can be had. */
    private void removeAbandoned(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            for (Path temporary : all.filter(f -> f.getFileName().toString().startsWith(TEMPORARY))
                    .toList()) {
                String id = temporary.getFileName().toString().substring(TEMPORARY.length());
                Optional<StoreLock> lock = StoreLock.tryAcquire(lockFile(id));
                if (lock.isPresent()) {
                    try (StoreLock held = lock.get()) {
                        AtomicFolder.delete(temporary);
                    }
                }
            }
        }
    }
}
