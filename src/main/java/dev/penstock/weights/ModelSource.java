package dev.penstock.weights;

/** A model that variants can be built from. */
public sealed interface ModelSource permits ModelFolder, RandomModel {
    /** What kind of model it is. */
    DecoderSpec spec();

    /** Its numbers; the caller closes them. */
    WeightSource openWeights();
}
