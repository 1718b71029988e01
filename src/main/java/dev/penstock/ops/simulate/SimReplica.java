package dev.penstock.ops.simulate;

import dev.penstock.routing.Reservation;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A server that batches continuously by the rules of our own engine: at each step every running sequence decodes a token,
 * and chunks of prompts, in order of arrival, take what room is left, beside decodes at most so many tokens. Where the
 * cache runs over, the youngest sequence is put back and computed again.
 */
final class SimReplica {
    final HardwareClass hardware;
    final List<Job> admitted = new ArrayList<>();
    final ArrayDeque<Job> waiting = new ArrayDeque<>();
    private final SplittableRandom random;
    double slowdown = 1;
    boolean alive = true;
    boolean stepping;
    long stepBeganNs;
    long stepEndNs = Long.MAX_VALUE;
    double stepSeconds;
    int stepPrompt;
    double stepContext;
    int stepSequences;
    long stepKv;

    SimReplica(HardwareClass hardware, long seed) {
        this.hardware = hardware;
        random = new SplittableRandom(seed);
    }

    boolean idle() {
        return admitted.isEmpty() && waiting.isEmpty();
    }

    /** Begins a step if there is something to do and none runs. */
    void begin(long nowNs) {
        if (stepping || !alive || idle()) {
            return;
        }
        plan();
        double seconds = hardware.stepSeconds(stepPrompt, stepContext, stepSequences, stepKv) * slowdown;
        stepSeconds = hardware.noisy(seconds, random);
        stepBeganNs = nowNs;
        stepEndNs = nowNs + Math.max(1, Math.round(stepSeconds * 1e9));
        stepping = true;
    }

    private void plan() {
        stepSequences = 0;
        stepKv = 0;
        stepPrompt = 0;
        double work = 0;
        for (int i = 0; i < admitted.size(); i++) {
            Job j = admitted.get(i);
            if (j.left == 0) {
                stepSequences++;
                stepKv += j.request.promptTokens() + j.tokens;
            }
        }
        int room = hardware.promptRoom(stepSequences);
        for (int i = 0; i < admitted.size() || admit(room - stepPrompt); i++) {
            Job j = admitted.get(i);
            j.chunk = Math.min(j.left, room - stepPrompt);
            stepPrompt += j.chunk;
            work += j.chunk * (j.toCompute() - j.left + 0.5 * j.chunk);
        }
        stepContext = stepPrompt == 0 ? 0 : work / stepPrompt;
    }

    /** Lets the next one in if the step and the cache have room. */
    private boolean admit(int room) {
        Job next = waiting.peek();
        if (next == null || room <= 0 || admitted.size() == hardware.maxSequences()) {
            return false;
        }
        if (!admitted.isEmpty() && kvUsed() + next.toCompute() > hardware.kvTokens()) {
            return false;
        }
        next.left = next.toCompute();
        admitted.add(waiting.poll());
        return true;
    }

    /** Ends the step: tells of each token that came, in order of admission. */
    void end(Listener listener) {
        stepping = false;
        stepEndNs = Long.MAX_VALUE;
        int kept = 0;
        for (int i = 0; i < admitted.size(); i++) {
            Job j = admitted.get(i);
            boolean decoded = j.left == 0;
            j.left -= j.chunk;
            j.chunk = 0;
            if (decoded || j.left == 0) {
                j.tokens++;
                listener.token(j);
            }
            if (j.tokens < j.request.outputTokens()) {
                admitted.set(kept++, j);
            }
        }
        admitted.subList(kept, admitted.size()).clear();
        long used = kvUsed();
        while (used > hardware.kvTokens() && admitted.size() > 1) {
            Job youngest = admitted.removeLast();
            used -= youngest.request.promptTokens() + youngest.tokens;
            waiting.addFirst(youngest);
        }
    }

    private long kvUsed() {
        long used = 0;
        for (int i = 0; i < admitted.size(); i++) {
            used += admitted.get(i).toCompute();
        }
        return used;
    }

    /** Takes all that is here away. */
    List<Job> clear() {
        List<Job> lost = new ArrayList<>(admitted);
        lost.addAll(waiting);
        admitted.clear();
        waiting.clear();
        stepping = false;
        stepEndNs = Long.MAX_VALUE;
        return lost;
    }

    /** Hears of tokens. */
    interface Listener {
        void token(Job job);
    }

    /** A request on a replica. */
    static final class Job {
        final SimRequest request;
        final Reservation reservation;
        int left;
        int chunk;
        int tokens;
        long firstTokenNs;

        Job(SimRequest request, Reservation reservation) {
            this.request = request;
            this.reservation = reservation;
        }

        /** Tokens that have to be in the cache before the next one can be sampled. */
        int toCompute() {
            return request.promptTokens() + tokens;
        }
    }
}
