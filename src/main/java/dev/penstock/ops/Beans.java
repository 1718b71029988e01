package dev.penstock.ops;

import dev.penstock.api.ApiLimits;
import dev.penstock.backend.BackendPool;
import dev.penstock.routing.Router;
import jakarta.enterprise.context.Dependent;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** Makes beans of what knows no container. */
@Dependent
class Beans {
    @Produces
    @Singleton
    BackendPool pool() {
        return new BackendPool();
    }

    @Produces
    @Singleton
    Router router(BackendPool pool) {
        return new Router(pool);
    }

    @Produces
    @Singleton
    ApiLimits limits(PenstockConfig config) {
        PenstockConfig.Http http = config.http();
        if (!http.keepAlive().isPositive()) {
            throw new StartException("penstock.http.keep-alive is " + http.keepAlive() + "; it must be more than 0.");
        }
        return new ApiLimits(http.maxBodySize().asLongValue(), http.keepAlive(), http.retryAfter());
    }
}
