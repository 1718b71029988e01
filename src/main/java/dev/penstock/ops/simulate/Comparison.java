package dev.penstock.ops.simulate;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Policies against one another on a trace.
 *
 * @param traces one for each seed
 * @param policies to compare
 * @param attainment that a fleet has to reach
 */
public record Comparison(List<Trace> traces, List<Policy> policies, double attainment) {
    /** The fleet on which stresses are compared: all classes, of this size. */
    private static final int STRESS_SIZE = 12;

    /**
     * Reads a trace, or makes one up.
     *
     * @throws IOException if the file can't be read or is no trace
     */
    public static List<Trace> traces(@Nullable Path file, int seeds) throws IOException {
        List<Trace> traces = new ArrayList<>();
        for (int seed = 1; seed <= seeds; seed++) {
            traces.add(file == null ? Trace.synthetic(seed) : Trace.read(file, seed));
        }
        return List.copyOf(traces);
    }

    /** Compares them over fleets of these classes, on all processors. */
    public SimulationReport run(List<HardwareClass> classes, boolean stressed) {
        LongAdder simulated = new LongAdder();
        Sweep sweep = new Sweep(traces, Fleet.mixes(classes), attainment, simulated);
        Map<Policy, Sweep.Found> found = new EnumMap<>(Policy.class);
        policies.parallelStream().forEach(p -> {
            Sweep.Found f = sweep.find(p);
            synchronized (found) {
                found.put(p, f);
            }
        });
        Sweep.Found clairvoyant = found.get(Policy.CLAIRVOYANT);
        Double bound = clairvoyant == null ? null : clairvoyant.cost();
        double dearest =
                classes.stream().mapToDouble(HardwareClass::nominalUsd).max().orElseThrow();
        double cheapest =
                classes.stream().mapToDouble(HardwareClass::nominalUsd).min().orElseThrow();
        List<SimulationReport.Line> lines = found.entrySet().stream()
                .map(e -> SimulationReport.Line.of(e.getKey(), e.getValue(), bound))
                .toList();
        List<SimulationReport.StressLine> stress = stressed ? stress(classes, simulated) : List.of();
        return new SimulationReport(
                traces.getFirst().name(),
                traces.size(),
                attainment,
                dearest / cheapest,
                lines,
                stress,
                simulated.sum());
    }

    private List<SimulationReport.StressLine> stress(List<HardwareClass> classes, LongAdder simulated) {
        Fleet fleet = Fleet.of(Fleet.mixes(classes).getFirst(), STRESS_SIZE);
        List<SimulationReport.StressLine> lines = new ArrayList<>();
        for (Stress stress : Stress.values()) {
            lines.addAll(policies.parallelStream()
                    .map(p -> {
                        double kept = 0;
                        double cost = 0;
                        for (int i = 0; i < traces.size(); i++) {
                            Outcome o = Simulation.run(traces.get(i), fleet, p, stress, i + 1L);
                            kept += o.attainment() / traces.size();
                            cost += o.costPer1000() / traces.size();
                            simulated.add(o.requests());
                        }
                        return new SimulationReport.StressLine(stress.label(), fleet.name(), p.label(), kept, cost);
                    })
                    .toList());
        }
        return lines;
    }
}
