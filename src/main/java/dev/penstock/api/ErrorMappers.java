package dev.penstock.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** Gives every failure of a resource the shape that the clients of its path read. */
class ErrorMappers {
    private static final Logger LOG = Logger.getLogger(ErrorMappers.class);

    @ServerExceptionMapper
    Response known(ApiException e, UriInfo uri) {
        return response(e, uri);
    }

    /** What JAX-RS itself refuses: paths, methods, media types. */
    @ServerExceptionMapper
    Response refused(WebApplicationException e, UriInfo uri) {
        int status = e.getResponse().getStatus();
        if (status < 400) {
            return e.getResponse();
        }
        Response.ResponseBuilder response = Response.fromResponse(response(HttpEdge.error(status, uri.getPath()), uri));
        String allow = e.getResponse().getHeaderString(HttpHeaders.ALLOW);
        return allow == null
                ? response.build()
                : response.header(HttpHeaders.ALLOW, allow).build();
    }

    /** Resources read nothing but bodies, and write into memory: a body came too slowly, or broke off. */
    @ServerExceptionMapper
    Response unread(IOException e, UriInfo uri) {
        if (e instanceof JsonProcessingException) {
            return unexpected(e, uri);
        }
        ApiException error = ApiException.ofStatus(
                408, "request_timeout", "The request's body did not come in time. Send it again.");
        return Response.fromResponse(response(error, uri))
                .header("Connection", "close")
                .build();
    }

    @ServerExceptionMapper
    Response unexpected(Throwable e, UriInfo uri) {
        LOG.errorf(e, "A request to %s failed", uri.getPath());
        return response(HttpEdge.error(500, uri.getPath()), uri);
    }

    private static Response response(ApiException e, UriInfo uri) {
        Dialect dialect = Dialect.ofPath(uri.getPath());
        Response.ResponseBuilder response =
                Response.status(dialect.status(e)).entity(dialect.body(e)).type(MediaType.APPLICATION_JSON_TYPE);
        e.retryAfterS().ifPresent(s -> response.header(HttpHeaders.RETRY_AFTER, s));
        return response.build();
    }
}
