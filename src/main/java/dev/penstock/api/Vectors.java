package dev.penstock.api;

/** Products of vectors, summed up in 64 bits. */
final class Vectors {
    private Vectors() {}

    /** The inner product of two vectors of the same length. */
    static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    /** The cosine of the angle between them, from -1 to 1; 0 where one of them is zero. */
    static double cosine(float[] a, float[] b) {
        double lengths = Math.sqrt(dot(a, a) * dot(b, b));
        return lengths > 0 ? Math.clamp(dot(a, b) / lengths, -1, 1) : 0;
    }
}
