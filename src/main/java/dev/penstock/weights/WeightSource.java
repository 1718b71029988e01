package dev.penstock.weights;

/** Where the numbers of a model's tensors come from, by the names that its family gives them; safe for many threads. */
public interface WeightSource extends AutoCloseable {
    /**
     * Makes sure that a tensor is there, has this shape and can be read.
     *
     * @throws ModelFolderException if not, with what was expected and found
     */
    void require(String tensor, long... shape);

    /** Whether there is a tensor of that name. */
    boolean has(String tensor);

    /**
     * Reads a run of a tensor's numbers in row-major order. Only for tensors that {@link #require} accepted.
     *
     * @param start index of the first number
     */
    void read(String tensor, long start, float[] to, int toIndex, int count);

    @Override
    void close();
}
