package dev.penstock.api;

import dev.penstock.model.GenerationRequest;
import dev.penstock.prompt.ServedModel;
import dev.penstock.prompt.dialogue.CompletionParser;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A request that was understood, ready to run.
 *
 * @param id of the reply
 * @param createdS seconds since the epoch
 * @param modelName the model as the caller named it
 * @param model the one that answers
 * @param sequences one for each candidate: for each prompt in turn, its {@code perPrompt} ones
 * @param perPrompt candidates of a prompt
 * @param streaming how the reply is sent
 * @param shape what the reply holds
 * @param writers make what writes it
 */
record Job(
        String id,
        long createdS,
        String modelName,
        ServedModel model,
        List<GenerationRequest> sequences,
        int perPrompt,
        StreamFields streaming,
        Shape shape,
        Function<Job, ReplyWriter> writers) {

    /** What writes the reply, from its beginning. */
    ReplyWriter newWriter() {
        return writers.apply(this);
    }

    /**
     * What the reply to a job holds.
     *
     * @param choices how many of a prompt's candidates it has: the most likely ones by token where there are more
     * @param logprobs whether log probabilities of the completion were asked for
     * @param promptLogprobs whether those of the prompt were
     * @param echoes by prompt, the text that goes before each of its completions; empty for none
     * @param silent whether nothing of the completions is wanted, only of the prompts
     * @param parser reads a completion; null where all of it is text
     * @param legacyCalls whether a call of a tool is written as {@code function_call}
     * @param serviceTier what the reply says of it; null for nothing
     */
    record Shape(
            int choices,
            boolean logprobs,
            boolean promptLogprobs,
            List<String> echoes,
            boolean silent,
            @Nullable Supplier<CompletionParser> parser,
            boolean legacyCalls,
            @Nullable String serviceTier) {}
}
