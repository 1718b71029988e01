package dev.penstock.ops;

import dev.penstock.api.ApiLimits;
import dev.penstock.api.CallObserver;
import dev.penstock.api.ResponseLimits;
import dev.penstock.routing.Router;
import dev.penstock.routing.RouterOptions;
import jakarta.enterprise.context.Dependent;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** Makes beans of what knows no container. */
@Dependent
class Beans {
    @Produces
    @Singleton
    Router router(PenstockConfig config, RoutingMetrics metrics) {
        return new Router(RouterOptions.DEFAULT.withLate(config.routing().late()), metrics);
    }

    @Produces
    @Singleton
    CallObserver calls() {
        return Tracing.ofProcess();
    }

    @Produces
    @Singleton
    ResponseLimits responses(PenstockConfig config) {
        PenstockConfig.Responses responses = config.responses();
        return new ResponseLimits(
                responses.keep(), responses.maxCount(), responses.maxSize().asLongValue());
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
