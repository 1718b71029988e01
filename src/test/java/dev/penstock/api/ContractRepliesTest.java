package dev.penstock.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** That faults are found, by each of the ways in which tests read replies. */
class ContractRepliesTest {
    private static final String EVENTS = "data: {\"type\": \"message_stop\"}\n\ndata: {\"type\": \"x\"}\n\n";

    private HttpServer server;
    private URI url;

    @BeforeEach
    void aServerWithAFault() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        url = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
        server.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(EVENTS.getBytes(StandardCharsets.UTF_8));
            }
        });
        server.start();
    }

    @AfterEach
    void close() {
        ContractProxy.closeAll();
        server.stop(0);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
        GET | /v1/models | 200 | application/json | {"object": "list"}
        GET | /v1/models/a/b | 200 | application/json | {"id": 7}
        POST | /v1/chat/completions | 400 | application/json | {"error": {"message": "no"}}
        POST | /v1/chat/completions | 200 | text/event-stream | data: {"id": "c"}
        POST | /v1/messages | 200 | application/json | {"id": "m"}
        POST | /v1/messages | 400 | application/json | {"error": {"message": "no", "type": "x", "param": null, "code": null}}
        POST | /tokenize | 200 | application/json | {"tokens": []}
        POST | /v1/unheard/of | 200 | application/json | {}
        """)
    void aReplyThatIsNotByTheContractIsAFault(String method, String path, int status, String type, String body) {
        if (Contract.isThere() || path.startsWith("/v1/messages") || path.equals("/tokenize")) {
            assertThatThrownBy(() -> ContractReplies.check(method, path, status, type, body))
                    .isInstanceOf(AssertionError.class);
        }
        assertThatCode(() -> ContractReplies.check(method, "/elsewhere", status, type, body))
                .doesNotThrowAnyException();
    }

    @Test
    void aConnectionThatIsReadByHandFindsTheFaultOnceItHasTheEvent() throws Exception {
        RawConnection none = RawConnection.post(url, "/v1/messages", Map.of(), "{}");
        String begin = none.read(12);
        RawConnection all = RawConnection.post(url, "/v1/messages", Map.of(), "{}");

        assertThat(begin).isEqualTo("HTTP/1.1 200");
        assertThatCode(none::close).doesNotThrowAnyException();
        assertThat(all.status()).isEqualTo("HTTP/1.1 200");
        assertThatThrownBy(all::close).isInstanceOf(AssertionError.class).hasMessageContaining("\"x\"");
    }

    @Test
    void aStreamThatIsReadWhileItIsMadeFindsTheFaultAtItsEvent() throws Exception {
        try (LiveStream stream = LiveStream.open(url, "/v1/messages", "{}")) {
            assertThat(stream.nextData()).contains("message_stop");
            assertThatThrownBy(stream::nextData).isInstanceOf(AssertionError.class);
        }
    }

    @Test
    void aClientBehindTheProxyReadsWhatCameAndTheFaultIsKept() throws Exception {
        RawConnection client =
                RawConnection.post(ContractProxy.before(url), "/unchecked", Map.of("Connection", "close"), "{}");
        assertThat(client.readAll()).contains("\"x\"");
        assertThatCode(ContractProxy::check).doesNotThrowAnyException();

        LiveStream stream = LiveStream.open(ContractProxy.before(url), "/v1/messages", "{}");
        stream.nextData();
        assertThatThrownBy(stream::nextData).isInstanceOf(AssertionError.class);
        stream.close();

        await().untilAsserted(() -> assertThatThrownBy(ContractProxy::check).isInstanceOf(AssertionError.class));
        assertThatCode(ContractProxy::check).doesNotThrowAnyException();
    }
}
