package dev.penstock.weights;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The header of a safetensors file (format specification of the huggingface/safetensors project): eight bytes with the
 * length of a JSON object, then that object, which gives each tensor's type, shape and place in the data after it.
 * Every statement of it is checked against the file before anyone relies on it.
 *
 * @param file the file that it was read from
 * @param dataStart where the data begins in the file
 * @param tensors by name, in the order of the header
 */
record SafetensorsHeader(Path file, long dataStart, Map<String, Entry> tensors) {
    /** The format's own limit, in bytes. */
    private static final long MAX_HEADER = 100_000_000;

    private static final int MAX_NAME = 1_000;

    private static final int MAX_RANK = 8;

    /**
     * One tensor.
     *
     * @param type its format, {@code null} for one that is not known here
     * @param typeName its format as the header calls it
     * @param shape its dimensions
     * @param start first byte, from the start of the file
     * @param bytes how many there are
     */
    record Entry(@Nullable TensorType type, String typeName, List<Long> shape, long start, long bytes) {}

    /**
     * Reads and checks the header of an open file.
     *
     * @throws ModelFolderException the header is malformed, or says what the file does not hold
     */
    static SafetensorsHeader read(Path file, FileChannel channel) throws IOException {
        long size = channel.size();
        if (size < 8) {
            throw ModelFolderException.in(file, "expected at least 8 bytes of safetensors, found " + size);
        }
        long length = readFully(file, channel, 0, 8).getLong();
        long most = Math.min(MAX_HEADER, size - 8);
        if (length < 2 || length > most) {
            throw ModelFolderException.in(
                    file,
                    "the first 8 bytes give the header's length: expected 2 to " + most + ", found "
                            + Long.toUnsignedString(length) + "; the file is cut short or no safetensors file");
        }
        byte[] json = readFully(file, channel, 8, (int) length).array();
        long dataStart = 8 + length;
        Map<String, Entry> tensors = parse(file, json, dataStart, size - dataStart);
        checkRanges(file, tensors, dataStart, size);
        return new SafetensorsHeader(file, dataStart, tensors);
    }

    private static ByteBuffer readFully(Path file, FileChannel channel, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw ModelFolderException.in(file, "shrank while it was read");
            }
        }
        return buffer.flip();
    }

    private static Map<String, Entry> parse(Path file, byte[] json, long dataStart, long dataBytes) {
        Map<String, Entry> tensors = new LinkedHashMap<>();
        try (JsonParser parser = JsonFile.FACTORY.createParser(json)) {
            expect(parser.nextToken() == JsonToken.START_OBJECT, file, "the header", "a JSON object");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                expect(name.length() <= MAX_NAME, file, "a tensor's name", "at most " + MAX_NAME + " characters");
                JsonToken value = parser.nextToken();
                if (name.equals("__metadata__")) {
                    parser.skipChildren();
                    continue;
                }
                expect(value == JsonToken.START_OBJECT, file, "tensor `" + name + "`", "an object");
                tensors.put(name, entry(file, name, parser, dataStart, dataBytes));
            }
            expect(parser.nextToken() == null, file, "the header", "nothing but spaces after the JSON object");
        } catch (JsonProcessingException e) {
            throw ModelFolderException.in(file, "the header is not valid JSON: " + e.getMessage(), e);
        } catch (IOException e) {
            throw ModelFolderException.in(file, "the header can't be read: " + e, e);
        }
        return tensors;
    }

    private static Entry entry(Path file, String name, JsonParser parser, long dataStart, long dataBytes)
            throws IOException {
        String what = "tensor `" + name + "`";
        String typeName = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            parser.nextToken();
            switch (field) {
                case "dtype" -> {
                    expect(parser.currentToken() == JsonToken.VALUE_STRING, file, what, "a string as dtype");
                    typeName = parser.getText();
                }
                case "shape" -> shape = numbers(file, what + ", shape", MAX_RANK, parser);
                case "data_offsets" -> offsets = numbers(file, what + ", data_offsets", 2, parser);
                default -> parser.skipChildren();
            }
        }
        if (typeName == null || shape == null || offsets == null || offsets.size() != 2) {
            throw ModelFolderException.in(file, what + ": expected dtype, shape and two data_offsets");
        }
        long begin = offsets.get(0);
        long end = offsets.get(1);
        if (begin > end || end > dataBytes) {
            throw ModelFolderException.in(
                    file,
                    what + ": expected a range within the " + dataBytes + " bytes of data, found " + begin + " to "
                            + end + "; the file is cut short or its header wrong");
        }
        @Nullable TensorType type = TensorType.ofName(typeName).orElse(null);
        if (type != null) {
            long bytes = bytes(shape, type.bytes());
            if (bytes != end - begin) {
                throw ModelFolderException.in(
                        file,
                        what + ": " + typeName + " " + shape + " takes "
                                + (bytes < 0 ? "more bytes than any file has" : bytes + " bytes")
                                + ", found a range of "
                                + (end - begin));
            }
        }
        return new Entry(type, typeName, shape, dataStart + begin, end - begin);
    }

    /** Bytes of a tensor, or -1 where they don't fit a long. */
    private static long bytes(List<Long> shape, long elementBytes) {
        if (shape.contains(0L)) {
            return 0;
        }
        long bytes = elementBytes;
        for (long dimension : shape) {
            if (Math.multiplyHigh(bytes, dimension) != 0 || bytes * dimension < 0) {
                return -1;
            }
            bytes *= dimension;
        }
        return bytes;
    }

    private static List<Long> numbers(Path file, String what, int most, JsonParser parser) throws IOException {
        expect(parser.currentToken() == JsonToken.START_ARRAY, file, what, "an array of numbers");
        List<Long> numbers = new ArrayList<>(4);
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            expect(
                    parser.currentToken() == JsonToken.VALUE_NUMBER_INT
                            && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER
                            && parser.getLongValue() >= 0
                            && numbers.size() < most,
                    file,
                    what,
                    "at most " + most + " whole numbers that are not negative");
            numbers.add(parser.getLongValue());
        }
        return List.copyOf(numbers);
    }

    /** The data must be covered without overlaps, holes or a rest, as the format demands: else something was cut or spliced. */
    private static void checkRanges(Path file, Map<String, Entry> tensors, long dataStart, long size) {
        List<Map.Entry<String, Entry>> byStart = new ArrayList<>(tensors.entrySet());
        byStart.sort(Comparator.<Map.Entry<String, Entry>>comparingLong(
                        e -> e.getValue().start())
                .thenComparingLong(e -> e.getValue().bytes()));
        long at = dataStart;
        for (Map.Entry<String, Entry> e : byStart) {
            long start = e.getValue().start();
            if (start != at) {
                throw ModelFolderException.in(
                        file,
                        "tensor `" + e.getKey() + "`: expected to begin at byte " + at + " of the file, found " + start
                                + (start < at ? ", which overlaps the tensor before it" : ", which leaves a hole"));
            }
            at = start + e.getValue().bytes();
        }
        if (at != size) {
            throw ModelFolderException.in(
                    file, "expected the file to end with its last tensor at byte " + at + ", found " + size + " bytes");
        }
    }

    private static void expect(boolean holds, Path file, String what, String expected) {
        if (!holds) {
            throw ModelFolderException.in(file, what + ": expected " + expected);
        }
    }
}
