package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.onnx.GraphContract;
import java.nio.file.Path;

/**
 * A model at a precision, as graph files in the store over external data there or, for an imported graph, where they lay.
 *
 * @param folder where its files are
 * @param shape its dimensions; {@code contextLength} is the number of positions that the graph knows
 * @param precision how its weights are stored
 * @param id a hash of all that it was made from
 * @param weightBytes bytes of the files with its weights
 */
public record Variant(Path folder, DecoderShape shape, Precision precision, String id, long weightBytes) {
    /** The file that was written last when it was made. */
    public Path metadata() {
        return folder.resolve(VariantFolder.METADATA_FILE);
    }

    /** The graph for a type of KV cache, see {@link GraphContract}. */
    public Path graph(KvType kvType) {
        return folder.resolve(GraphContract.graphFile(kvType));
    }
}
