package dev.penstock.backend.upstream;

import dev.penstock.model.WireRequest.Endpoint;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/** How the replies and events of an endpoint tell what they are. */
enum WireForm {
    /** Chats and completions: {@code choices} in all of them, {@code [DONE]} after the last. */
    CHOICES {
        @Override
        boolean isReply(WireScan scan) {
            return scan.hasChoices();
        }

        @Override
        boolean isEvent(WireScan scan) {
            return scan.hasChoices() && scan.error() == null;
        }

        @Override
        boolean carriesOutput(WireScan scan) {
            return scan.carriesOutput();
        }

        @Override
        boolean finishes(WireScan scan) {
            return scan.finishes();
        }
    },
    /** OpenAI's responses and Anthropic's messages: each event has a {@code type}, by which the last one is known. */
    TYPED {
        /** It becomes the event's name, which must not hold a line break. */
        private static final Pattern NAME = Pattern.compile("[a-z0-9_.]{1,100}");

        private static final Set<String> LAST =
                Set.of("response.completed", "response.incomplete", "response.failed", "message_stop");

        @Override
        boolean isReply(WireScan scan) {
            return "response".equals(scan.object()) || "message".equals(scan.type());
        }

        @Override
        boolean isEvent(WireScan scan) {
            String type = scan.type();
            return type != null && NAME.matcher(type).matches() && scan.error() == null && !type.equals("error");
        }

        @Override
        boolean carriesOutput(WireScan scan) {
            String type = Objects.requireNonNullElse(scan.type(), "");
            return type.endsWith(".delta") || type.equals("content_block_delta") || finishes(scan);
        }

        @Override
        boolean finishes(WireScan scan) {
            return scan.type() != null && LAST.contains(scan.type());
        }
    },
    /** Embeddings: {@code data}; never a stream. */
    VECTORS {
        @Override
        boolean isReply(WireScan scan) {
            return scan.hasArray("data");
        }
    },
    /** Reranked documents: {@code results}; never a stream. */
    RANKS {
        @Override
        boolean isReply(WireScan scan) {
            return scan.hasArray("results");
        }
    };

    static WireForm of(Endpoint endpoint) {
        return switch (endpoint) {
            case CHAT, COMPLETIONS -> CHOICES;
            case RESPONSES, MESSAGES -> TYPED;
            case EMBEDDINGS -> VECTORS;
            case RERANK -> RANKS;
        };
    }

    /** Whether it is a whole reply. */
    abstract boolean isReply(WireScan scan);

    /** Whether it is an event of a reply, and no error. */
    boolean isEvent(WireScan scan) {
        return false;
    }

    /** Whether an event brings something that was made. */
    boolean carriesOutput(WireScan scan) {
        return false;
    }

    /** Whether a reply, or a choice of it, ends with an event. */
    boolean finishes(WireScan scan) {
        return false;
    }
}
