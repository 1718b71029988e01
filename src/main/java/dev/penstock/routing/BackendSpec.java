package dev.penstock.routing;

/**
 * What a backend can hold.
 *
 * @param name a stable name
 * @param maxSequences sequences that run at once
 * @param kvTokens tokens that its KV cache holds
 * @param stepTokens the most tokens that a step takes
 * @param promptTokensBesideDecodes the most prompt tokens of a step that also decodes
 * @param spill whether it takes requests only where no other backend fits
 */
public record BackendSpec(
        String name, int maxSequences, long kvTokens, int stepTokens, int promptTokensBesideDecodes, boolean spill) {
    public BackendSpec {
        if (maxSequences < 1 || kvTokens < 1 || stepTokens < 1 || promptTokensBesideDecodes < 1) {
            throw new IllegalArgumentException(
                    "The backend %s must hold at least one sequence, one token of cache and one token a step, beside decodes too."
                            .formatted(name));
        }
    }
}
