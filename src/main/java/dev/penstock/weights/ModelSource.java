package dev.penstock.weights;

import dev.penstock.model.DecoderShape;
import dev.penstock.model.Device;
import dev.penstock.model.Precision;
import java.util.List;
import java.util.Optional;

/** A model that variants can be made of. */
public sealed interface ModelSource permits ModelFolder, RawModel {
    /** Its dimensions. */
    DecoderShape shape();

    /** The precisions that it can be had at on a device, most exact first; empty where it can't run there. */
    List<Precision> precisions(Device device);

    /**
     * The precision to take on a device.
     *
     * @param asked what is wanted, if anything is
     * @throws IllegalArgumentException the device has no such precision
     * @throws ModelFolderException the model can't be had at it, or not on that device
     */
    Precision precision(Optional<Precision> asked, Device device);
}
