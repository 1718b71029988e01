package dev.penstock.api;

import io.quarkus.test.junit.QuarkusTestProfile;
import java.util.Map;
import java.util.Set;

/** Runs the server with scripted models, a small limit on bodies, and little patience with silence. */
public final class ScriptedProfile implements QuarkusTestProfile {
    /** So that a schema of 10 MB comes to be read. */
    static final int MAX_BODY_BYTES = 11_000_000;

    @Override
    public Set<Class<?>> getEnabledAlternatives() {
        return Set.of(ScriptedModels.class);
    }

    @Override
    public Map<String, String> getConfigOverrides() {
        return Map.of(
                "quarkus.http.test-port", "0",
                "penstock.http.max-body-size", Integer.toString(MAX_BODY_BYTES),
                "penstock.http.keep-alive", "1s",
                "quarkus.http.read-timeout", "2s");
    }
}
