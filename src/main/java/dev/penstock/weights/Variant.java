package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.KvType;
import dev.penstock.model.Precision;
import dev.penstock.onnx.GraphContract;
import java.nio.file.Path;

/**
 * A model at a precision, as graph files over one external data file in the store.
 *
 * @param folder where its files are
 * @param shape its dimensions; {@code contextLength} is the number of positions that the graph knows
 * @param precision how its weights are stored
 * @param id a hash of all that it was made from
 */
public record Variant(Path folder, DecoderShape shape, Precision precision, String id) {
    /** The file of its weights. */
    public Path data() {
        return folder.resolve(VariantFolder.DATA_FILE);
    }

    /** The graph for a type of KV cache, see {@link GraphContract}. */
    public Path graph(KvType kvType) {
        return folder.resolve(GraphContract.graphFile(kvType));
    }
}
