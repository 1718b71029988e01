package dev.penstock.api;

import io.restassured.filter.Filter;
import io.restassured.filter.FilterContext;
import io.restassured.response.Response;
import io.restassured.specification.FilterableRequestSpecification;
import io.restassured.specification.FilterableResponseSpecification;
import java.net.URI;
import java.util.Objects;

/** Holds every reply, every chunk and every error that REST Assured gets against the contract. */
final class ContractFilter implements Filter {
    @Override
    public Response filter(
            FilterableRequestSpecification request, FilterableResponseSpecification expected, FilterContext context) {
        Response response = context.next(request, expected);
        ContractReplies.check(
                request.getMethod(),
                URI.create(request.getURI()).getPath(),
                response.statusCode(),
                Objects.requireNonNullElse(response.contentType(), ""),
                response.asString());
        return response;
    }
}
