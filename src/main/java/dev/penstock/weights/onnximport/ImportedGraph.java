package dev.penstock.weights.onnximport;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.onnx.GraphContract;
import dev.penstock.onnx.GraphSignature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** A graph by {@link GraphContract} whose weights are where the original's are. */
public final class ImportedGraph {
    private final ModelProto template;
    private final DecoderShape shape;
    private final Precision precision;
    private final List<Path> dataFiles;
    private final long weightBytes;

    private ImportedGraph(
            ModelProto template, DecoderShape shape, Precision precision, List<Path> dataFiles, long weightBytes) {
        this.template = template;
        this.shape = shape;
        this.precision = precision;
        this.dataFiles = dataFiles;
        this.weightBytes = weightBytes;
    }

    /**
     * With nodes and constants of a model.
     *
     * @param folder what locations of external data are relative to
     */
    static ImportedGraph of(
            ModelProto model, List<NodeProto> nodes, List<TensorProto> constants, DecoderShape shape, Path folder)
            throws IOException {
        List<ExternalTensor> external = new ArrayList<>();
        GraphProto.Builder graph = GraphProto.newBuilder().setName("decoder").addAllNode(nodes);
        for (TensorProto constant : constants) {
            if (ExternalTensor.isExternal(constant)) {
                external.add(ExternalTensor.find(constant, folder));
            } else {
                graph.addInitializer(constant);
            }
        }
        Set<Path> files = new TreeSet<>();
        external.forEach(e -> files.add(e.file()));
        Path above = files.isEmpty() ? folder : commonFolder(files);
        external.forEach(e -> graph.addInitializer(e.relativeTo(above)));
        ModelProto.Builder template = ModelProto.newBuilder()
                .setIrVersion(model.getIrVersion())
                .setProducerName("penstock")
                .addAllOpsetImport(model.getOpsetImportList())
                .addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain(GraphContract.DOMAIN)
                        .setVersion(GraphContract.OPSET_VERSION))
                .addAllFunctions(model.getFunctionsList())
                .addMetadataProps(StringStringEntryProto.newBuilder()
                        .setKey(GraphContract.DATA_FOLDER)
                        .setValue(above.toString()))
                .setGraph(graph);
        return new ImportedGraph(
                template.build(),
                shape,
                precision(nodes),
                List.copyOf(files),
                external.stream().mapToLong(ExternalTensor::bytes).sum());
    }

    /** The model's dimensions; {@code contextLength} is the most that its tables allow. */
    public DecoderShape shape() {
        return shape;
    }

    /** How most of its matrices are stored. */
    public Precision precision() {
        return precision;
    }

    /** The files with its weights, links followed. */
    public List<Path> dataFiles() {
        return dataFiles;
    }

    /** Bytes of its weights in those files. */
    public long weightBytes() {
        return weightBytes;
    }

    /** The graph for a type of KV cache. */
    public ModelProto model(KvType kvType) {
        ModelProto.Builder model = template.toBuilder();
        model.getGraphBuilder()
                .addAllInput(GraphSignature.inputs(shape, kvType))
                .addOutput(GraphSignature.logits(shape));
        return model.build();
    }

    private static Path commonFolder(Set<Path> files) {
        Path common = null;
        for (Path file : files) {
            Path folder = file.getParent();
            while (common != null && folder != null && !common.startsWith(folder)) {
                folder = folder.getParent();
            }
            common = folder;
        }
        if (common == null) {
            throw new GraphImportException("its data are on several drives");
        }
        return common;
    }

    private static Precision precision(List<NodeProto> nodes) {
        boolean eight = false;
        for (NodeProto node : nodes) {
            switch (node.getOpType()) {
                case "MatMulNBits", "GatherBlockQuantized" -> {
                    if (Graph.integer(node, "bits", 4) <= 4) {
                        return Precision.INT4;
                    }
                    eight = true;
                }
                case "QMoE" -> {
                    if (Graph.integer(node, "expert_weight_bits", 4) <= 4) {
                        return Precision.INT4;
                    }
                    eight = true;
                }
                case "MatMulInteger", "DequantizeLinear" -> eight = true;
                default -> {}
            }
        }
        return eight ? Precision.INT8 : Precision.FP32;
    }
}
