package dev.penstock.routing;

/**
 * How long a step takes: {@code b0 + b1·c + b2·c·ctx + b3·B + b4·K + b5·max(0, c - free)} seconds for c prompt tokens at a
 * mean context of ctx, B sequences that decode and K tokens in the KV cache. One for each model, precision and class of
 * device; not safe for several threads.
 *
 * <p>The last term is the roofline's: up to some number of tokens arithmetic hides behind reading the weights, beyond it
 * each token takes its own time.
 *
 * <p>Fitted by least squares of the relative error with forgetting. Each stratum of load (what part of a step is prompt,
 * how many sequences decode) has sums of its own, which fade only when that stratum is seen, so that an hour of decoding
 * doesn't unlearn what prompts take. Coefficients can't be negative: coordinate descent on the summed normal equations,
 * from where it stood last.
 */
public final class StepTimeModel {
    /** b0 to b5. */
    public static final int COEFFICIENTS = 6;

    private static final int TERMS = COEFFICIENTS;

    /** The weight that a stratum's past keeps at each of its samples: it remembers about 200 of them. */
    private static final double MEMORY = 0.995;

    /** First samples of a stratum of mixed and of pure steps that are not looked at: caches fill, code is compiled. */
    private static final int WARM_UP = 4;

    /** Samples between two fits. */
    private static final int FIT_EVERY = 8;

    private static final int SWEEPS = 40;

    /** A sample beyond this multiple of the prediction is a pause of the machine more likely than a step. */
    private static final double OUTLIER = 4;

    private static final double OUTLIER_WEIGHT = 0.05;

    /** How much the seed weighs against samples. */
    private static final double SEED_WEIGHT = 1;

    /** The part of a step from which arithmetic is taken to outlast reading: an engine lets as many in beside decodes. */
    private static final double FREE_SHARE = 0.25;

    private final Stratum[] strata = new Stratum[9];
    private final double[] seed;
    private final double[] b;
    private final double[] row = new double[TERMS];
    private final int stepTokens;
    private final double free;
    private long samples;

    /**
     * From an earlier fit.
     *
     * @param stepTokens the most tokens that a step takes
     * @param coefficients b0 to b5, none negative
     */
    public StepTimeModel(int stepTokens, double... coefficients) {
        if (coefficients.length != TERMS) {
            throw new IllegalArgumentException("A step time has 6 coefficients, not " + coefficients.length + ".");
        }
        this.stepTokens = stepTokens;
        free = FREE_SHARE * stepTokens;
        seed = coefficients.clone();
        b = coefficients.clone();
        for (int i = 0; i < strata.length; i++) {
            strata[i] = new Stratum();
        }
    }

    /** Seconds of a step. */
    public double seconds(double promptTokens, double context, double sequences, double kvTokens) {
        return b[0]
                + b[1] * promptTokens
                + b[2] * promptTokens * context
                + b[3] * sequences
                + b[4] * kvTokens
                + b[5] * Math.max(0, promptTokens - free);
    }

    /** Learns from a step that took so many seconds; the first ones are not looked at. */
    public void observe(double promptTokens, double context, double sequences, double kvTokens, double seconds) {
        if (!(seconds > 0) || !Double.isFinite(seconds)) {
            return;
        }
        Stratum stratum = strata[stratum(promptTokens, sequences)];
        if (stratum.seen++ < WARM_UP) {
            return;
        }
        double expected = seconds(promptTokens, context, sequences, kvTokens);
        boolean outlier = stratum.seen > 5 * WARM_UP && seconds > OUTLIER * expected;
        double weight = outlier ? OUTLIER_WEIGHT : 1;
        row[0] = 1 / seconds;
        row[1] = promptTokens / seconds;
        row[2] = promptTokens * context / seconds;
        row[3] = sequences / seconds;
        row[4] = kvTokens / seconds;
        row[5] = Math.max(0, promptTokens - free) / seconds;
        stratum.add(row, weight);
        if (++samples % FIT_EVERY == 0) {
            fit();
        }
    }

    /** A copy of b0 to b5, to be kept as the next seed. */
    public double[] coefficients() {
        return b.clone();
    }

    double base() {
        return b[0];
    }

    /** What so many prompt tokens add to a step, but for their contexts. */
    double promptSeconds(double promptTokens) {
        return b[1] * promptTokens + b[5] * Math.max(0, promptTokens - free);
    }

    double perPromptTokenAndContext() {
        return b[2];
    }

    double perSequence() {
        return b[3];
    }

    double perKvToken() {
        return b[4];
    }

    private int stratum(double promptTokens, double sequences) {
        int prompt = promptTokens == 0 ? 0 : promptTokens < 0.5 * stepTokens ? 1 : 2;
        int decoding = sequences <= 1 ? 0 : sequences <= 8 ? 1 : 2;
        return 3 * prompt + decoding;
    }

    private void fit() {
        double[][] normal = new double[TERMS][TERMS];
        double[] right = new double[TERMS];
        for (Stratum s : strata) {
            for (int i = 0; i < TERMS; i++) {
                right[i] += s.right[i];
                for (int j = 0; j < TERMS; j++) {
                    normal[i][j] += s.normal[i][j];
                }
            }
        }
        for (int i = 0; i < TERMS; i++) {
            // The seed counts as a sample in which this term alone made up the step.
            double pull = SEED_WEIGHT / Math.max(seed[i] * seed[i], 1e-18);
            normal[i][i] += seed[i] == 0 ? 0 : pull;
            right[i] += seed[i] == 0 ? 0 : pull * seed[i];
        }
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            for (int i = 0; i < TERMS; i++) {
                if (normal[i][i] > 0) {
                    double rest = right[i];
                    for (int j = 0; j < TERMS; j++) {
                        rest -= j == i ? 0 : normal[i][j] * b[j];
                    }
                    b[i] = Math.max(0, rest / normal[i][i]);
                }
            }
        }
    }

    /** Sums of x·xᵀ and x·y over the samples of a stratum, the older the fainter. */
    private static final class Stratum {
        private final double[][] normal = new double[TERMS][TERMS];
        private final double[] right = new double[TERMS];
        private long seen;

        /** A row is divided by the time measured, which makes the target 1 and the error relative. */
        private void add(double[] row, double weight) {
            for (int i = 0; i < TERMS; i++) {
                right[i] = MEMORY * right[i] + weight * row[i];
                for (int j = 0; j < TERMS; j++) {
                    normal[i][j] = MEMORY * normal[i][j] + weight * row[i] * row[j];
                }
            }
        }
    }
}
