package dev.penstock.routing;

/**
 * What a request would meet on a backend. Scratch of a router, written over at each decision, so that deciding allocates
 * nothing per backend. Times in seconds.
 */
public final class Prediction {
    /** Time to the first token from now, and mean time per token after it, as the model has them, before calibration. */
    public double ttftPoint;

    /** See {@link #ttftPoint}. */
    public double tpotPoint;

    /** The same with the backend idle. */
    public double idleTtftPoint;

    /** Time per token of those that run there with this one beside them, but for prompts. */
    public double decodeSeconds;

    /** Time that this prompt adds to steps that run anyway. */
    public double promptSeconds;

    /** Time for which the backend is at work longer than without this request. */
    public double busySeconds;

    /** Time that prompts add to steps until this one is done, itself included. */
    public double queueSeconds;

    /** Steps until this prompt is done. */
    public double promptSteps;

    /** Those of them that this prompt takes by itself. */
    public double ownSteps;

    /** Which residuals bounds of the first token are taken from. */
    public int ttftBucket;

    /** Which residuals bounds of the time per token are taken from. */
    public int tpotBucket;

    double sideSteps;
    double wholeSteps;
    double ownSideSteps;
    double ownWholeSteps;
    double company;
    double survivors;

    double ttft;
    double ttftBound;
    double tpot;
    double tpotBound;
    double endToEnd;
    double endToEndBound;
    double expectedTokens;
    int cached;
    double cost;
    double score;
    boolean scored;
    Quote.Fit fit = Quote.Fit.DOWN;

    /** Makes all times so many times as long. */
    void slowDown(double factor) {
        ttftPoint *= factor;
        tpotPoint *= factor;
        idleTtftPoint *= factor;
        decodeSeconds *= factor;
        promptSeconds *= factor;
        busySeconds *= factor;
        queueSeconds *= factor;
    }

    /** Share of the bound over the point for an idle backend: only the point differs. */
    double idleTtftBound() {
        return ttftPoint > 0 ? ttftBound * idleTtftPoint / ttftPoint : ttftBound;
    }
}
