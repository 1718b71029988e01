package dev.penstock.backend.upstream;

import io.vertx.core.buffer.Buffer;
import java.util.function.Consumer;

/**
 * Cuts a stream into events as the HTML standard says (server-sent events), whatever the pieces in which it comes, and gives
 * the data of each. Lines of data are joined by a space: what is JSON stays the same, and fits on a line. For one thread.
 */
final class SseParser {
    private static final byte[] DATA = {'d', 'a', 't', 'a', ':'};

    private final int maxBytes;
    private final Consumer<byte[]> events;
    /** The line that has begun, then the data of the event that has begun; what is longer is refused. */
    private Buffer line = Buffer.buffer();

    private Buffer data = Buffer.buffer();
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
                line.appendBytes(bytes, begin, i - begin);
                if (!endLine()) {
                    return false;
                }
                begin = i + 1;
            }
            afterReturn = b == '\r';
        }
        line.appendBytes(bytes, begin, bytes.length - begin);
        return line.length() <= maxBytes;
    }

    private boolean endLine() {
        if (line.length() == 0) {
            if (data.length() > 0) {
                byte[] event = data.getBytes();
                data = Buffer.buffer();
                events.accept(event);
            }
            return true;
        }
        if (startsWithData()) {
            int from = line.length() > DATA.length && line.getByte(DATA.length) == ' ' ? DATA.length + 1 : DATA.length;
            if (data.length() > 0) {
                data.appendByte((byte) ' ');
            }
            data.appendBuffer(line, from, line.length() - from);
        }
        line = Buffer.buffer();
        return data.length() <= maxBytes;
    }

    private boolean startsWithData() {
        for (int i = 0; i < DATA.length; i++) {
            if (i >= line.length() || line.getByte(i) != DATA[i]) {
                return false;
            }
        }
        return true;
    }
}
