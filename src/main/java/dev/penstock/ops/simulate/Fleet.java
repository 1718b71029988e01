package dev.penstock.ops.simulate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Servers to choose among.
 *
 * @param name for reports
 * @param replicas the class of each
 */
public record Fleet(String name, List<HardwareClass> replicas) {
    /** Sizes that are tried, in quarters of what the shares say. */
    static final List<Integer> SIZES = List.of(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32);

    /** The most replicas of a fleet that is tried. */
    private static final int MOST_REPLICAS = 128;

    /**
     * The mixes to be tried: all classes, and what is left without the slowest or the fastest ones. A policy that can't use
     * slow servers gets a fleet without them.
     */
    static List<List<HardwareClass>> mixes(List<HardwareClass> classes) {
        List<HardwareClass> bySpeed = classes.stream()
                .sorted(Comparator.comparingDouble(HardwareClass::promptTokensPerSecond))
                .toList();
        List<List<HardwareClass>> mixes = new ArrayList<>();
        for (int from = 0; from < bySpeed.size(); from++) {
            for (int to = bySpeed.size(); to > from; to--) {
                mixes.add(bySpeed.subList(from, to));
            }
        }
        return mixes;
    }

    /** A mix at a size. */
    static Fleet of(List<HardwareClass> mix, int size) {
        List<HardwareClass> replicas = new ArrayList<>();
        StringBuilder name = new StringBuilder();
        for (HardwareClass c : mix) {
            int count = mix.size() == 1 ? size : Math.ceilDiv(c.share() * size, 4);
            for (int i = 0; i < count && replicas.size() < MOST_REPLICAS; i++) {
                replicas.add(c);
            }
            name.append(name.isEmpty() ? "" : " + ").append(count).append(' ').append(c.name());
        }
        return new Fleet(name.toString(), List.copyOf(replicas));
    }

    /** What all of it costs an hour. */
    double usdPerHour() {
        return replicas.stream().mapToDouble(HardwareClass::usdPerHour).sum();
    }

    /**
     * Four classes whose fastest costs so many times as much as the slowest for the same request. Beside decodes each
     * takes as many prompt tokens as it computes while the weights are read anyway, in the nearest number of
     * whole tiles.
     */
    public static List<HardwareClass> builtIn(double priceRatio) {
        List<HardwareClass> classes = List.of(
                new HardwareClass("small-cpu", 0.31, 8, 400, 0.1, 1.6e-6, 8.2e-8, 0.002, 8, 64_000, 128, 32),
                new HardwareClass("large-cpu", 1, 6, 1800, 0.025, 6.5e-7, 1.8e-8, 0.002, 16, 200_000, 256, 48),
                new HardwareClass("mid-gpu", 1, 3, 4500, 0.022, 2.2e-7, 7.3e-9, 0.001, 32, 60_000, 256, 96),
                new HardwareClass("large-gpu", 1, 1, 25_000, 0.006, 4.4e-8, 1.3e-9, 0.001, 128, 400_000, 1024, 144));
        double cheapest = classes.getFirst().nominalUsd();
        return IntStream.range(0, classes.size())
                .mapToObj(i ->
                        classes.get(i).withNominalUsd(cheapest * Math.pow(priceRatio, i / (classes.size() - 1.0))))
                .toList();
    }
}
