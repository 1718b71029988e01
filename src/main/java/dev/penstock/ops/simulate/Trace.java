package dev.penstock.ops.simulate;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Requests over time.
 *
 * @param name for reports
 * @param requests in order of arrival; hurries are drawn anew for each seed
 */
public record Trace(String name, List<SimRequest> requests) {
    private static final int MOST_REQUESTS = 2_000_000;
    private static final int MOST_TOKENS = 1 << 20;
    private static final int SYNTHETIC_REQUESTS = 8000;

    /**
     * Reads a trace in the form of the Azure LLM inference traces: a header, then lines of time, prompt tokens, output
     * tokens.
     *
     * @throws IOException if it can't be read, or a line is not of that form; the message names the line
     */
    static Trace read(Path file, long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        List<SimRequest> requests = new ArrayList<>();
        LocalDateTime start = null;
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            reader.readLine();
            String line;
            for (int number = 2; (line = reader.readLine()) != null; number++) {
                if (line.isBlank()) {
                    continue;
                }
                if (requests.size() == MOST_REQUESTS) {
                    throw new IOException("%s has more than %d requests.".formatted(file, MOST_REQUESTS));
                }
                String[] fields = line.split(",", -1);
                try {
                    LocalDateTime at = LocalDateTime.parse(fields[0].strip().replace(' ', 'T'));
                    start = start == null ? at : start;
                    requests.add(new SimRequest(
                            Duration.between(start, at).toNanos(),
                            tokens(fields[1]),
                            tokens(fields[2]),
                            SimRequest.Hurry.draw(random)));
                } catch (DateTimeParseException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
                    throw new IOException(
                            "%s, line %d: expected a time, prompt tokens and output tokens (1 to %d), not: %s"
                                    .formatted(
                                            file, number, MOST_TOKENS, line.substring(0, Math.min(80, line.length()))),
                            e);
                }
            }
        }
        if (requests.isEmpty()) {
            throw new IOException("%s has no requests.".formatted(file));
        }
        requests.sort(Comparator.comparingLong(SimRequest::arrivalNs));
        return new Trace(file.getFileName().toString(), requests);
    }

    private static int tokens(String field) {
        int tokens = Integer.parseInt(field.strip());
        if (tokens < 1 || tokens > MOST_TOKENS) {
            throw new NumberFormatException(field);
        }
        return tokens;
    }

    /**
     * Chats: arrivals that are Poisson at a rate which jumps between calm and rush, prompts and outputs lognormal, batch
     * work with longer outputs.
     */
    static Trace synthetic(long seed) {
        SplittableRandom random = new SplittableRandom(seed ^ 0x5eed);
        List<SimRequest> requests = new ArrayList<>();
        double now = 0;
        double change = 0;
        double rate = 2;
        for (int i = 0; i < SYNTHETIC_REQUESTS; i++) {
            now += -Math.log(1 - random.nextDouble()) / rate;
            if (now >= change) {
                rate = random.nextDouble() < 0.25 ? 8 : 2;
                change = now + random.nextDouble(20, 90);
            }
            SimRequest.Hurry hurry = SimRequest.Hurry.draw(random);
            double medianOutput = hurry == SimRequest.Hurry.BATCH ? 120 : 60;
            requests.add(new SimRequest(
                    Math.round(now * 1e9),
                    (int) Math.clamp(700 * Math.exp(1.0 * random.nextGaussian()), 8, 8000),
                    (int) Math.clamp(medianOutput * Math.exp(0.8 * random.nextGaussian()), 1, 1500),
                    hurry));
        }
        return new Trace("synthetic", requests);
    }
}
