package dev.penstock.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Fields that several endpoints share, which say something about a request and nothing about its tokens. */
final class CommonFields {
    private static final List<String> SERVICE_TIERS =
            List.of("auto", "default", "flex", "scale", "priority", "fast", "ultrafast");
    private static final int MAX_METADATA = 16;
    private static final int MAX_METADATA_KEY = 64;
    private static final int MAX_METADATA_VALUE = 512;

    private CommonFields() {}

    /** The service tier that was asked for; null if none was. There is one tier, and replies call it {@code default}. */
    static @Nullable String serviceTier(JsonObject body) {
        String tier = body.text("service_tier");
        if (tier != null && !SERVICE_TIERS.contains(tier)) {
            throw ApiException.badField(
                    "service_tier", "'service_tier' must be one of " + String.join(", ", SERVICE_TIERS) + ".");
        }
        return tier;
    }

    /** Checks {@code metadata} against the contract's bounds; null if there is none. */
    static @Nullable JsonNode metadata(JsonObject body) {
        JsonObject metadata = body.object("metadata");
        if (metadata == null) {
            return null;
        }
        Iterator<Map.Entry<String, JsonNode>> fields = metadata.fields();
        int count = 0;
        while (fields.hasNext()) {
            Map.Entry<String, JsonNode> field = fields.next();
            String value = JsonObject.text(field.getValue(), metadata.path(field.getKey()));
            if (++count > MAX_METADATA
                    || field.getKey().length() > MAX_METADATA_KEY
                    || value.length() > MAX_METADATA_VALUE) {
                throw ApiException.badField(
                        "metadata",
                        "'metadata' must have at most " + MAX_METADATA + " entries, keys of at most " + MAX_METADATA_KEY
                                + " and values of at most " + MAX_METADATA_VALUE + " characters.");
            }
        }
        return metadata.node();
    }
}
