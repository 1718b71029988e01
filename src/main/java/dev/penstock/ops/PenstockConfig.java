package dev.penstock.ops;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The configuration of the server, under {@code penstock} in its file; see {@code docs/configuration.md}. */
@ConfigMapping(prefix = "penstock")
public interface PenstockConfig {
    /** The models to serve; the embedded one if there are none. */
    List<Model> models();

    /** The HTTP side. */
    Http http();

    /** What applies to the step loop of each model. */
    Engine engine();

    /** How long requests under way may take to end when the server goes down. */
    @WithDefault("30s")
    Duration drainTimeout();

    /** A model to serve. */
    interface Model {
        /** What callers name in {@code model}. */
        String name();

        /** A Hugging Face folder, or one with ONNX graphs. */
        String folder();

        /** {@code cpu} or {@code cuda:N}. */
        @WithDefault("cpu")
        String device();

        /** {@code fp32}, {@code fp16}, {@code int8}, {@code int4} or {@code mixed}; by device where absent, or what an ONNX folder has. */
        Optional<String> precision();

        /** How 4-bit codes are found: {@code search} or {@code nearest}. */
        @WithDefault("search")
        String rounding();

        /** Type of its KV cache: {@code fp32}, {@code fp16} or {@code int8}; by precision where absent. */
        Optional<String> kv();

        /** Threads for its matrix products; the machine's cores where absent, one on a GPU. */
        OptionalInt threads();

        /** Most tokens of prompt and completion together; the model's own where absent. */
        OptionalInt context();

        /** Memory for its KV cache; a share of the machine's, or of what is free on a GPU, where absent. */
        Optional<MemorySize> kvCache();
    }

    /** The HTTP side. */
    interface Http {
        /** Larger bodies are refused with 413. */
        @WithDefault("16M")
        MemorySize maxBodySize();

        /** A stream with nothing to say for this long sends a comment, and before its first event its status. */
        @WithDefault("15s")
        Duration keepAlive();

        /** What {@code Retry-After} says where nothing better is known. */
        @WithDefault("1s")
        Duration retryAfter();
    }

    /** What applies to the step loop of each model. */
    interface Engine {
        /** Tokens of a block of the KV cache; by device where absent. */
        OptionalInt blockSize();

        /** Tokens of one step at most. */
        @WithDefault("256")
        int maxStepTokens();

        /** Prompt tokens at most in a step that also decodes. */
        @WithDefault("64")
        int maxPromptTokensBesideDecodes();

        /** Sequences in the batch at most. */
        @WithDefault("32")
        int maxRunning();

        /** Requests that may wait before new ones are refused with 503. */
        @WithDefault("512")
        int maxWaiting();

        /** Whether what prompts have in common is kept and reused. */
        @WithDefault("true")
        boolean prefixCache();
    }
}
