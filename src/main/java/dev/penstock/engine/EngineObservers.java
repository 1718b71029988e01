package dev.penstock.engine;

/** Two that are told the same. */
public record EngineObservers(EngineObserver first, EngineObserver second) implements EngineObserver {
    @Override
    public void stepEnded(StepSummary step) {
        first.stepEnded(step);
        second.stepEnded(step);
    }

    @Override
    public void firstToken(long queueNs, long ttftNs) {
        first.firstToken(queueNs, ttftNs);
        second.firstToken(queueNs, ttftNs);
    }

    @Override
    public void sequenceEnded(SequenceSummary sequence) {
        first.sequenceEnded(sequence);
        second.sequenceEnded(sequence);
    }
}
