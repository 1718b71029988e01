package dev.penstock.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpeedStoreTest {
    private static final MachineSpeeds SPEEDS = new MachineSpeeds(3, 1.5e10, 2.25e11, OptionalDouble.of(1e12));
    private static final MachineSpeeds OTHER = new MachineSpeeds(1, 1, 2, OptionalDouble.empty());

    @TempDir
    Path temp;

    @Test
    void whatWasMeasuredIsFoundAgain() throws IOException {
        SpeedStore store = new SpeedStore(temp.resolve("new"));
        assertThat(store.find("a")).isEmpty();

        store.keep("a", SPEEDS);
        store.keep("b", OTHER);
        assertThat(store.find("a")).contains(SPEEDS);
        assertThat(store.find("b")).contains(OTHER);

        store.keep("a", OTHER);
        assertThat(store.find("a")).contains(OTHER);
        try (Stream<Path> files = Files.list(store.folder())) {
            assertThat(files).hasSize(2);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "threads=x",
                "\\u00",
                "threads=1\nreadBytesPerSecond=1e999\nfp32OperationsPerSecond=1",
                "threads=1\nreadBytesPerSecond=5\nfp32OperationsPerSecond=-1",
                "threads=1\nreadBytesPerSecond=5\nfp32OperationsPerSecond=1\nint8OperationsPerSecond=NaN",
            })
    void aDamagedFileIsNone(String text) throws IOException {
        Files.writeString(temp.resolve("a.properties"), text);

        assertThat(new SpeedStore(temp).find("a")).isEmpty();
    }

    @Test
    void aFolderThatCannotBeWrittenToIsNoError() throws IOException {
        SpeedStore store = new SpeedStore(Files.createFile(temp.resolve("file")));

        store.keep("a", SPEEDS);

        assertThat(store.find("a")).isEmpty();
    }
}
