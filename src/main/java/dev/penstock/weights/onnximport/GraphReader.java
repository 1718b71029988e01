package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads the graph in a file but not its weights: the bytes of a large tensor stay where they are, and the tensor becomes
 * one with external data, which lie in the file itself. So a file of two gigabytes takes no more memory than its nodes.
 *
 * <p>Protocol buffers encode a field as a tag and a value; messages nest as values of known length (the "Encoding" page
 * of their documentation). This walks down to the tensors and copies all else.
 */
final class GraphReader {
    /** Tensors of more bytes are left in the file. */
    static final int INLINE_BYTES = 4096;

    /** Bytes of all that is no large tensor: a graph of a hundred layers has some megabytes. */
    private static final int MAX_GRAPH_BYTES = 32 << 20;

    /** What the shortest message costs when it is parsed, so that many empty ones are no way round the limit. */
    private static final int MESSAGE_COST = 32;

    /** Graphs nest in attributes of If and Loop. */
    private static final int MAX_DEPTH = 32;

    /** Messages on the way to tensors. */
    private enum Message {
        MODEL,
        GRAPH,
        NODE,
        ATTRIBUTE,
        TENSOR,
        OTHER;

        /** What a field of this message holds. */
        Message field(int number) {
            return switch (this) {
                case MODEL -> number == ModelProto.GRAPH_FIELD_NUMBER ? GRAPH : OTHER;
                case GRAPH ->
                    switch (number) {
                        case GraphProto.NODE_FIELD_NUMBER -> NODE;
                        case GraphProto.INITIALIZER_FIELD_NUMBER -> TENSOR;
                        default -> OTHER;
                    };
                case NODE -> number == NodeProto.ATTRIBUTE_FIELD_NUMBER ? ATTRIBUTE : OTHER;
                case ATTRIBUTE ->
                    switch (number) {
                        case AttributeProto.T_FIELD_NUMBER -> TENSOR;
                        case AttributeProto.G_FIELD_NUMBER, AttributeProto.GRAPHS_FIELD_NUMBER -> GRAPH;
                        default -> OTHER;
                    };
                case TENSOR, OTHER -> OTHER;
            };
        }
    }

    private final CodedInputStream in;
    private final String location;
    private int left = MAX_GRAPH_BYTES;

    private GraphReader(CodedInputStream in, String location) {
        this.in = in;
        this.location = location;
    }

    /**
     * The model in a file.
     *
     * @param location of the file, as external data in the model shall name it
     * @throws GraphImportException it is no ONNX model, or larger than any there is
     */
    static ModelProto read(Path file, String location) throws IOException {
        long size = Files.size(file);
        if (size > Integer.MAX_VALUE) {
            throw new GraphImportException(
                    "expected at most 2 GiB, as much as a protocol buffer may have, found %,d bytes".formatted(size));
        }
        try (InputStream stream = Files.newInputStream(file)) {
            CodedInputStream in = CodedInputStream.newInstance(stream);
            in.setSizeLimit(Integer.MAX_VALUE);
            return ModelProto.parseFrom(new GraphReader(in, location).message(Message.MODEL, 0));
        } catch (InvalidProtocolBufferException e) {
            throw new GraphImportException("not an ONNX model: " + e.getMessage(), e);
        }
    }

    /** The rest of a message, with its tensors made external. */
    private byte[] message(Message type, int depth) throws IOException {
        if (depth > MAX_DEPTH) {
            throw new GraphImportException("graphs are nested too deep");
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        while (!in.isAtEnd()) {
            int tag = in.readTag();
            if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
                if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_START_GROUP) {
                    throw new GraphImportException("not an ONNX model: it has groups");
                }
                take(Long.BYTES);
                in.skipField(tag, out);
                continue;
            }
            int number = WireFormat.getTagFieldNumber(tag);
            int length = in.readRawVarint32();
            if (length < 0) {
                throw new GraphImportException("not an ONNX model: a field has a length of " + length);
            }
            Message inner = type.field(number);
            if (type == Message.TENSOR && number == TensorProto.RAW_DATA_FIELD_NUMBER && length > INLINE_BYTES) {
                external(out, in.getTotalBytesRead(), length);
                in.skipRawBytes(length);
            } else if (inner == Message.OTHER) {
                take((long) length + MESSAGE_COST);
                out.writeUInt32NoTag(tag);
                out.writeByteArrayNoTag(in.readRawBytes(length));
            } else {
                take(MESSAGE_COST);
                int outer = in.pushLimit(length);
                byte[] content = message(inner, depth + 1);
                in.popLimit(outer);
                out.writeUInt32NoTag(tag);
                out.writeByteArrayNoTag(content);
            }
        }
        out.flush();
        return bytes.toByteArray();
    }

    private void external(CodedOutputStream out, int offset, int length) throws IOException {
        entry(out, ExternalTensor.LOCATION, location);
        entry(out, ExternalTensor.OFFSET, Integer.toString(offset));
        entry(out, ExternalTensor.LENGTH, Integer.toString(length));
        out.writeEnum(TensorProto.DATA_LOCATION_FIELD_NUMBER, TensorProto.DataLocation.EXTERNAL.getNumber());
    }

    private void entry(CodedOutputStream out, String key, String value) throws IOException {
        take(MESSAGE_COST);
        out.writeMessage(
                TensorProto.EXTERNAL_DATA_FIELD_NUMBER,
                StringStringEntryProto.newBuilder().setKey(key).setValue(value).build());
    }

    private void take(long bytes) {
        if (bytes > left) {
            throw new GraphImportException(
                    "expected at most %,d bytes beside large tensors, found more".formatted(MAX_GRAPH_BYTES));
        }
        left -= (int) bytes;
    }
}
