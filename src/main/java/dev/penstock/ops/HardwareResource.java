package dev.penstock.ops;

import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;

/** {@code GET /v1/hardware}: what the machine has on which the models run. */
@Path("/v1/hardware")
@Produces(MediaType.APPLICATION_JSON)
public class HardwareResource {
    /** The machine as it is now, with its speeds once {@code penstock hardware} has measured them. */
    @GET
    @Blocking
    public String get() {
        return HardwareReport.here().json();
    }
}
