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
        List<ExternalTensor> data = data(constants, folder);
        ModelProto.Builder template = template(model, nodes, data, constants, folder);
        return new ImportedGraph(
                template.build(),
                shape,
                precision(nodes),
                List.copyOf(files(data)),
                data.stream().mapToLong(ExternalTensor::bytes).sum());
    }

    /** Where the data of those constants are that are not in the graph. */
    static List<ExternalTensor> data(List<TensorProto> constants, Path folder) throws IOException {
        List<ExternalTensor> data = new ArrayList<>();
        for (TensorProto constant : constants) {
            if (ExternalTensor.isExternal(constant)) {
                data.add(ExternalTensor.find(constant, folder));
            }
        }
        return data;
    }

    private static Set<Path> files(List<ExternalTensor> data) {
        Set<Path> files = new TreeSet<>();
        data.forEach(e -> files.add(e.file()));
        return files;
    }

    /** A model with these nodes and constants, without inputs and outputs; {@code model} tells its opsets. */
    static ModelProto.Builder template(
            ModelProto model,
            List<NodeProto> nodes,
            List<ExternalTensor> data,
            List<TensorProto> constants,
            Path folder) {
        GraphProto.Builder graph = GraphProto.newBuilder().setName("decoder").addAllNode(nodes);
        constants.stream().filter(t -> !ExternalTensor.isExternal(t)).forEach(graph::addInitializer);
        Path above = data.isEmpty() ? folder : commonFolder(files(data));
        data.forEach(e -> graph.addInitializer(e.relativeTo(above)));
        return ModelProto.newBuilder()
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
                .addAllInput(GraphSignature.inputs(shape, kvType, false))
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
