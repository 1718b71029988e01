package dev.penstock.backend.upstream;

import static dev.penstock.backend.upstream.FakeServer.event;
import static dev.penstock.backend.upstream.FakeServer.events;
import static dev.penstock.backend.upstream.FakeServer.says;
import static org.assertj.core.api.Assertions.assertThat;

import dev.penstock.model.WireCall;
import dev.penstock.model.WireEvent.Ended;
import dev.penstock.model.WireEvent.Failed;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.PfxOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UpstreamHttp2Test extends UpstreamFixture {
    @TempDir
    static Path temp;

    private static PfxOptions certificate;

    @BeforeAll
    static void certificate() throws Exception {
        Path store = temp.resolve("localhost.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "a",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "san=dns:localhost",
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "changeit",
                        "-keystore",
                        store.toString())
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        certificate = new PfxOptions().setPath(store.toString()).setPassword("changeit");
    }

    @Override
    HttpServerOptions serverOptions() {
        return new HttpServerOptions()
                .setSsl(true)
                .setUseAlpn(true)
                .setKeyCertOptions(certificate)
                .setAlpnVersions(List.of(HttpVersion.HTTP_2, HttpVersion.HTTP_1_1));
    }

    @Override
    HttpClientOptions clientOptions() {
        return new HttpClientOptions().setTrustOptions(certificate);
    }

    @Test
    void streamsShareAConnectionAndOneThatIsLeftEndsAlone() throws Exception {
        CountDownLatch reset = new CountDownLatch(1);
        server.next(request -> {
            request.response().exceptionHandler(e -> reset.countDown());
            events(request, says("Hi"));
        });
        Caller left = send(Caller.stream(false));
        left.chunk();
        Caller stays = send(Caller.stream(false));

        assertThat(server.request().request().version()).isEqualTo(HttpVersion.HTTP_2);
        assertThat(stays.all()).last().isInstanceOf(Ended.class);
        left.with(WireCall::cancel);
        assertThat(reset.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(send(Caller.stream(false)).all()).last().isInstanceOf(Ended.class);
        assertThat(server.connections).hasValue(1);
    }

    @Test
    void aSlowReaderDoesNotStopTheOthersOfItsConnection() throws Exception {
        server.next(request -> {
            events(request, says("Hi"));
            for (int i = 0; i < 500; i++) {
                request.response().write(event(says("x".repeat(10_000))));
            }
        });
        Caller slow = send(Caller.stream(false));
        slow.with(WireCall::pause);
        slow.chunk();
        slow.with(WireCall::pause);

        for (int i = 0; i < 20; i++) {
            assertThat(send(Caller.stream(false)).all()).last().isInstanceOf(Ended.class);
        }
    }

    @Test
    void aCertificateOfNobodyIsNotTrusted() throws Exception {
        try (Upstream strict = new Upstream(vertx, upstream().settings())) {
            assertThat(Caller.send(vertx, strict, Caller.stream(false)).all())
                    .singleElement()
                    .isInstanceOf(Failed.class);
        }
    }
}
