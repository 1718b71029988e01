package dev.penstock.weights.onnximport;

import static dev.penstock.weights.onnximport.GraphImportException.quoted;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Where the bytes of a tensor are (external_data of TensorProto in onnx.proto), checked: the file is there, is named by
 * a path that does not lead out of the folder, and has as many bytes as the tensor's shape asks for.
 *
 * @param tensor the tensor
 * @param file absolute; links have been followed, since Hugging Face's cache is made of them
 * @param offset of the first byte
 * @param bytes how many there are
 */
record ExternalTensor(TensorProto tensor, Path file, long offset, long bytes) {
    static final String LOCATION = "location";
    static final String OFFSET = "offset";
    static final String LENGTH = "length";

    /** Whether a tensor's bytes are elsewhere. */
    static boolean isExternal(TensorProto tensor) {
        return tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
    }

    /**
     * Finds the bytes of a tensor.
     *
     * @param folder absolute: what its location is relative to
     * @throws GraphImportException they can't be where the tensor says
     */
    static ExternalTensor find(TensorProto tensor, Path folder) throws IOException {
        Map<String, String> place = new HashMap<>();
        for (StringStringEntryProto entry : tensor.getExternalDataList()) {
            if (place.put(entry.getKey(), entry.getValue()) != null) {
                throw wrong(tensor, "names the " + quoted(entry.getKey()) + " of its external data twice");
            }
        }
        Path file = file(tensor, place.getOrDefault(LOCATION, ""), folder);
        long expected = bytes(tensor);
        long offset = number(tensor, place, OFFSET, 0);
        long length = number(tensor, place, LENGTH, expected);
        if (length != expected) {
            throw wrong(tensor, "has %,d bytes, but its shape and type ask for %,d".formatted(length, expected));
        }
        long size = Files.size(file);
        if (offset > size - length) {
            throw wrong(
                    tensor,
                    "lies at %,d to %,d of %s, which has %,d bytes: the download is not complete, or the file is another's"
                            .formatted(offset, offset + length, file, size));
        }
        return new ExternalTensor(tensor, file, offset, length);
    }

    /** The tensor with its location relative to another folder, one above its file. */
    TensorProto relativeTo(Path folder) {
        return tensor.toBuilder()
                .clearExternalData()
                .addExternalData(entry(LOCATION, folder.relativize(file).toString()))
                .addExternalData(entry(OFFSET, Long.toString(offset)))
                .addExternalData(entry(LENGTH, Long.toString(bytes)))
                .build();
    }

    private static Path file(TensorProto tensor, String location, Path folder) throws IOException {
        try {
            Path relative = Path.of(location);
            if (location.isEmpty() || relative.isAbsolute() || location.contains("\\")) {
                throw wrong(tensor, "has its data in " + quoted(location) + ", which is no path within the folder");
            }
            Path file = folder.resolve(relative).normalize();
            if (!file.startsWith(folder) || file.equals(folder)) {
                throw wrong(tensor, "has its data in " + quoted(location) + ", which leads out of the folder");
            }
            if (!Files.isRegularFile(file)) {
                throw wrong(tensor, "has its data in " + file + ", which is missing: the download is not complete");
            }
            return file.toRealPath();
        } catch (InvalidPathException e) {
            throw wrong(tensor, "has its data in " + quoted(location) + ", which is no path");
        }
    }

    private static long number(TensorProto tensor, Map<String, String> place, String key, long absent) {
        String text = place.get(key);
        if (text == null) {
            return absent;
        }
        if (!text.matches("[0-9]{1,18}")) {
            throw wrong(tensor, "has a " + key + " of " + quoted(text));
        }
        return Long.parseLong(text);
    }

    /** Bytes of a tensor of this shape and type. */
    private static long bytes(TensorProto tensor) {
        long bits = bits(tensor);
        try {
            for (long dim : tensor.getDimsList()) {
                if (dim < 0) {
                    throw wrong(tensor, "has a dimension of " + dim);
                }
                bits = Math.multiplyExact(bits, dim);
            }
        } catch (ArithmeticException e) {
            throw wrong(tensor, "has dimensions whose product is beyond all memory");
        }
        return Math.ceilDiv(bits, Byte.SIZE);
    }

    private static int bits(TensorProto tensor) {
        DataType type = DataType.forNumber(tensor.getDataType());
        return switch (type) {
            case INT4, UINT4 -> 4;
            case INT8, UINT8, BOOL -> 8;
            case INT16, UINT16, FLOAT16, BFLOAT16 -> 16;
            case INT32, UINT32, FLOAT -> 32;
            case INT64, UINT64, DOUBLE -> 64;
            case null, default -> throw wrong(tensor, "has elements of type " + type + ", which is not supported");
        };
    }

    private static GraphImportException wrong(TensorProto tensor, String problem) {
        return new GraphImportException("constant " + quoted(tensor.getName()) + " " + problem);
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }
}
