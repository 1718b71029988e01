package dev.penstock.weights;

/**
 * A checkpoint of a model that was saved without its head: then {@code model.} does not stand before the names.
 *
 * @param weights with or without it
 */
record BareNames(WeightSource weights) implements WeightSource {
    private static final String PREFIX = "model.";

    private String name(String tensor) {
        return weights.has(tensor) || !tensor.startsWith(PREFIX) ? tensor : tensor.substring(PREFIX.length());
    }

    @Override
    public void require(String tensor, long... shape) {
        weights.require(name(tensor), shape);
    }

    @Override
    public boolean has(String tensor) {
        return weights.has(name(tensor));
    }

    @Override
    public void read(String tensor, long start, float[] to, int toIndex, int count) {
        weights.read(name(tensor), start, to, toIndex, count);
    }

    @Override
    public void close() {
        weights.close();
    }
}
