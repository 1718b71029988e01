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

    private static MachineSpeeds unwanted() {
        throw new AssertionError("measured again");
    }

    @Test
    void aMachineIsMeasuredOnce() throws IOException {
        SpeedStore store = new SpeedStore(temp.resolve("new"));

        assertThat(store.speeds("a", () -> SPEEDS)).isEqualTo(SPEEDS);
        assertThat(store.speeds("a", SpeedStoreTest::unwanted)).isEqualTo(SPEEDS);
        assertThat(store.speeds("b", () -> OTHER)).isEqualTo(OTHER);
        assertThat(store.speeds("b", SpeedStoreTest::unwanted)).isEqualTo(OTHER);
        store.keep("a", OTHER);
        assertThat(store.speeds("a", SpeedStoreTest::unwanted)).isEqualTo(OTHER);
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
    void aDamagedFileIsMeasuredAgain(String text) throws IOException {
        Files.writeString(temp.resolve("a.properties"), text);

        assertThat(new SpeedStore(temp).speeds("a", () -> SPEEDS)).isEqualTo(SPEEDS);
        assertThat(new SpeedStore(temp).speeds("a", SpeedStoreTest::unwanted)).isEqualTo(SPEEDS);
    }

    @Test
    void aFolderThatCannotBeWrittenToCostsOnlyTheMeasurement() throws IOException {
        Path file = Files.createFile(temp.resolve("file"));

        assertThat(new SpeedStore(file).speeds("a", () -> SPEEDS)).isEqualTo(SPEEDS);
    }
}
