package dev.penstock.prompt.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * Loads Hugging Face's native library out of DJL's jar, once, without DJL's own loader: that one looks for CUDA through
 * JNA first, which takes longer than everything else here together, and on a machine with a GPU it would download a
 * variant. The library is unpacked to {@code $PENSTOCK_HOME/native} (default {@code ~/.cache/penstock/native}), or to a
 * temporary folder where that can't be written.
 */
final class NativeTokenizers {
    /** The native methods; using this field loads the library. */
    static final TokenizersLibrary LIBRARY = load();

    private NativeTokenizers() {}

    private static TokenizersLibrary load() {
        String fileName = System.mapLibraryName("tokenizers");
        String platform = platform();
        URL packed = TokenizersLibrary.class.getResource("/native/lib/" + platform + "/cpu/" + fileName);
        if (packed == null) {
            throw new IllegalStateException("there is no tokenizers library for " + platform
                    + "; Linux and macOS on x86-64 or ARM64 have one where the tokenizers jar brings it");
        }
        try {
            Path file = unpack(packed, platform, fileName);
            try {
                linkIntoLibraryLoader(file);
            } catch (UnsatisfiedLinkError e) {
                // A file serves one class loader only; where the JVM has several (tests), each takes a copy.
                Path copy = Files.createTempDirectory("penstock-native-").resolve(fileName);
                Files.copy(file, copy);
                linkIntoLibraryLoader(copy);
                Files.delete(copy);
                Files.delete(copy.getParent());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("can't unpack the tokenizers library", e);
        }
        return TokenizersLibrary.LIB;
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        return (os.startsWith("mac") ? "osx" : os.startsWith("linux") ? "linux" : os)
                + "-"
                + (arch.equals("amd64") ? "x86_64" : arch);
    }

    private static Path unpack(URL packed, String platform, String fileName) throws IOException {
        URLConnection connection = packed.openConnection();
        long size = connection.getContentLengthLong();
        // The jar's name carries its version, so another version never meets this one's file.
        String jar = packed.getPath().replaceFirst("!.*", "").replaceFirst(".*/", "");
        Path folder = home().resolve("native").resolve(jar + "-" + platform);
        Path file = folder.resolve(fileName);
        if (Files.isRegularFile(file) && Files.size(file) == size) {
            return file;
        }
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            folder = Files.createTempDirectory("penstock-native-");
            file = folder.resolve(fileName);
            folder.toFile().deleteOnExit();
            file.toFile().deleteOnExit();
        }
        Path part = Files.createTempFile(folder, fileName, ".part");
        try (InputStream in = connection.getInputStream()) {
            Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
        return file;
    }

    private static Path home() {
        String home = System.getenv("PENSTOCK_HOME");
        return home != null && !home.isBlank()
                ? Path.of(home)
                : Path.of(System.getProperty("user.home"), ".cache", "penstock");
    }

    /**
     * Calls System.load from a class beside the one with the native methods. The JVM resolves native methods only in
     * libraries that their own class loader has loaded, and under Quarkus' test and dev modes that is not ours.
     */
    private static void linkIntoLibraryLoader(Path file) {
        String name = TokenizersLibrary.class.getPackageName() + ".PenstockLink";
        MethodTypeDesc type = MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String);
        byte[] link = ClassFile.of()
                .build(
                        ClassDesc.of(name),
                        c -> c.withMethodBody(
                                "load",
                                type,
                                ClassFile.ACC_PUBLIC | ClassFile.ACC_STATIC,
                                b -> b.aload(0)
                                        .invokestatic(ClassDesc.of("java.lang.System"), "load", type)
                                        .return_()));
        try {
            MethodHandles.Lookup lookup =
                    MethodHandles.privateLookupIn(TokenizersLibrary.class, MethodHandles.lookup());
            Class<?> caller;
            try {
                caller = lookup.defineClass(link);
            } catch (LinkageError alreadyThere) {
                caller = Class.forName(name, true, TokenizersLibrary.class.getClassLoader());
            }
            lookup.findStatic(caller, "load", MethodType.methodType(void.class, String.class))
                    .invokeExact(file.toAbsolutePath().toString());
        } catch (UnsatisfiedLinkError e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("can't load the tokenizers library " + file, e);
        }
    }
}
