package dev.penstock.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.penstock.onnx.GraphSignature;
import dev.penstock.weights.InitializerTable.Part;
import dev.penstock.weights.MatrixFormat.Matrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Matrices in each format against plain products, run by ONNX Runtime's own Java classes. */
class MatrixFormatTest {
    private static final int VECTORS = 5;

    @TempDir
    Path temp;

    static Stream<Arguments> shapes() {
        // Inner sizes that are a block, less, no multiple of one; row counts that are odd, and beyond one chunk of
        // work.
        int[][] sizes = {{32, 8}, {8, 17}, {40, 131}, {64, 512}, {72, 261}, {172, 64}, {256, 4099}, {2048, 33}};
        return Stream.of(new FloatFormat(), new BlockFormat(8), new BlockFormat(4))
                .flatMap(format -> Stream.of(sizes).map(size -> Arguments.of(format, size[0], size[1])));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void productsAndLookUpsAreThoseOfTheStoredMatrix(MatrixFormat format, int columns, int rows) throws Exception {
        Random random = new Random(31L * columns + rows);
        float[] upper = gaussian(random, rows / 3 * columns);
        float[] lower = gaussian(random, (rows - rows / 3) * columns);
        float[] x = gaussian(random, VECTORS * columns);
        long[] indices = {0, rows - 1, rows / 2, 0};
        Map<String, TinyModels.Tensor> tensors = Map.of(
                "upper", new TinyModels.Tensor(upper, rows / 3, columns),
                "lower", new TinyModels.Tensor(lower, rows - rows / 3, columns));
        Matrix matrix = new Matrix(
                "w",
                List.of(Part.matrix("upper", rows / 3, columns), Part.matrix("lower", rows - rows / 3, columns)),
                columns);

        Path model = build(format, matrix, tensors);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(model.toString());
                OnnxTensor xTensor = OnnxTensor.createTensor(environment, rows(x, columns));
                OnnxTensor indexTensor = OnnxTensor.createTensor(environment, indices);
                OrtSession.Result result = session.run(Map.of("x", xTensor, "indices", indexTensor))) {
            float[][] products = value(result, "products");
            float[][] found = value(result, "found");

            // What the graph holds, row by row, is learnt from looking up each row; it must be near the original.
            float[][] stored = lookUpAll(environment, session, xTensor, rows);
            double allowed = format instanceof BlockFormat(int bits) ? (bits == 4 ? 0.09 : 0.006) : 0;
            double[] error = new double[2];
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    float original = r < rows / 3 ? upper[r * columns + c] : lower[(r - rows / 3) * columns + c];
                    error[0] += Math.pow(stored[r][c] - original, 2);
                    error[1] += original * original;
                }
            }
            assertThat(Math.sqrt(error[0] / error[1])).isLessThanOrEqualTo(allowed);

            for (int i = 0; i < indices.length; i++) {
                assertThat(found[i]).containsExactly(stored[(int) indices[i]]);
            }
            // Activations are rounded to int8 within a block: errors of a 256th of the largest number add up as roots.
            double tolerance = format instanceof FloatFormat ? 1e-4 : 0.03 * Math.sqrt(columns);
            for (int v = 0; v < VECTORS; v++) {
                for (int r = 0; r < rows; r++) {
                    double expected = 0;
                    for (int c = 0; c < columns; c++) {
                        expected += (double) x[v * columns + c] * stored[r][c];
                    }
                    assertThat((double) products[v][r]).isCloseTo(expected, within(tolerance));
                }
            }
        }
    }

    private Path build(MatrixFormat format, Matrix matrix, Map<String, TinyModels.Tensor> tensors) throws IOException {
        TinyModels.writeTensors(temp, tensors, "F32", 1);
        InitializerTable constants = new InitializerTable("data", DataType.FLOAT);
        OnnxGraph graph = new OnnxGraph();
        format.multiply(graph, constants, "x", "products", matrix);
        String found = format.lookUp(graph, constants, "indices", "rows", matrix);
        graph.node(OnnxGraph.ONNX, "Identity", "found", List.of(found), Map.of());
        try (WeightSource source = Checkpoint.open(temp, List.of(temp.resolve("model.safetensors")), Map.of());
                StoreFiles.DataFile data = StoreFiles.SYSTEM.create(temp.resolve("data"))) {
            constants.requireFrom(source);
            new DataWriter(source, data, Rounding.NEAREST, BuildProgress.NONE).write(constants, 2);
        }
        return Files.write(
                temp.resolve("model.onnx"),
                graph.model(
                                constants.protos(),
                                List.of(
                                        GraphSignature.value("x", DataType.FLOAT, "n", matrix.columns()),
                                        GraphSignature.value("indices", DataType.INT64, "m")),
                                List.of(
                                        GraphSignature.value("products", DataType.FLOAT, "n", matrix.rows()),
                                        GraphSignature.value("found", DataType.FLOAT, "m", matrix.columns())))
                        .toByteArray());
    }

    private static float[][] lookUpAll(OrtEnvironment environment, OrtSession session, OnnxTensor x, int rows)
            throws OrtException {
        long[] all = LongStream.range(0, rows).toArray();
        try (OnnxTensor indices = OnnxTensor.createTensor(environment, all);
                OrtSession.Result result = session.run(Map.of("x", x, "indices", indices))) {
            return value(result, "found");
        }
    }

    private static float[][] value(OrtSession.Result result, String name) throws OrtException {
        return (float[][]) result.get(name).orElseThrow().getValue();
    }

    private static float[][] rows(float[] values, int columns) {
        float[][] rows = new float[values.length / columns][];
        for (int r = 0; r < rows.length; r++) {
            rows[r] = Arrays.copyOfRange(values, r * columns, (r + 1) * columns);
        }
        return rows;
    }

    private static float[] gaussian(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
