package dev.penstock.api;

/**
 * Whether a reply is streamed, and how.
 *
 * @param stream as server-sent events
 * @param includeUsage with one more chunk that counts the tokens
 */
record StreamFields(boolean stream, boolean includeUsage) {

    static StreamFields read(JsonObject body) {
        boolean stream = body.flag("stream", false);
        JsonObject options = body.object("stream_options");
        if (options == null) {
            return new StreamFields(stream, false);
        }
        if (!stream) {
            throw ApiException.badField("stream_options", "'stream_options' needs 'stream' to be true.");
        }
        // Chunks are never padded; the field is read for its type alone.
        options.flag("include_obfuscation", true);
        return new StreamFields(true, options.flag("include_usage", false));
    }
}
