package dev.penstock.onnx.attention;

/**
 * What an attention node computes, apart from its tensors.
 *
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param scale factor of the dot products, 0 for {@code 1 / sqrt(headSize)}
 * @param softcap c of {@code c * tanh(score / c)}, 0 for none
 * @param window tokens that a query sees, itself included; {@link Integer#MAX_VALUE} for all
 * @param rotary whether queries and keys are rotated by position
 * @param interleaved whether a rotated pair is two neighbours, not two numbers half the rotary width apart
 */
public record AttentionConfig(
        int heads, int kvHeads, float scale, float softcap, int window, boolean rotary, boolean interleaved) {
    /** Checks the numbers; throws IllegalArgumentException where one makes no sense. */
    public AttentionConfig {
        if (heads < 1 || kvHeads < 1 || heads % kvHeads != 0) {
            throw new IllegalArgumentException(
                    "%d query heads do not divide over %d key heads".formatted(heads, kvHeads));
        }
        if (!Float.isFinite(scale) || scale < 0 || !Float.isFinite(softcap) || softcap < 0) {
            throw new IllegalArgumentException(
                    "scale %s or softcap %s is negative or not finite".formatted(scale, softcap));
        }
        if (window < 1) {
            throw new IllegalArgumentException("a window of %d tokens shows nothing".formatted(window));
        }
    }

    /** Factor of the dot products for heads of this size. */
    float scaleFor(int headSize) {
        return scale == 0 ? (float) (1 / Math.sqrt(headSize)) : scale;
    }

    /** Query heads that share one key head. */
    public int groupSize() {
        return heads / kvHeads;
    }
}
