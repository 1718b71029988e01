package dev.penstock.api;

import io.quarkus.test.junit.callback.QuarkusTestBeforeClassCallback;
import io.restassured.RestAssured;

/** Puts {@link ContractFilter} before every request that tests send. */
public final class ContractEverywhere implements QuarkusTestBeforeClassCallback {
    @Override
    public void beforeClass(Class<?> testClass) {
        RestAssured.replaceFiltersWith(new ContractFilter());
    }
}
