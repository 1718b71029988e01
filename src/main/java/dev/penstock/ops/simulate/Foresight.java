package dev.penstock.ops.simulate;

import dev.penstock.routing.BackendState;
import dev.penstock.routing.LatencyModel;
import dev.penstock.routing.LengthModel;
import dev.penstock.routing.Prediction;
import java.util.Arrays;

/**
 * What no router can know: runs a replica forward with the true lengths and step times, as if nothing else came. For the
 * clairvoyant policy, which bounds what knowing better could bring.
 */
final class Foresight implements LatencyModel {
    /** Lengths that are told in the place of the request's limit. */
    static final LengthModel TRUE_LENGTHS = new LengthModel() {
        @Override
        public double mean(String caller, int maxTokens) {
            return maxTokens;
        }

        @Override
        public double upper(String caller, int maxTokens) {
            return maxTokens;
        }

        @Override
        public double remaining(String caller, int maxTokens, int tokens) {
            return Math.max(1, maxTokens - tokens);
        }

        @Override
        public void observe(String caller, int tokens) {}
    };

    private final SimReplica replica;
    private int[] promptLeft = new int[16];
    private int[] context = new int[16];
    private int[] tokensLeft = new int[16];
    private int jobs;

    Foresight(SimReplica replica) {
        this.replica = replica;
    }

    @Override
    public int buckets() {
        return 2;
    }

    @Override
    public void predict(BackendState s, int prompt, int cached, double tokens, long nowNs, Prediction out) {
        int output = (int) tokens;
        double stepLeft = load(nowNs);
        double without = stepLeft + run(-1, out);
        stepLeft = load(nowNs);
        add(prompt, 0, output);
        double with = stepLeft + run(jobs - 1, out);
        HardwareClass h = replica.hardware;
        out.ttftPoint += stepLeft;
        out.busySeconds = with - without;
        out.decodeSeconds = h.stepSeconds(0, 0, s.decoding() + 1, s.kvTokens() + prompt) * replica.slowdown;
        out.promptSeconds = prompt / h.promptTokensPerSecond() + 0.5 * h.pairSeconds() * prompt * prompt;
        out.ownSteps = Math.ceil(prompt / (double) h.stepTokens());
        out.promptSteps = out.ownSteps + s.promptTokens() / (double) h.stepTokens();
        out.queueSeconds = out.promptSeconds + s.promptTokens() / h.promptTokensPerSecond();
        out.idleTtftPoint = out.promptSeconds + out.ownSteps * h.overheadSeconds();
        out.ttftBucket = s.inFlight() == 0 ? 0 : 1;
        out.tpotBucket = out.ttftBucket;
    }

    /** Copies the replica as it will be at the end of the step that runs; answers when that is. */
    private double load(long nowNs) {
        jobs = 0;
        for (SimReplica.Job j : replica.admitted) {
            boolean emits = replica.stepping && (j.left == 0 || j.left == j.chunk);
            int left = Math.max(0, j.left - (replica.stepping ? j.chunk : 0));
            int tokens = j.request.outputTokens() - j.tokens - (emits ? 1 : 0);
            if (tokens > 0) {
                add(left, j.toCompute() - left + (emits ? 1 : 0), tokens);
            }
        }
        for (SimReplica.Job j : replica.waiting) {
            add(j.toCompute(), 0, j.request.outputTokens() - j.tokens);
        }
        return replica.stepping ? Math.max(0, replica.stepEndNs - nowNs) * 1e-9 : 0;
    }

    private void add(int left, int done, int tokens) {
        if (jobs == promptLeft.length) {
            promptLeft = Arrays.copyOf(promptLeft, 2 * jobs);
            context = Arrays.copyOf(context, 2 * jobs);
            tokensLeft = Arrays.copyOf(tokensLeft, 2 * jobs);
        }
        promptLeft[jobs] = left;
        context[jobs] = done;
        tokensLeft[jobs++] = tokens;
    }

    /** Runs all jobs to their end and answers when that is; writes what the watched one meets. */
    private double run(int watched, Prediction out) {
        HardwareClass h = replica.hardware;
        double time = 0;
        double first = 0;
        int watchedTokens = watched < 0 ? 0 : tokensLeft[watched];
        while (true) {
            int sequences = 0;
            long kv = 0;
            int shortest = Integer.MAX_VALUE;
            int places = h.maxSequences();
            int prompt = 0;
            double work = 0;
            for (int i = 0; i < jobs && places > 0; i++) {
                if (tokensLeft[i] > 0) {
                    places--;
                    if (promptLeft[i] == 0) {
                        sequences++;
                        kv += context[i];
                        shortest = Math.min(shortest, tokensLeft[i]);
                    }
                }
            }
            int room = h.promptRoom(sequences);
            places = h.maxSequences();
            for (int i = 0; i < jobs && places > 0; i++) {
                if (tokensLeft[i] > 0) {
                    places--;
                    int chunk = Math.min(promptLeft[i], room - prompt);
                    prompt += chunk;
                    work += chunk * (context[i] + 0.5 * chunk);
                }
            }
            if (sequences == 0 && prompt == 0) {
                return time;
            }
            // Without prompts steps are alike until a sequence ends.
            int steps = prompt == 0 ? shortest : 1;
            double kvMean = kv + 0.5 * (steps - 1) * sequences;
            time += steps
                    * replica.slowdown
                    * h.stepSeconds(prompt, prompt == 0 ? 0 : work / prompt, sequences, kvMean);
            int given = 0;
            places = h.maxSequences();
            for (int i = 0; i < jobs && places > 0; i++) {
                if (tokensLeft[i] <= 0) {
                    continue;
                }
                places--;
                if (promptLeft[i] == 0) {
                    tokensLeft[i] -= steps;
                    context[i] += steps;
                } else {
                    int chunk = Math.min(promptLeft[i], room - given);
                    given += chunk;
                    promptLeft[i] -= chunk;
                    context[i] += chunk;
                    tokensLeft[i] -= promptLeft[i] == 0 && chunk > 0 ? 1 : 0;
                }
                if (i == watched && first == 0 && promptLeft[i] == 0) {
                    first = time;
                    out.ttftPoint = time;
                }
                if (i == watched && tokensLeft[i] == 0) {
                    out.tpotPoint = watchedTokens > 1
                            ? (time - first) / (watchedTokens - 1)
                            : h.stepSeconds(0, 0, sequences + 1, kv);
                }
            }
        }
    }
}
