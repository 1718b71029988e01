package dev.penstock.routing;

/** Bounds on the predictions of a latency model; shared by the backends of a kind, as the model is. */
public final class Calibration {
    private final LatencyModel model;
    private final ConformalBound ttft;
    private final ConformalBound tpot;

    /** When one of these backends was last picked. */
    long lastPickNs = Long.MIN_VALUE / 2;

    /** For a model; bounds hold in nine of ten cases. */
    public Calibration(LatencyModel model) {
        this.model = model;
        ttft = new ConformalBound(0.9, model.buckets());
        tpot = new ConformalBound(0.9, model.buckets());
    }

    /** The model whose predictions are bounded. */
    public LatencyModel model() {
        return model;
    }

    /** The bound on the time to the first token. */
    public ConformalBound ttft() {
        return ttft;
    }

    /** The bound on the time per token. */
    public ConformalBound tpot() {
        return tpot;
    }
}
