package dev.penstock.api;

import io.quarkus.test.junit.QuarkusTestProfile;
import java.util.Map;
import java.util.Set;

/** Runs the server with the models that a test makes. */
public final class RoutedProfile implements QuarkusTestProfile {
    @Override
    public Set<Class<?>> getEnabledAlternatives() {
        return Set.of(RoutedModels.class, RecordedCalls.class);
    }

    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of("quarkus.http.test-port", "0", "penstock.http.keep-alive", "20s");
    }
}
