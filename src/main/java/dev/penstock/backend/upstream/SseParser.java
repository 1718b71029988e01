package dev.penstock.backend.upstream;

import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Cuts a stream into events as the HTML standard says (server-sent events), whatever the pieces in which it comes, and gives
 * the data of each. Lines of data are joined by a space: what is JSON stays the same, and fits on a line. For one thread.
 */
final class SseParser {
    private static final byte[] DATA = {'d', 'a', 't', 'a', ':'};

    private final int maxBytes;
    private final Consumer<byte[]> events;
    /** The line that began in an earlier piece, then the data of the event that has begun; what is longer is refused. */
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private boolean afterReturn;

    /**
     * At the beginning.
     *
     * @param maxBytes longest line, and longest data of an event
     * @param events gets each event's data, unless that is empty
     */
    SseParser(int maxBytes, Consumer<byte[]> events) {
        this.maxBytes = maxBytes;
        this.events = events;
    }

    /** Takes the next piece; false if an event is too long, after which nothing more may come. */
    boolean feed(Buffer piece) {
        byte[] bytes = piece.getBytes();
        int begin = 0;
        for (int i = 0; i < bytes.length; i++) {
            byte b = bytes[i];
            if (b == '\n' && afterReturn && i == begin) {
                begin = i + 1;
            } else if (b == '\n' || b == '\r') {
                if (!endLine(bytes, begin, i)) {
                    return false;
                }
                begin = i + 1;
            }
            afterReturn = b == '\r';
        }
        line.write(bytes, begin, bytes.length - begin);
        return line.size() <= maxBytes;
    }

    private boolean endLine(byte[] bytes, int begin, int end) {
        if (line.size() == 0) {
            return take(bytes, begin, end);
        }
        line.write(bytes, begin, end - begin);
        byte[] whole = line.toByteArray();
        line.reset();
        return take(whole, 0, whole.length);
    }

    /** Takes the line between two places. */
    private boolean take(byte[] bytes, int begin, int end) {
        if (begin == end) {
            if (data.size() > 0) {
                byte[] event = data.toByteArray();
                data.reset();
                events.accept(event);
            }
            return true;
        }
        int from = begin + DATA.length;
        if (from <= end && Arrays.equals(bytes, begin, from, DATA, 0, DATA.length)) {
            if (from < end && bytes[from] == ' ') {
                from++;
            }
            if (data.size() > 0) {
                data.write(' ');
            }
            data.write(bytes, from, end - from);
        }
        return data.size() <= maxBytes;
    }
}
