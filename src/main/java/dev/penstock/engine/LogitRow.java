package dev.penstock.engine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * One row of logits with the passes over it that sampling takes, each linear and none a sort. For one thread; opened for
 * row after row.
 *
 * <p>The row is cut into spans. {@link #scan} keeps the largest logit of each, {@link #weigh} the sum of weights of each,
 * so that later passes leave out the spans that can't matter: on the steep rows of real models nearly all.
 *
 * <p>A token's weight is exp((logit - largest) / temperature), 1 for the most likely one. Weights are 32-bit floats,
 * their sums are 64-bit across spans.
 */
final class LogitRow {
    /** Nats below the largest logit from which on a weight counts as 0: e^-40 times any vocabulary is nothing. */
    private static final float NEGLIGIBLE_NATS = 40;

    /** Floats in a span: enough to make the reduction at its end cheap, few enough to walk one by one for a draw. */
    private static final int SPAN = 512;

    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private static final FloatVector IMPOSSIBLE = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);

    private final int size;
    private final int spans;
    private final float[] spanMax;
    private final double[] spanSum;
    private final double[] spanAhead;
    private final float[] weights;
    private final LargestLogits largest = new LargestLogits();

    private MemorySegment logits = MemorySegment.NULL;
    private float max;

    /** For rows of this many logits. */
    LogitRow(int size) {
        this.size = size;
        spans = (size + SPAN - 1) / SPAN;
        spanMax = new float[spans];
        spanSum = new double[spans];
        spanAhead = new double[spans];
        weights = new float[size];
    }

    int size() {
        return size;
    }

    /**
     * Looks at another row.
     *
     * @param segment holds it from {@code offset} bytes on
     */
    void open(MemorySegment segment, long offset) {
        logits = segment.asSlice(offset, (long) size * Float.BYTES);
    }

    float get(int token) {
        return logits.get(FLOAT, (long) token * Float.BYTES);
    }

    void set(int token, float value) {
        logits.set(FLOAT, (long) token * Float.BYTES, value);
    }

    /**
     * Makes the logits of all other tokens -infinity.
     *
     * @param words token t is kept if bit t % 64 of word t / 64 is set; words past the end are 0
     */
    void keep(long[] words) {
        for (int from = 0; from < size; from += Long.SIZE) {
            int word = from / Long.SIZE;
            long kept = word < words.length ? words[word] : 0;
            if (kept != -1L) {
                keep(kept, from, Math.min(size, from + Long.SIZE));
            }
        }
    }

    private void keep(long kept, int from, int to) {
        int i = from;
        for (; i <= to - LANES; i += LANES) {
            VectorMask<Float> lanes = VectorMask.fromLong(SPECIES, kept >>> (i - from));
            IMPOSSIBLE.blend(load(i), lanes).intoMemorySegment(logits, (long) i * Float.BYTES, ByteOrder.nativeOrder());
        }
        for (; i < to; i++) {
            if ((kept >>> (i - from) & 1) == 0) {
                set(i, Float.NEGATIVE_INFINITY);
            }
        }
    }

    /** Finds the largest logit, of each span and of all; to be called again after each {@link #set} and {@link #keep}. NaN if there is one. */
    float scan() {
        float most = Float.NEGATIVE_INFINITY;
        for (int span = 0; span < spans; span++) {
            spanMax[span] = maxOf(span * SPAN, Math.min(size, (span + 1) * SPAN));
            most = Math.max(most, spanMax[span]);
        }
        max = most;
        return most;
    }

    /** The most likely token, the lowest of equals; after a {@link #scan}. */
    int argmax() {
        for (int span = 0; span < spans; span++) {
            if (spanMax[span] == max) {
                for (int token = span * SPAN; ; token++) {
                    if (get(token) == max) {
                        return token;
                    }
                }
            }
        }
        throw new IllegalStateException("argmax of a row that was not scanned");
    }

    /** The {@code count} most likely tokens, or all there are with a logit over -infinity; after a {@link #scan}. */
    LargestLogits largest(int count) {
        largest.begin(Math.min(count, size));
        for (int span = 0; span < spans; span++) {
            if (spanMax[span] > largest.threshold()) {
                offer(span * SPAN, Math.min(size, (span + 1) * SPAN));
            }
        }
        largest.finish();
        return largest;
    }

    /**
     * Computes all weights; after a {@link #scan}.
     *
     * @param least weights under this one count as 0
     * @return their sum, at least 1
     */
    double weigh(float temperature, float least) {
        float nats = Math.min(NEGLIGIBLE_NATS, (float) -Math.log(least));
        float cut = max - nats * temperature;
        double sum = 0;
        for (int span = 0; span < spans; span++) {
            spanSum[span] = spanMax[span] < cut
                    ? 0
                    : weigh(span * SPAN, Math.min(size, (span + 1) * SPAN), cut, 1 / temperature);
            sum += spanSum[span];
        }
        return sum;
    }

    /** The token at which the running sum of weights passes {@code target}; after {@link #weigh}. */
    int locate(double target) {
        int span = spanOf(spanSum, target);
        double sum = before(spanSum, span);
        int last = -1;
        for (int token = span * SPAN; token < Math.min(size, (span + 1) * SPAN); token++) {
            if (weights[token] > 0) {
                last = token;
                sum += weights[token];
                if (sum > target) {
                    break;
                }
            }
        }
        return last;
    }

    /** Sum of the weights of all tokens more likely than this one, lower ids first among equals; after {@link #weigh}. */
    double ahead(int token) {
        float logit = get(token);
        double sum = 0;
        for (int span = 0; span < spans; span++) {
            spanAhead[span] = spanSum[span] == 0 || spanMax[span] < logit ? 0 : ahead(span, token);
            sum += spanAhead[span];
        }
        return sum;
    }

    /**
     * The token at which the running sum passes {@code target} if only those more likely than {@code token} count; after
     * {@link #ahead} of that token.
     */
    int locateAhead(int token, double target) {
        int span = spanOf(spanAhead, target);
        double sum = before(spanAhead, span);
        int last = -1;
        for (int other = span * SPAN; other < Math.min(size, (span + 1) * SPAN); other++) {
            if (isAhead(other, token)) {
                last = other;
                sum += weights[other];
                if (sum > target) {
                    break;
                }
            }
        }
        return last;
    }

    private boolean isAhead(int other, int token) {
        return weights[other] > weights[token] || (weights[other] == weights[token] && other < token);
    }

    private double ahead(int span, int token) {
        int from = span * SPAN;
        int to = Math.min(size, from + SPAN);
        if (token >= from && token < to) {
            double sum = 0;
            for (int other = from; other < to; other++) {
                sum += isAhead(other, token) ? weights[other] : 0;
            }
            return sum;
        }
        // Of equals the lower ids are ahead, so spans before the token's count them and those after it do not.
        float least = token >= to ? weights[token] : Math.nextUp(weights[token]);
        return sumFrom(from, to, least);
    }

    private double sumFrom(int from, int to, float least) {
        FloatVector sums = FloatVector.zero(SPECIES);
        int i = from;
        for (; i <= to - LANES; i += LANES) {
            FloatVector w = FloatVector.fromArray(SPECIES, weights, i);
            sums = sums.add(w, w.compare(VectorOperators.GE, least));
        }
        double sum = sums.reduceLanes(VectorOperators.ADD);
        for (; i < to; i++) {
            sum += weights[i] >= least ? weights[i] : 0;
        }
        return sum;
    }

    private int spanOf(double[] sums, double target) {
        double sum = 0;
        int last = 0;
        for (int span = 0; span < spans; span++) {
            if (sums[span] > 0) {
                last = span;
                sum += sums[span];
                if (sum > target) {
                    break;
                }
            }
        }
        return last;
    }

    private static double before(double[] sums, int span) {
        double sum = 0;
        for (int i = 0; i < span; i++) {
            sum += sums[i];
        }
        return sum;
    }

    private float maxOf(int from, int to) {
        FloatVector most = IMPOSSIBLE;
        int i = from;
        for (; i <= to - LANES; i += LANES) {
            most = most.max(load(i));
        }
        float result = most.reduceLanes(VectorOperators.MAX);
        for (; i < to; i++) {
            result = Math.max(result, get(i));
        }
        return result;
    }

    private void offer(int from, int to) {
        int i = from;
        for (; i <= to - LANES; i += LANES) {
            VectorMask<Float> over = load(i).compare(VectorOperators.GT, largest.threshold());
            if (over.anyTrue()) {
                for (long bits = over.toLong(); bits != 0; bits &= bits - 1) {
                    int token = i + Long.numberOfTrailingZeros(bits);
                    largest.offer(token, get(token));
                }
            }
        }
        for (; i < to; i++) {
            largest.offer(i, get(i));
        }
    }

    private double weigh(int from, int to, float cut, float inverseTemperature) {
        float scale = inverseTemperature * Exp2.LOG2_E;
        FloatVector sums = FloatVector.zero(SPECIES);
        int i = from;
        for (; i <= to - LANES; i += LANES) {
            FloatVector x = load(i);
            FloatVector w = Exp2.of(x.sub(max).mul(scale));
            w = FloatVector.zero(SPECIES).blend(w, x.compare(VectorOperators.GE, cut));
            w.intoArray(weights, i);
            sums = sums.add(w);
        }
        double sum = sums.reduceLanes(VectorOperators.ADD);
        for (; i < to; i++) {
            float x = get(i);
            weights[i] = x >= cut ? (float) Math.exp((double) (x - max) * inverseTemperature) : 0;
            sum += weights[i];
        }
        return sum;
    }

    private FloatVector load(int token) {
        return FloatVector.fromMemorySegment(SPECIES, logits, (long) token * Float.BYTES, ByteOrder.nativeOrder());
    }
}
