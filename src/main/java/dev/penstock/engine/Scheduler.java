package dev.penstock.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Decides what the next step computes. For one thread.
 *
 * <p>Arrival decides: sequences run in the order in which they came, and each in {@code running} came before each in
 * {@code waiting}. Decodes go first, one token each and drafts; prompts fill the rest of the step in chunks, those in the batch
 * before those that wait, as far as there are rows of logits for those that want more than one. A sequence is admitted with blocks for all that it has so far, so only a decode can find no
 * block; then the youngest sequence in the batch loses its blocks and goes back to the head of the waiting ones, to be
 * computed again. The oldest always advances, so all come to their end: none is overtaken by a younger one, and a
 * sequence alone fits (the step loop refuses others).
 */
final class Scheduler {
    private final EngineOptions options;
    private final KvBlocks blocks;
    private final int maxRows;
    private final Speculation speculation;
    private final List<Sequence> running = new ArrayList<>();
    private final Deque<Sequence> waiting = new ArrayDeque<>();

    /** Rows of logits that the step being planned has left beyond one for each sequence in the batch. */
    private int spareRows;

    private long preemptions;
    private long promptTokens;
    private long cachedPromptTokens;
    private long draftedTokens;
    private long acceptedTokens;

    /**
     * With nothing to do.
     *
     * @param blocks this scheduler's alone
     * @param maxRows most rows of logits of a step, at least {@code options.maxRunning()}
     * @param speculation makes drafts, where the options have any made
     */
    Scheduler(EngineOptions options, KvBlocks blocks, int maxRows, Speculation speculation) {
        this.options = options;
        this.maxRows = maxRows;
        this.speculation = speculation;
        this.blocks = blocks;
    }

    /** Queues a sequence behind all others. */
    void add(Sequence sequence) {
        waiting.addLast(sequence);
    }

    /** Takes a sequence out, wherever it is, and frees its blocks; does nothing if it is not here. */
    void remove(Sequence sequence) {
        if (running.remove(sequence)) {
            blocks.release(sequence.blocks());
        } else {
            waiting.remove(sequence);
        }
    }

    /**
     * Makes the plan of the next step: admits, preempts, and sets how many tokens each sequence in the batch has in it.
     *
     * @return what it computes; nothing only if there are no sequences
     */
    Plan plan(long nowNs) {
        long preemptionsBefore = preemptions;
        int decodes = planDecodes();
        spareRows = maxRows - running.size();
        int drafts = options.speculation() ? planDrafts(decodes) : 0;
        int room = options.maxStepTokens() - decodes - drafts;
        if (decodes > 0) {
            room = Math.min(room, options.maxPromptTokensBesideDecodes());
        }
        int left = admit(planPrompts(room), nowNs);
        return new Plan(decodes + drafts, room - left, (int) (preemptions - preemptionsBefore));
    }

    /** Sequences in the batch, oldest first; those with no planned tokens sit this step out. */
    List<Sequence> running() {
        return running;
    }

    /** The planned tokens of a sequence are computed: its full blocks may be shared from now on, but for drafts. */
    void advance(Sequence sequence) {
        sequence.advance();
        blocks.register(sequence.blocks(), sequence.tokens(), sequence.computed());
    }

    /** A sequence got its next token: if that was drafted it is computed, else the drafts behind it give up their blocks. */
    void appended(Sequence sequence) {
        acceptedTokens += sequence.hasRow() ? 1 : 0;
        blocks.register(sequence.blocks(), sequence.tokens(), sequence.computed());
        blocks.shrink(sequence.blocks(), sequence.length() + sequence.drafts());
    }

    /** Mean number of tokens that a prompt token of the planned step looks back on; 0 without any. */
    double promptContext() {
        double work = 0;
        int count = 0;
        for (Sequence sequence : running) {
            if (!sequence.decodes()) {
                count += sequence.planned();
                work += sequence.planned() * (sequence.computed() + 0.5 * sequence.planned());
            }
        }
        return count == 0 ? 0 : work / count;
    }

    /** Forgets all sequences and frees all blocks, in whatever state they are; returns the sequences. */
    List<Sequence> reset() {
        List<Sequence> all = all();
        running.clear();
        waiting.clear();
        all.forEach(sequence -> sequence.blocks().clear());
        blocks.reset();
        return all;
    }

    /** All sequences, oldest first. */
    List<Sequence> all() {
        List<Sequence> all = new ArrayList<>(running);
        all.addAll(waiting);
        return all;
    }

    KvBlocks blocks() {
        return blocks;
    }

    int waiting() {
        return waiting.size();
    }

    long preemptions() {
        return preemptions;
    }

    long promptTokens() {
        return promptTokens;
    }

    long cachedPromptTokens() {
        return cachedPromptTokens;
    }

    /** Tokens that were drafted. */
    long draftedTokens() {
        return draftedTokens;
    }

    /** Those of them that were sampled indeed. */
    long acceptedTokens() {
        return acceptedTokens;
    }

    private int planDecodes() {
        int decodes = 0;
        // The list shrinks at its end while this runs.
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            sequence.plan(0);
            if (sequence.decodes() && makeRoom(sequence)) {
                sequence.plan(1);
                decodes++;
            }
        }
        return decodes;
    }

    /**
     * Has drafts made for the sequences that decode, the oldest first, out of what nobody else has a use for: tokens that
     * prompts leave, rows that no prompt will end with, and blocks beyond a spare one for each sequence.
     */
    private int planDrafts(int decodes) {
        int tokens = options.maxStepTokens() - decodes;
        if (!waiting.isEmpty() || decodes < running.size()) {
            tokens -= options.maxPromptTokensBesideDecodes();
        }
        int rows = spareRows - Math.min(waiting.size(), options.maxRunning() - running.size());
        int most = Math.max(0, Math.min(tokens, rows));
        int left = most;
        for (int i = 0; i < running.size() && left > 0; i++) {
            Sequence sequence = running.get(i);
            if (sequence.planned() > 0) {
                int spareBlocks = Math.max(0, blocks.available() - running.size());
                int places = blocks.room(sequence.blocks(), spareBlocks) - sequence.length();
                int own = Math.min(Math.min(left, places), Math.min(sequence.usableDrafts(), Speculation.MAX_DRAFTS));
                speculation.draft(sequence, own, decodes);
                blocks.extend(sequence.blocks(), sequence.length() + sequence.drafts());
                sequence.plan(1 + sequence.drafts());
                left -= sequence.drafts();
                spareRows -= sequence.drafts();
                draftedTokens += sequence.drafts();
            }
        }
        return most - left;
    }

    /** A block for a decode's token, at the cost of the youngest; false if that was the sequence itself. */
    private boolean makeRoom(Sequence sequence) {
        while (!blocks.extend(sequence.blocks(), sequence.length())) {
            Sequence youngest = running.removeLast();
            blocks.release(youngest.blocks());
            youngest.preempted();
            waiting.addFirst(youngest);
            preemptions++;
            if (youngest == sequence) {
                return false;
            }
        }
        return true;
    }

    private int planPrompts(int room) {
        int left = room;
        for (int i = 0; i < running.size() && left > 0; i++) {
            Sequence sequence = running.get(i);
            if (!sequence.decodes()) {
                left -= planChunk(sequence, left);
            }
        }
        return left;
    }

    private int admit(int room, long nowNs) {
        int left = room;
        while (left > 0 && running.size() < options.maxRunning() && spareRows > 0 && !waiting.isEmpty()) {
            Sequence sequence = waiting.getFirst();
            // A spare block for each that runs, lest the newcomer be preempted at once.
            int reused = blocks.open(
                    sequence.blocks(), sequence.tokens(), sequence.length(), sequence.firstRow(), running.size());
            if (reused < 0) {
                break;
            }
            waiting.removeFirst();
            if (!sequence.admittedBefore()) {
                promptTokens += sequence.promptLength();
                cachedPromptTokens += reused;
            }
            sequence.admitted(reused, nowNs);
            running.add(sequence);
            spareRows--;
            left -= planChunk(sequence, left);
        }
        return left;
    }

    private int planChunk(Sequence sequence, int most) {
        int withoutRows = sequence.firstRow() - sequence.computed();
        int chunk = Math.min(sequence.length() - sequence.computed(), Math.min(most, withoutRows + 1 + spareRows));
        sequence.plan(chunk);
        spareRows -= Math.max(0, sequence.rows() - 1);
        return chunk;
    }

    /**
     * What a step computes.
     *
     * @param decodeTokens tokens of decoding sequences, drafts counted in
     * @param promptTokens tokens of prompts, and of sequences that are computed again
     * @param preemptions sequences that lost their blocks for it
     */
    record Plan(int decodeTokens, int promptTokens, int preemptions) {
        boolean isEmpty() {
            return decodeTokens + promptTokens == 0;
        }
    }
}
