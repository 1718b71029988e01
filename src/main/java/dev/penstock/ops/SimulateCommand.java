package dev.penstock.ops;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import dev.penstock.ops.simulate.Comparison;
import dev.penstock.ops.simulate.CostChart;
import dev.penstock.ops.simulate.Fleet;
import dev.penstock.ops.simulate.HardwareClass;
import dev.penstock.ops.simulate.Policy;
import dev.penstock.ops.simulate.SimulationReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code penstock simulate}: what routing saves on a trace and a fleet, before either is there. */
@Command(
        name = "simulate",
        mixinStandardHelpOptions = true,
        description =
                "Replays a trace over simulated servers under several policies, and compares what they cost and keep.")
public final class SimulateCommand implements Callable<Integer> {
    private static final int MOST_CLASSES = 6;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description =
                    "Lines of time, prompt tokens, output tokens below a header; default: chats made up by chance")
    private @Nullable Path trace;

    @Option(
            names = "--fleet",
            paramLabel = "FILE",
            description = "JSON: a list of classes of servers; default: two kinds of CPU and of GPU")
    private @Nullable Path fleet;

    @Option(
            names = "--policy",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "all",
            description = "Policies to compare; default: ${DEFAULT-VALUE}")
    private List<String> policies = List.of();

    @Option(
            names = "--seeds",
            paramLabel = "N",
            defaultValue = "5",
            description = "Runs of each, with other noise and other budgets; default: ${DEFAULT-VALUE}")
    private int seeds;

    @Option(
            names = "--price-ratio",
            paramLabel = "R",
            split = ",",
            defaultValue = "3",
            description =
                    "For the default fleet: what a request costs on the fastest class over the slowest; default: ${DEFAULT-VALUE}")
    private List<Double> ratios = List.of();

    @Option(
            names = "--attainment",
            paramLabel = "SHARE",
            defaultValue = "0.99",
            description = "Share of requests that must keep their budget; default: ${DEFAULT-VALUE}")
    private double attainment;

    @Option(names = "--stress", description = "Compares on one fleet, too, when something goes wrong")
    private boolean stress;

    @Option(
            names = "--chart",
            paramLabel = "FILE",
            description = "Where to write a chart of cost and attainment, as SVG")
    private @Nullable Path chart;

    @Option(
            names = "--json",
            description = "Prints JSON in place of tables; a list where there are several price ratios")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    /** Simulates and prints; 0, or 1 where a file can't be used. */
    @Override
    public Integer call() throws IOException {
        require(seeds >= 1 && seeds <= 100, "--seeds must be 1 to 100, not " + seeds);
        require(attainment > 0 && attainment < 1, "--attainment must be above 0 and below 1, not " + attainment);
        require(ratios.stream().allMatch(r -> r >= 1 && r <= 1000), "--price-ratio must be 1 to 1000, not " + ratios);
        List<Policy> chosen = chosen();
        List<List<HardwareClass>> fleets;
        Comparison comparison;
        try {
            fleets = fleet == null ? ratios.stream().map(Fleet::builtIn).toList() : List.of(read(fleet));
            comparison = new Comparison(Comparison.traces(trace, seeds), chosen, attainment);
        } catch (IOException e) {
            String message = e instanceof NoSuchFileException ? "There is no file " + e.getMessage() : e.getMessage();
            err().println(message);
            return 1;
        }
        List<SimulationReport> reports =
                fleets.stream().map(classes -> comparison.run(classes, stress)).toList();
        if (json) {
            ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
            out().println(mapper.writeValueAsString(reports.size() == 1 ? reports.getFirst() : reports));
        } else {
            reports.forEach(r -> out().println(r.table()));
        }
        if (chart != null) {
            Files.writeString(
                    chart,
                    CostChart.svg(reports.stream().map(CostChart.Panel::of).toList()));
        }
        return 0;
    }

    private List<Policy> chosen() {
        if (policies.equals(List.of("all"))) {
            return List.of(Policy.values());
        }
        List<Policy> chosen = new ArrayList<>();
        for (String name : policies) {
            chosen.add(Policy.ofLabel(name)
                    .orElseThrow(() -> new ParameterException(
                            spec().commandLine(),
                            "--policy must be all or some of %s, not %s"
                                    .formatted(
                                            Arrays.stream(Policy.values())
                                                    .map(Policy::label)
                                                    .collect(Collectors.joining(", ")),
                                            name))));
        }
        return chosen;
    }

    /** Reads classes of servers, with the names of {@link HardwareClass} in kebab case. */
    private static List<HardwareClass> read(Path file) throws IOException {
        ObjectMapper mapper = new ObjectMapper()
                .setPropertyNamingStrategy(PropertyNamingStrategies.KEBAB_CASE)
                .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        List<HardwareClass> classes;
        try {
            classes = List.of(mapper.readValue(file.toFile(), HardwareClass[].class));
        } catch (ValueInstantiationException e) {
            Throwable cause = e.getCause();
            throw new IOException(file + ": " + (cause == null ? e.getOriginalMessage() : cause.getMessage()), e);
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": " + e.getOriginalMessage(), e);
        }
        if (classes.isEmpty() || classes.size() > MOST_CLASSES) {
            throw new IOException(
                    "%s must name 1 to %d classes, not %d.".formatted(file, MOST_CLASSES, classes.size()));
        }
        return classes;
    }

    private void require(boolean holds, String message) {
        if (!holds) {
            throw new ParameterException(spec().commandLine(), message);
        }
    }

    private CommandSpec spec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the specification");
        }
        return spec;
    }

    private PrintWriter out() {
        return spec().commandLine().getOut();
    }

    private PrintWriter err() {
        return spec().commandLine().getErr();
    }
}
