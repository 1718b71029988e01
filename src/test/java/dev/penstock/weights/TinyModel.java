package dev.penstock.weights;

import java.nio.file.Path;

/** A tiny random model that can be written as a Hugging Face folder. */
public interface TinyModel {
    /** Size of its vocabulary. */
    int vocab();

    /** Whether its head is the embedding table. */
    boolean tied();

    /** Whether it has experts: a rounding can send a token to another one, and change all that follows. */
    boolean sparse();

    /** What its numbers come from. */
    long seed();

    /** Writes config.json and the safetensors; returns the folder. */
    Path write(Path folder);
}
