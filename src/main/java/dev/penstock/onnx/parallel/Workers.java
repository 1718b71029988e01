package dev.penstock.onnx.parallel;

/** Threads that run numbered tasks; the caller is one of them. */
public interface Workers {
    /** Threads that there are, the caller included. */
    int count();

    /**
     * Runs {@code task} for 0 to {@code tasks - 1}, at most {@link #count} of them, at once where possible; returns when
     * all are done.
     */
    void run(int tasks, Task task);

    /** One numbered piece of work; it runs on any of the threads and throws nothing. */
    @FunctionalInterface
    interface Task {
        /** Does piece {@code index}. */
        void run(int index);
    }
}
