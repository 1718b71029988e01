package dev.penstock.api;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Chooses the candidates that become choices: of each prompt the ones with the highest log probability by token. */
final class BestCandidates {
    private BestCandidates() {}

    /**
     * The chosen ones, prompt by prompt, in the order in which they were sampled where none is left out.
     *
     * @param candidates of all prompts, {@code perPrompt} of each
     * @param wanted of each prompt
     */
    static List<Candidate> of(List<Candidate> candidates, int perPrompt, int wanted) {
        if (wanted == perPrompt) {
            return candidates;
        }
        List<Candidate> chosen = new ArrayList<>();
        for (int from = 0; from < candidates.size(); from += perPrompt) {
            candidates.subList(from, from + perPrompt).stream()
                    .sorted(Comparator.comparingDouble(Candidate::meanLogprob).reversed())
                    .limit(wanted)
                    .forEach(chosen::add);
        }
        return chosen;
    }
}
