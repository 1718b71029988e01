package dev.penstock.api;

import dev.penstock.api.Job.Shape;
import dev.penstock.model.GenerationRequest;
import dev.penstock.model.OutputConstraint;
import dev.penstock.model.SamplingParams;
import dev.penstock.prompt.FillIn;
import dev.penstock.prompt.PlainTemplate;
import dev.penstock.prompt.ServedModel;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;

/** Turns a request that was read into a job: renders and encodes the prompt, checks that it fits, compiles its constraint. */
@ApplicationScoped
class JobMaker {
    private static final long MS_PER_S = 1000;

    /** A new id of a reply. */
    static String newId(String prefix) {
        return prefix + UUID.randomUUID().toString().replace("-", "");
    }

    /**
     * The job of a conversation for this model.
     *
     * @param writers make what writes its reply
     */
    Job chat(ServedModel model, ChatRequest request, String id, Function<Job, ReplyWriter> writers) {
        Conversation conversation = new Conversation(model, request);
        String rendered = conversation.render();
        boolean plain = model.template() == null;
        OptionalInt most = request.sampling().promptTokens();
        int[] prompt = Prompts.encode(model, rendered, plain || request.addSpecialTokens(), request.field(), most);
        OutputConstraint constraint = conversation.constraint(rendered);
        Shape shape = new Shape(
                request.n(),
                request.sampling().topLogprobs().isPresent(),
                request.sampling().promptLogprobs().isPresent(),
                List.of(),
                false,
                conversation.parser(rendered),
                request.tools().legacy(),
                request.serviceTier() == null ? null : "default");
        return job(
                id,
                request.model(),
                model,
                List.of(prompt),
                request.n(),
                request.streaming(),
                shape,
                writers,
                (length, choice) -> request.sampling()
                        // Without a limit a reply may fill the context.
                        .resolve(model, length, choice, model.contextLength(), plain ? PlainTemplate.STOP : List.of())
                        .constraint(constraint)
                        .shownTokens(conversation.shownTokens())
                        .build());
    }

    /** The job of a completion request for this model. */
    Job completion(ServedModel model, CompletionRequest request) {
        List<int[]> prompts = new ArrayList<>(request.prompts().size());
        for (int i = 0; i < request.prompts().size(); i++) {
            String param = request.prompts().size() == 1 ? "prompt" : "prompt[" + i + "]";
            prompts.add(prompt(model, request, request.prompts().get(i), param));
        }
        OutputConstraint constraint = Conversation.compile(model, request.format());
        boolean choosing = request.bestOf() > request.n();
        boolean scoring = request.echo() && request.sampling().topLogprobs().isPresent();
        Shape shape = new Shape(
                request.n(),
                request.sampling().topLogprobs().isPresent(),
                request.sampling().promptLogprobs().isPresent(),
                request.echo() ? echoes(model, request, prompts) : List.of(),
                request.silent(),
                null,
                false,
                null);
        return job(
                newId("cmpl-"),
                request.model(),
                model,
                prompts,
                request.bestOf(),
                request.streaming(),
                shape,
                job -> new ChoicesWriter(job, new CompletionFormat()),
                (length, choice) -> {
                    SamplingParams.Builder sampling = request.sampling()
                            .resolve(model, length, choice, CompletionRequest.DEFAULT_MAX_TOKENS, List.of())
                            .constraint(constraint)
                            .shownTokens(Set.of());
                    if (scoring && request.sampling().promptLogprobs().isEmpty()) {
                        sampling.promptLogprobs(request.sampling().topLogprobs().getAsInt());
                    }
                    if (choosing && request.sampling().topLogprobs().isEmpty()) {
                        sampling.topLogprobs(0);
                    }
                    return sampling.build();
                });
    }

    private static int[] prompt(
            ServedModel model, CompletionRequest request, CompletionRequest.Prompt prompt, String param) {
        OptionalInt most = request.sampling().promptTokens();
        int[] tokens = switch (prompt) {
            case CompletionRequest.Prompt.Text(String text) ->
                Prompts.encode(model, text, request.addSpecialTokens(), param, most);
            case CompletionRequest.Prompt.Tokens(int[] ids) -> Prompts.checked(model, ids, param, most);
        };
        String suffix = request.suffix();
        if (suffix == null) {
            return tokens;
        }
        FillIn fillIn = FillIn.of(model.tokenizer())
                .orElseThrow(() -> ApiException.unsupported(
                        "suffix", "The model '" + model.id() + "' has no tokens for filling in: leave 'suffix' out."));
        int begins = tokens.length > 0 && model.tokenizer().isSpecial(tokens[0]) ? 1 : 0;
        int[] after = Prompts.encode(model, suffix, false, "suffix", OptionalInt.empty());
        return Prompts.checked(model, fillIn.prompt(tokens, after, begins), param, OptionalInt.empty());
    }

    private static List<String> echoes(ServedModel model, CompletionRequest request, List<int[]> prompts) {
        List<String> echoes = new ArrayList<>(prompts.size());
        for (int i = 0; i < prompts.size(); i++) {
            echoes.add(
                    request.prompts().get(i) instanceof CompletionRequest.Prompt.Text(String text)
                            ? text
                            : model.tokenizer().decode(prompts.get(i), true));
        }
        return echoes;
    }

    /** How the tokens of a candidate are chosen. */
    private interface Sampling {
        SamplingParams of(int promptLength, int candidate);
    }

    private static Job job(
            String id,
            String modelName,
            ServedModel model,
            List<int[]> prompts,
            int perPrompt,
            StreamFields streaming,
            Shape shape,
            Function<Job, ReplyWriter> writers,
            Sampling sampling) {
        List<GenerationRequest> sequences = new ArrayList<>(prompts.size() * perPrompt);
        for (int[] prompt : prompts) {
            for (int i = 0; i < perPrompt; i++) {
                sequences.add(
                        new GenerationRequest(id + "/" + sequences.size(), prompt, sampling.of(prompt.length, i)));
            }
        }
        return new Job(
                id,
                System.currentTimeMillis() / MS_PER_S,
                modelName,
                model,
                List.copyOf(sequences),
                perPrompt,
                streaming,
                shape,
                writers);
    }
}
