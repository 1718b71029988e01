package dev.penstock.routing;

import dev.penstock.model.Price;
import java.util.ArrayList;
import java.util.List;

/**
 * What a router knows of a backend: its own view, kept at each pick, token, step and end. Load reports only add what others
 * sent there. Changed and read by its {@link RouterCore} alone, under its lock.
 */
public final class BackendState {
    /** The time constant of what forgets with time. */
    private static final double FADE_SECONDS = 2;

    final Calibration calibration;
    final Bias ttftBias = new Bias();
    final Bias tpotBias = new Bias();
    final Bias stepBias = new Bias();
    final int place;
    private final BackendSpec spec;
    private final List<Reservation> flights = new ArrayList<>();
    private final List<Reservation> prompts = new ArrayList<>();
    private Price price;
    private boolean up = true;
    private long promptTokens;
    private double promptWork;
    private int decoding;
    private long kvTokens;
    private double kvPromised;
    private double tokensLeft;
    private long stepBeganNs;
    private long lastPickNs;
    private double foreign;
    private long foreignNs;
    private double failures;
    private double promptRate;
    private double shadow;

    BackendState(BackendSpec spec, Price price, Calibration calibration, int place, long nowNs) {
        this.spec = spec;
        this.price = price;
        this.calibration = calibration;
        this.place = place;
        this.lastPickNs = nowNs;
        this.stepBeganNs = nowNs;
    }

    /** Its name. */
    public String name() {
        return spec.name();
    }

    /** What it can hold. */
    public BackendSpec spec() {
        return spec;
    }

    /** What it costs at present. */
    public Price price() {
        return price;
    }

    /** Requests that have a place here, those of others as far as reported. */
    public double sequences(long nowNs) {
        return flights.size() + foreign(nowNs);
    }

    /** Requests of ours that have a place here. */
    public int inFlight() {
        return flights.size();
    }

    /** Sequences past their first token. */
    public int decoding() {
        return decoding;
    }

    /** Prompt tokens still to be computed. */
    public long promptTokens() {
        return promptTokens;
    }

    /** The sum, over these tokens, of the context that each looks back on. */
    public double promptWork() {
        return promptWork;
    }

    /** Tokens in the KV cache, of prompts under way as a whole. */
    public long kvTokens() {
        return kvTokens;
    }

    /** Tokens that the KV cache will need for what runs here. */
    public double kvPromised() {
        return kvPromised;
    }

    /** Tokens that each sequence here is expected to sample still, on average; at least one. */
    public double meanTokensLeft() {
        return flights.isEmpty() ? 1 : Math.max(1, tokensLeft / flights.size());
    }

    /** How many times as long as its kind's its steps take of late. */
    public double pace() {
        return stepBias.factor();
    }

    /** When the step that runs began. */
    public long stepBeganNs() {
        return stepBeganNs;
    }

    /** Prompt tokens a second that were sent here of late. */
    public double promptRate(long nowNs) {
        return promptRate * Math.exp(-(nowNs - lastPickNs) / (FADE_SECONDS * 1e9));
    }

    boolean isUp() {
        return up;
    }

    long lastPickNs() {
        return lastPickNs;
    }

    double failureShare() {
        return failures;
    }

    double shadowPerSecond() {
        return shadow;
    }

    /** Those in flight without a token, in the order in which they came. */
    List<Reservation> prompts() {
        return prompts;
    }

    List<Reservation> flights() {
        return flights;
    }

    /** Lets a request in flight be looked at first. */
    void toFront(int index) {
        Reservation r = flights.get(index);
        Reservation first = flights.set(0, r);
        flights.set(index, first);
        first.index = index;
        r.index = 0;
    }

    void setUp(boolean up) {
        this.up = up;
    }

    void setPrice(Price price) {
        this.price = price;
    }

    /** Moves the shadow price of a busy second, in nano-dollars, toward what was seen. */
    void sawShadow(double nanosPerSecond, double rate) {
        shadow += rate * (nanosPerSecond - shadow);
    }

    void reserve(Reservation r, long nowNs) {
        if (flights.isEmpty()) {
            stepBeganNs = nowNs;
        }
        promptRate = promptRate(nowNs) + r.promptLeft / FADE_SECONDS;
        lastPickNs = nowNs;
        r.index = flights.size();
        flights.add(r);
        prompts.add(r);
        promptTokens += r.promptLeft;
        promptWork += work(r, r.promptLeft);
        kvTokens += r.demand.promptTokens();
        kvPromised += r.demand.promptTokens() + r.expectedTokens;
        tokensLeft += r.tokensLeft;
    }

    /** A token of a sequence, after which so many are expected: its prompt is done, and its context is one longer. */
    void token(Reservation r, double left, long nowNs) {
        if (r.tokens == 0) {
            r.firstTokenNs = nowNs;
            decoding++;
            compute(r, r.promptLeft);
            prompts.remove(r);
        }
        tokensLeft += left - r.tokensLeft;
        r.tokensLeft = left;
        r.tokens++;
        kvTokens++;
    }

    /** A step has ended that computed so many prompt tokens, in order of arrival. */
    void step(int computed, long nowNs) {
        stepBeganNs = nowNs;
        int left = computed;
        for (int i = 0; i < prompts.size() && left > 0; i++) {
            Reservation r = prompts.get(i);
            int part = Math.min(left, r.promptLeft);
            compute(r, part);
            left -= part;
        }
    }

    void end(Reservation r, boolean failed) {
        r.ended = true;
        Reservation last = flights.removeLast();
        if (last != r) {
            flights.set(r.index, last);
            last.index = r.index;
        }
        if (r.tokens == 0) {
            compute(r, r.promptLeft);
            prompts.remove(r);
        } else {
            decoding--;
        }
        kvTokens -= r.demand.promptTokens() + r.tokens;
        kvPromised -= r.demand.promptTokens() + r.expectedTokens;
        tokensLeft -= r.tokensLeft;
        failures += 0.02 * ((failed ? 1 : 0) - failures);
        if (flights.isEmpty()) {
            // Sums of fractions don't come back to exactly nothing by themselves.
            promptWork = 0;
            kvPromised = 0;
            tokensLeft = 0;
        }
    }

    /** A report that so many requests are there, of which some may be of others; its effect fades. */
    void report(double sequences, long nowNs) {
        double surplus = Math.max(0, sequences - flights.size());
        foreign = 0.5 * foreign(nowNs) + 0.5 * surplus;
        foreignNs = nowNs;
    }

    private double foreign(long nowNs) {
        return foreign == 0 ? 0 : foreign * Math.exp(-(nowNs - foreignNs) / (FADE_SECONDS * 1e9));
    }

    private void compute(Reservation r, int tokens) {
        promptTokens -= tokens;
        promptWork -= work(r, tokens);
        r.promptLeft -= tokens;
    }

    /** The sum of contexts of the next tokens of a prompt. */
    private static double work(Reservation r, int tokens) {
        double from = r.demand.promptTokens() - r.promptLeft;
        return tokens * (from + 0.5 * tokens);
    }
}
