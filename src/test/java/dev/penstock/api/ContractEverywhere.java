package dev.penstock.api;

import io.quarkus.test.junit.callback.QuarkusTestAfterAllCallback;
import io.quarkus.test.junit.callback.QuarkusTestAfterEachCallback;
import io.quarkus.test.junit.callback.QuarkusTestBeforeClassCallback;
import io.quarkus.test.junit.callback.QuarkusTestContext;
import io.quarkus.test.junit.callback.QuarkusTestMethodContext;
import io.restassured.RestAssured;

/** Puts {@link ContractFilter} before every request that tests send, and asks {@link ContractProxy} after each of them. */
public final class ContractEverywhere
        implements QuarkusTestBeforeClassCallback, QuarkusTestAfterEachCallback, QuarkusTestAfterAllCallback {
    @Override
    public void beforeClass(Class<?> testClass) {
        RestAssured.replaceFiltersWith(new ContractFilter());
    }

    @Override
    public void afterEach(QuarkusTestMethodContext context) {
        ContractProxy.check();
    }

    @Override
    public void afterAll(QuarkusTestContext context) {
        ContractProxy.closeAll();
    }
}
