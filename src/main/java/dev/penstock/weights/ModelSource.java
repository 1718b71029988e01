package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.Precision;
import java.util.List;
import java.util.Optional;

/** A model that variants can be made of. */
public sealed interface ModelSource permits ModelFolder, RawModel {
    /** What is taken where nothing is asked for, the first that there is. */
    List<Precision> USUAL = List.of(Precision.INT4, Precision.MIXED, Precision.INT8, Precision.FP32);

    /** Its dimensions. */
    DecoderShape shape();

    /** The precisions that it can be had at, most exact first. */
    List<Precision> precisions();

    /**
     * The precision to take.
     *
     * @param asked what is wanted, if anything is
     * @throws ModelFolderException it can't be had
     */
    default Precision precision(Optional<Precision> asked) {
        return asked.orElseGet(
                () -> USUAL.stream().filter(precisions()::contains).findFirst().orElseThrow());
    }
}
