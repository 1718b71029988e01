package dev.penstock.api;

import dev.penstock.prompt.ServedModel;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Turns requests for responses into jobs: finds what they go on from, and makes them fit where they allow it. */
@ApplicationScoped
class ResponseJobs {
    private final JobMaker jobs;
    private final ResponseStore store;
    private final BackgroundRuns background;

    ResponseJobs(JobMaker jobs, ResponseStore store, BackgroundRuns background) {
        this.jobs = jobs;
        this.store = store;
        this.background = background;
    }

    /** The job of a request for this model. */
    Job make(ServedModel model, JsonObject body) {
        String previousId = body.text("previous_response_id");
        ResponseRequest request = ResponseRequest.read(body, previousId == null ? List.of() : items(previousId), model);
        String id = JobMaker.newId("resp_");
        byte[] input = WireJson.bytes(json -> {
            json.writeStartArray();
            for (InputItem item : request.input()) {
                item.write(json);
            }
            json.writeEndArray();
        });
        return fit(model, request, id, json -> {
            if (request.store()) {
                store.put(new StoredResponse(id, json, input, previousId));
            }
        });
    }

    /** All that was said up to the end of this response. */
    private List<InputItem> items(String id) {
        if (background.find(id) != null) {
            throw ApiException.unknownPrevious("The response '" + id + "' is still being made.");
        }
        List<StoredResponse> turns = store.conversation(id)
                .orElseThrow(() -> ApiException.unknownPrevious(
                        "The response '" + id + "', or one that it goes on from, is not kept here."));
        List<InputItem> items = new ArrayList<>();
        for (StoredResponse turn : turns) {
            items.addAll(InputItem.readAll(WireJson.read(turn.input()), "input"));
            items.addAll(InputItem.readAll(WireJson.read(turn.json()).path("output"), "output"));
        }
        return items;
    }

    private Job fit(ServedModel model, ResponseRequest request, String id, Consumer<byte[]> keeper) {
        try {
            return job(model, request, request.chat(), id, keeper);
        } catch (ApiException e) {
            Job shorter = request.truncate() && ApiException.TOO_LONG.equals(e.code())
                    ? shortened(model, request, id, keeper)
                    : null;
            if (shorter == null) {
                throw e;
            }
            return shorter;
        }
    }

    /** With as few of the oldest messages left out as can be; null if not even the last one fits. */
    private @Nullable Job shortened(ServedModel model, ResponseRequest request, String id, Consumer<byte[]> keeper) {
        List<Map<String, Object>> messages = request.chat().messages();
        int kept = "system".equals(messages.getFirst().get("role")) ? 1 : 0;
        // A result without its call makes no sense.
        int[] begins = IntStream.range(kept + 1, messages.size())
                .filter(i -> !"tool".equals(messages.get(i).get("role")))
                .toArray();
        @Nullable Job best = null;
        int low = 0;
        int high = begins.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            List<Map<String, Object>> some = new ArrayList<>(messages.subList(0, kept));
            some.addAll(messages.subList(begins[middle], messages.size()));
            try {
                best = job(model, request, request.chat().withMessages(some), id, keeper);
                high = middle;
            } catch (ApiException e) {
                if (!ApiException.TOO_LONG.equals(e.code())) {
                    throw e;
                }
                low = middle + 1;
            }
        }
        return best;
    }

    private Job job(ServedModel model, ResponseRequest request, ChatRequest chat, String id, Consumer<byte[]> keeper) {
        return jobs.chat(model, chat, id, job -> new ResponseWriter(job, request, keeper));
    }
}
