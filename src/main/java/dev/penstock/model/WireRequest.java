package dev.penstock.model;

/**
 * A request of OpenAI's API, or of Anthropic's, as its caller wrote it.
 *
 * @param endpoint which of them
 * @param body one JSON object in UTF-8, in which no key stands twice; nobody may change it
 * @param stream whether it asks for a stream
 * @param includeUsage whether it asks for a last chunk that counts the tokens
 */
public record WireRequest(Endpoint endpoint, byte[] body, boolean stream, boolean includeUsage) {
    /** Where a request goes to. */
    public enum Endpoint {
        /** {@code /chat/completions}. */
        CHAT("/chat/completions"),
        /** {@code /completions}. */
        COMPLETIONS("/completions"),
        /** {@code /responses}. */
        RESPONSES("/responses"),
        /** {@code /messages}, in Anthropic's form. */
        MESSAGES("/messages"),
        /** {@code /embeddings}. */
        EMBEDDINGS("/embeddings"),
        /** {@code /rerank}. */
        RERANK("/rerank");

        private final String path;

        Endpoint(String path) {
            this.path = path;
        }

        /** Its path below the base of an API. */
        public String path() {
            return path;
        }

        /** Whether its replies are made token by token. */
        public boolean generates() {
            return this != EMBEDDINGS && this != RERANK;
        }
    }
}
