package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.Precision;
import java.util.List;

/** A model by its numbers, of which graphs of all precisions are built. */
public sealed interface RawModel extends ModelSource permits HuggingFaceFolder, RandomModel {
    /** What kind of model it is. */
    DecoderSpec spec();

    /** Its numbers; the caller closes them. */
    WeightSource openWeights();

    @Override
    default DecoderShape shape() {
        return spec().shape();
    }

    @Override
    default List<Precision> precisions() {
        return List.of(Precision.FP32, Precision.INT8, Precision.MIXED, Precision.INT4);
    }
}
