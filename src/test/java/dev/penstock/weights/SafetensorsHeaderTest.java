package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsHeaderTest {
    private static final String WHOLE = "{\"a\": {\"dtype\": \"F32\", \"shape\": [2, 3], \"data_offsets\": [0, 24]}}";

    @TempDir
    Path temp;

    @Test
    void goodHeaderIsRead() throws IOException {
        SafetensorsHeader header = read(TinyModels.safetensors(WHOLE + "   ", new byte[24]));
        SafetensorsHeader.Entry a = Objects.requireNonNull(header.tensors().get("a"));
        assertThat(a.type()).isEqualTo(TensorType.F32);
        assertThat(a.shape()).isEqualTo(List.of(2L, 3L));
        assertThat(a.bytes()).isEqualTo(24);
        assertThat(a.start()).isEqualTo(8 + WHOLE.length() + 3);
    }

    @Test
    void unknownFormatsMatterOnlyWhenTheyAreRead() throws IOException {
        String header = "{\"a\": {\"dtype\": \"F4_NEW\", \"shape\": [2, 3], \"data_offsets\": [0, 3]}}";
        assertThat(read(TinyModels.safetensors(header, new byte[3])).tensors())
                .hasEntrySatisfying("a", a -> assertThat(a.type()).isNull());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 8, 9, 50})
    void fileCutShortInItsHeaderIsRefused(int length) {
        byte[] whole = TinyModels.safetensors(WHOLE, new byte[24]);
        assertRefused(Arrays.copyOf(whole, length), "");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 23})
    void fileCutShortInItsDataIsRefused(int dataBytes) {
        assertRefused(TinyModels.safetensors(WHOLE, new byte[dataBytes]), "cut short");
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40, 100_000_001, 0, 1})
    void headerLengthThatTheFileDoesNotHoldIsRefused(long length) {
        byte[] file = TinyModels.safetensors(WHOLE, new byte[24]);
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        assertRefused(file, "header's length");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 48]}} | within the 24 bytes
            {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [24, 0]}} | within the 24 bytes
            {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [-24, 0]}} | not negative
            {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 9223372036854775807]}} | within the 24 bytes
            {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 92233720368547758070]}} | not negative
            {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 12, 24]}} | at most 2
            {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0]}} | two data_offsets
            {"a": {"dtype": "F32", "shape": [2, 3]}} | two data_offsets
            {"a": {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 24]}} | takes 32 bytes
            {"a": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 24]}} | takes 12 bytes
            {"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 0]}} | more bytes than any file
            {"a": {"dtype": "F32", "shape": [4294967296, 4294967296, 4294967296], "data_offsets": [0, 0]}} | more bytes
            {"a": {"dtype": "F32", "shape": [2, -3], "data_offsets": [0, 24]}} | not negative
            {"a": {"dtype": "F32", "shape": [1,1,1,1,1,1,1,1,6], "data_offsets": [0, 24]}} | at most 8
            {"a": {"dtype": "F32", "shape": "2x3", "data_offsets": [0, 24]}} | an array
            {"a": {"dtype": 7, "shape": [2, 3], "data_offsets": [0, 24]}} | a string as dtype
            {"a": 5} | an object
            {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}} | expected the file to end
            {"a": {"dtype": "F32", "shape": [3], "data_offsets": [12, 24]}} | leaves a hole
            [1, 2] | a JSON object
            {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]} | not valid JSON
            {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}} {} | nothing but spaces
            """)
    void lyingHeaderIsRefused(String header, String expected) {
        assertRefused(TinyModels.safetensors(header, new byte[24]), expected);
    }

    @Test
    void overlappingTensorsAreRefused() {
        String header = "{\"a\": {\"dtype\": \"F32\", \"shape\": [4], \"data_offsets\": [0, 16]},"
                + "\"b\": {\"dtype\": \"F32\", \"shape\": [4], \"data_offsets\": [8, 24]}}";
        assertRefused(TinyModels.safetensors(header, new byte[24]), "`b`: expected to begin");
        assertRefused(TinyModels.safetensors(header, new byte[24]), "overlaps");
    }

    @Test
    void sameNameTwiceIsRefused() {
        String header = "{\"a\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [0, 12]},"
                + "\"a\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [12, 24]}}";
        assertRefused(TinyModels.safetensors(header, new byte[24]), "Duplicate field 'a'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"__metadata__", "a"})
    void deepHeaderIsRefused(String name) {
        String header = "{\"" + name + "\": " + "{\"x\":".repeat(100_000) + "1" + "}".repeat(100_001);
        assertRefused(TinyModels.safetensors(header, new byte[24]), "depth");
    }

    @Test
    void randomlyDamagedFilesAreRefusedOrReadButNeverCrash() throws IOException {
        byte[] whole = TinyModels.safetensors(TinyModels.oddTied().tensors(), "F32");
        int header = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        Random random = new Random(5);
        for (int round = 0; round < 500; round++) {
            byte[] damaged = whole.clone();
            for (int i = random.nextInt(1, 4); i > 0; i--) {
                damaged[random.nextInt(8 + header)] = (byte) random.nextInt(256);
            }
            try {
                read(damaged)
                        .tensors()
                        .forEach((name, entry) ->
                                assertThat(entry.start() + entry.bytes()).isLessThanOrEqualTo(whole.length));
            } catch (ModelFolderException e) {
                assertThat(e).hasMessageContaining("x.safetensors");
            }
        }
    }

    private SafetensorsHeader read(byte[] content) throws IOException {
        Path file = temp.resolve("x.safetensors");
        Files.write(file, content);
        try (FileChannel channel = FileChannel.open(file)) {
            return SafetensorsHeader.read(file, channel);
        }
    }

    private void assertRefused(byte[] content, String expected) {
        assertThatThrownBy(() -> read(content))
                .isInstanceOf(ModelFolderException.class)
                .hasMessageContaining("x.safetensors")
                .hasMessageContaining(expected);
    }
}
