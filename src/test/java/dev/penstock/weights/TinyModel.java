package dev.penstock.weights;

import java.nio.file.Path;

/** A tiny random model that can be written as a Hugging Face folder. */
public interface TinyModel {
    /** Size of its vocabulary. */
    int vocab();

    /** Whether its head is the embedding table. */
    boolean tied();

    /** What its numbers come from. */
    long seed();

    /** Writes config.json and the safetensors; returns the folder. */
    Path write(Path folder);
}
