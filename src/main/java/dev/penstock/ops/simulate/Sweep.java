package dev.penstock.ops.simulate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/** Finds, for a policy, the smallest fleet with which it keeps enough budgets, and what that costs. */
final class Sweep {
    private final List<Trace> traces;
    private final List<List<HardwareClass>> mixes;
    private final double wanted;
    private final LongAdder simulated;

    /**
     * Over these traces, one for each seed.
     *
     * @param wanted the attainment that a fleet must reach
     * @param simulated counts requests
     */
    Sweep(List<Trace> traces, List<List<HardwareClass>> mixes, double wanted, LongAdder simulated) {
        this.traces = traces;
        this.mixes = mixes;
        this.wanted = wanted;
        this.simulated = simulated;
    }

    /**
     * The cheapest, by work, of the smallest fleets of each mix; where no fleet reaches what is wanted, the one that comes
     * nearest.
     */
    Found find(Policy policy) {
        List<Found> reached = new ArrayList<>();
        List<Found> missed = new ArrayList<>();
        for (List<HardwareClass> mix : mixes) {
            Found largest = first(policy, mix, Fleet.SIZES.size() - 1);
            if (largest.attainment() < wanted) {
                missed.add(largest);
            } else {
                reached.add(smallest(policy, mix, largest));
            }
        }
        // The first seed alone can be lucky: the rest have a say before a fleet is taken.
        for (Found candidate :
                reached.stream().sorted(Comparator.comparingDouble(Found::cost)).toList()) {
            Optional<Found> proved = prove(policy, candidate);
            if (proved.isPresent()) {
                return proved.get();
            }
        }
        missed.addAll(reached);
        return prove(
                missed.stream()
                        .max(Comparator.comparingDouble(Found::attainment))
                        .orElseThrow(),
                policy);
    }

    private Found first(Policy policy, List<HardwareClass> mix, int index) {
        Fleet fleet = Fleet.of(mix, Fleet.SIZES.get(index));
        return new Found(mix, index, fleet, List.of(simulate(0, fleet, policy)), false);
    }

    private Found smallest(Policy policy, List<HardwareClass> mix, Found largest) {
        Found best = largest;
        int low = 0;
        int high = largest.index;
        while (low < high) {
            int middle = (low + high) / 2;
            Found found = first(policy, mix, middle);
            if (found.attainment() >= wanted) {
                best = found;
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return best;
    }

    private Outcome simulate(int seed, Fleet fleet, Policy policy) {
        simulated.add(traces.get(seed).requests().size());
        return Simulation.run(traces.get(seed), fleet, policy, Stress.NONE, seed + 1L);
    }

    /** The candidate or the next sizes of its mix, if their mean over all seeds reaches what is wanted. */
    private Optional<Found> prove(Policy policy, Found candidate) {
        for (int index = candidate.index; index < Fleet.SIZES.size(); index++) {
            Fleet fleet = Fleet.of(candidate.mix, Fleet.SIZES.get(index));
            Found found = prove(new Found(candidate.mix, index, fleet, List.of(), true), policy);
            if (found.attainment() >= wanted) {
                return Optional.of(found);
            }
        }
        return Optional.empty();
    }

    private Found prove(Found candidate, Policy policy) {
        List<Outcome> outcomes = new ArrayList<>();
        for (int seed = 0; seed < traces.size(); seed++) {
            outcomes.add(simulate(seed, candidate.fleet, policy));
        }
        Found found = new Found(candidate.mix, candidate.index, candidate.fleet, outcomes, false);
        return new Found(found.mix, found.index, found.fleet, outcomes, found.attainment() >= wanted);
    }

    /**
     * A fleet and what came of it.
     *
     * @param mix its classes
     * @param index of its size
     * @param outcomes one for each seed
     * @param reached whether their mean attainment is what was wanted
     */
    record Found(List<HardwareClass> mix, int index, Fleet fleet, List<Outcome> outcomes, boolean reached) {
        double attainment() {
            return outcomes.stream().mapToDouble(Outcome::attainment).average().orElse(0);
        }

        double cost() {
            return outcomes.stream().mapToDouble(Outcome::costPer1000).average().orElse(0);
        }
    }
}
