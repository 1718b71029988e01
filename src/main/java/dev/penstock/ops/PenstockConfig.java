package dev.penstock.ops;

import dev.penstock.routing.RouterOptions;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The configuration of the server, under {@code penstock} in its file; see {@code docs/configuration.md}. */
@ConfigMapping(prefix = "penstock")
public interface PenstockConfig {
    /** The models to serve, by what callers name in {@code model}; the embedded one if there are none. */
    Map<String, Model> models();

    /** The HTTP side. */
    Http http();

    /** What applies to the step loop of each model. */
    Engine engine();

    /** How backends are chosen. */
    Routing routing();

    /** How responses are kept. */
    Responses responses();

    /** How long requests under way may take to end when the server goes down. */
    @WithDefault("30s")
    Duration drainTimeout();

    /** A model to serve. */
    interface Model {
        /** A Hugging Face folder, or one with ONNX graphs, for its replicas. */
        Optional<String> source();

        /** Most tokens of prompt and completion together, or of an encoder's input; the model's own where absent. */
        OptionalInt context();

        /** What it is for: {@code generate}, {@code embed} or {@code rerank}; what its folder says where absent. */
        Optional<String> task();

        /** Of an encoder: {@code mean}, {@code cls} or {@code last}; what its folder says where absent. */
        Optional<String> pooling();

        /** What applies to requests that bring no budget of their own. */
        Budget budget();

        /** What generates with it; one replica on the CPU where there are none. */
        List<Backend> backends();
    }

    /** Limits of latency; none where absent. */
    interface Budget {
        /** From arrival to the first token. */
        Optional<Duration> ttft();

        /** Mean time for each token after the first. */
        Optional<Duration> tpot();

        /** From arrival to the last token. */
        Optional<Duration> endToEnd();
    }

    /** What generates with a model: a replica in this process, or an upstream, a server elsewhere. */
    interface Backend {
        /** {@code replica} or {@code upstream}. */
        @WithDefault("replica")
        String kind();

        /** What it is called in logs, metrics and reply headers; after the model and what it is where absent. */
        Optional<String> name();

        /** What it costs; may be absent for a replica that is its model's only backend. */
        Price price();

        /** Whether it takes requests only where no other backend fits their budgets. */
        @WithDefault("false")
        boolean spill();

        /** Of a replica: {@code cpu} or {@code cuda:N}. */
        @WithDefault("cpu")
        String device();

        /** Of a replica: {@code fp32}, {@code fp16}, {@code int8}, {@code int4} or {@code mixed}; by device where absent. */
        Optional<String> precision();

        /** Of a replica: how 4-bit codes are found, {@code search} or {@code nearest}. */
        @WithDefault("search")
        String rounding();

        /** Of a replica: type of its KV cache, {@code fp32}, {@code fp16} or {@code int8}; by precision where absent. */
        Optional<String> kv();

        /** Of a replica: threads for its matrix products; its share of the machine's cores where absent, one on a GPU. */
        OptionalInt threads();

        /** Of a replica: memory for its KV cache; a share of the machine's, or of what is free on a GPU, where absent. */
        Optional<MemorySize> kvCache();

        /** Of an upstream: where its API is, such as {@code https://host/v1}. */
        Optional<String> url();

        /** Of an upstream: what it calls the model; what callers call it where absent. */
        Optional<String> model();

        /** Of an upstream: the environment variable that holds its key; none is sent where absent. */
        Optional<String> keyEnv();

        /** Of an upstream: how long a connection may take. */
        @WithDefault("2s")
        Duration connectTimeout();

        /** Of an upstream: how long the first token of a stream may take. */
        @WithDefault("60s")
        Duration firstTokenTimeout();

        /** Of an upstream: how long a stream may be silent after that. */
        @WithDefault("30s")
        Duration idleTimeout();

        /** Of an upstream: how long a reply may take in all. */
        @WithDefault("10m")
        Duration timeout();

        /** Of an upstream: requests at once, each with a connection of its own over HTTP/1.1. */
        @WithDefault("1024")
        int maxConnections();

        /** Of an upstream: between looks at its health and its metrics. */
        @WithDefault("10s")
        Duration probe();
    }

    /** In US dollars: by the hour, or by a million tokens. */
    interface Price {
        /** An hour of it, at work or not. */
        Optional<BigDecimal> perHour();

        /** A million prompt tokens. */
        Optional<BigDecimal> prompt();

        /** A million prompt tokens that came from a prefix cache; as {@code prompt} where absent. */
        Optional<BigDecimal> cached();

        /** A million tokens of completions. */
        Optional<BigDecimal> completion();
    }

    /** How backends are chosen. */
    interface Routing {
        /**
         * What becomes of a request that fits nowhere, where waiting doesn't help: {@code refuse}, {@code likely} (it runs where it
         * is more likely in time than not and harms no one, else it is refused), or {@code best-effort}.
         */
        @WithDefault("likely")
        RouterOptions.Late late();
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

    /** How responses are kept, in memory. */
    interface Responses {
        /** For how long after one was last used. */
        @WithDefault("24h")
        Duration keep();

        /** How many at most; the least recently used go first. */
        @WithDefault("10000")
        int maxCount();

        /** What they may take together. */
        @WithDefault("64M")
        MemorySize maxSize();
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

        /** Whether text that may repeat is guessed and computed several tokens at a time, where that pays. */
        @WithDefault("true")
        boolean speculation();
    }
}
