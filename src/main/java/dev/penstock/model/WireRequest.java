package dev.penstock.model;

/**
 * A request of OpenAI's API as its caller wrote it.
 *
 * @param endpoint which of the API's
 * @param body one JSON object in UTF-8, in which no key stands twice; nobody may change it
 * @param stream whether it asks for a stream
 * @param includeUsage whether it asks for a last chunk that counts the tokens
 */
public record WireRequest(Endpoint endpoint, byte[] body, boolean stream, boolean includeUsage) {
    /** Where a request goes to. */
    public enum Endpoint {
        /** {@code /chat/completions}. */
        CHAT("/chat/completions", "choices"),
        /** {@code /completions}. */
        COMPLETIONS("/completions", "choices"),
        /** {@code /embeddings}. */
        EMBEDDINGS("/embeddings", "data"),
        /** {@code /rerank}. */
        RERANK("/rerank", "results");

        private final String path;
        private final String results;

        Endpoint(String path, String results) {
            this.path = path;
            this.results = results;
        }

        /** Its path below the base of an API. */
        public String path() {
            return path;
        }

        /** Whether its replies are made token by token. */
        public boolean generates() {
            return results.equals("choices");
        }

        /** The array that every plain reply has. */
        public String results() {
            return results;
        }
    }
}
