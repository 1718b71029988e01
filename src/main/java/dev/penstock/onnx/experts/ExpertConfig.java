package dev.penstock.onnx.experts;

/**
 * What a layer of experts computes, apart from its weights: the sum over the chosen experts e of
 * {@code weight(e) * down_e(activation(gate_e(x)) * up_e(x))}.
 *
 * @param experts how many there are
 * @param chosen how many each token takes, those of largest router logits
 * @param renormalised whether the weights of the chosen ones, shares of a softmax over all, are scaled to add up to 1
 * @param gelu whether the activation is GELU by its tanh approximation, not SiLU
 * @param hidden width of x and of the sum
 * @param inner width of gate and up
 */
public record ExpertConfig(int experts, int chosen, boolean renormalised, boolean gelu, int hidden, int inner) {
    /** Checks the numbers; throws IllegalArgumentException where one makes no sense. */
    public ExpertConfig {
        if (chosen < 1 || chosen > experts || hidden < 1 || inner < 1) {
            throw new IllegalArgumentException(
                    "%d of %d experts of widths %d and %d".formatted(chosen, experts, hidden, inner));
        }
    }
}
