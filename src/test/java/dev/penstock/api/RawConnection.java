package dev.penstock.api;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;

/**
 * A connection whose bytes a test writes and reads itself, for POSTs to one path. When it is closed its first reply, as far as it was
 * read, is held against the contract. For one thread.
 */
final class RawConnection implements AutoCloseable {
    private static final int PATIENCE_MS = 60_000;

    private final Socket socket = new Socket();
    private final ByteArrayOutputStream got = new ByteArrayOutputStream();
    private final String path;

    /** To that server, with a buffer of so many bytes for what comes; 0 for the system's. */
    RawConnection(URI server, String path, int receiveBufferBytes) throws IOException {
        this.path = path;
        if (receiveBufferBytes > 0) {
            socket.setReceiveBufferSize(receiveBufferBytes);
        }
        socket.setSoTimeout(PATIENCE_MS);
        socket.connect(new InetSocketAddress(server.getHost(), server.getPort()));
    }

    /** With a request sent. */
    static RawConnection post(URI server, String path, Map<String, String> headers, String json) throws IOException {
        RawConnection connection = new RawConnection(server, path, 0);
        connection.post(headers, json);
        return connection;
    }

    /** Sends a request. */
    void post(Map<String, String> headers, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        StringBuilder head = head();
        headers.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        head.append("Content-Length: ").append(body.length).append("\r\n\r\n");
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(head.toString().getBytes(StandardCharsets.ISO_8859_1));
        request.writeBytes(body);
        write(request.toByteArray());
    }

    /** The beginning of a request's head. */
    StringBuilder head() {
        return new StringBuilder("POST ")
                .append(path)
                .append(" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
    }

    void write(String latin1) throws IOException {
        write(latin1.getBytes(StandardCharsets.ISO_8859_1));
    }

    void write(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    /** Whether something has come that was not read. */
    boolean hasMore() throws IOException {
        return socket.getInputStream().available() > 0;
    }

    /** The next bytes, fewer at the end. */
    String read(int bytes) throws IOException {
        byte[] read = socket.getInputStream().readNBytes(bytes);
        got.writeBytes(read);
        return new String(read, StandardCharsets.UTF_8);
    }

    /** The status line's beginning, {@code HTTP/1.1 200}, once the reply is there as a whole; fewer letters if it never is. */
    String status() throws IOException {
        InputStream in = socket.getInputStream();
        byte[] piece = new byte[8192];
        int n = 0;
        while (n >= 0 && !Reply.of(got.toByteArray()).whole) {
            n = in.read(piece);
            got.write(piece, 0, Math.max(n, 0));
        }
        String all = got.toString(StandardCharsets.ISO_8859_1);
        return all.substring(0, Math.min(12, all.length()));
    }

    /** All that comes until the server closes it, and what was read before; closes it. */
    String readAll() throws IOException {
        got.writeBytes(socket.getInputStream().readAllBytes());
        close();
        return got.toString(StandardCharsets.UTF_8);
    }

    /** Has the close be a reset. */
    void resetOnClose() throws IOException {
        socket.setSoLinger(true, 0);
    }

    @Override
    public void close() throws IOException {
        if (socket.isClosed()) {
            return;
        }
        socket.close();
        Reply reply = Reply.of(got.toByteArray());
        if (reply.status > 0) {
            ContractReplies.check("POST", path, reply.status, reply.type, reply.events());
        }
    }

    /** What there is of a reply. */
    private record Reply(int status, String type, byte[] body, boolean whole) {
        static Reply of(byte[] bytes) {
            String text = new String(bytes, StandardCharsets.ISO_8859_1);
            int end = text.indexOf("\r\n\r\n");
            if (end < 0) {
                return new Reply(0, "", new byte[0], false);
            }
            String head = text.substring(0, end).toLowerCase(Locale.ROOT);
            String rest = text.substring(end + 4);
            boolean chunked = header(head, "transfer-encoding").equals("chunked");
            String length = header(head, "content-length");
            boolean whole = chunked
                    ? rest.startsWith("0\r\n") || rest.contains("\r\n0\r\n")
                    : !length.isEmpty() && rest.length() >= Integer.parseInt(length);
            return new Reply(
                    Integer.parseInt(head.substring(9, 12)),
                    header(head, "content-type"),
                    chunked ? unchunked(rest) : rest.getBytes(StandardCharsets.ISO_8859_1),
                    whole);
        }

        private static String header(String head, String name) {
            int begin = head.indexOf("\r\n" + name + ":");
            return begin < 0
                    ? ""
                    : head.substring(begin + name.length() + 3)
                            .split("\r\n", 2)[0]
                            .strip();
        }

        private static byte[] unchunked(String rest) {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            int at = 0;
            int line = rest.indexOf("\r\n");
            while (line >= 0) {
                int size = Integer.parseInt(rest.substring(at, line), 16);
                int begin = line + 2;
                if (size == 0 || begin + size > rest.length()) {
                    break;
                }
                body.writeBytes(rest.substring(begin, begin + size).getBytes(StandardCharsets.ISO_8859_1));
                at = begin + size + 2;
                line = at > rest.length() ? -1 : rest.indexOf("\r\n", at);
            }
            return body.toByteArray();
        }

        /** The body; of what isn't whole as many events as are. */
        String events() {
            String text = new String(body, StandardCharsets.UTF_8);
            return whole ? text : text.substring(0, text.lastIndexOf("\n\n") + 1);
        }
    }
}
