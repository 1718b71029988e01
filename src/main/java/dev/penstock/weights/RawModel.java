package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.Device;
import dev.penstock.model.Precision;
import java.util.List;
import java.util.Optional;

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
    default List<Precision> precisions(Device device) {
        return device.precisions();
    }

    @Override
    default Precision precision(Optional<Precision> asked, Device device) {
        Precision precision = asked.orElseGet(device::defaultPrecision);
        BuildOptions.on(device).layoutOf(precision);
        return precision;
    }
}
