package dev.penstock.api;

import dev.penstock.model.GenerationRequest;
import dev.penstock.prompt.ServedModel;
import java.util.List;

/**
 * A request that was understood, ready to run.
 *
 * @param id of the reply
 * @param createdS seconds since the epoch
 * @param modelName the model as the caller named it
 * @param model the one that answers
 * @param sequences one for each choice of the reply: for each prompt in turn, its n choices
 * @param choicesPerPrompt n
 * @param logprobs whether log probabilities were asked for
 * @param streaming how the reply is sent
 */
record Job(
        String id,
        long createdS,
        String modelName,
        ServedModel model,
        List<GenerationRequest> sequences,
        int choicesPerPrompt,
        boolean logprobs,
        StreamFields streaming) {}
