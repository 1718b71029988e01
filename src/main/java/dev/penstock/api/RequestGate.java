package dev.penstock.api;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Lets requests in once the models are there and until the server goes down, and counts those that are inside. */
@ApplicationScoped
public class RequestGate {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private State state = State.STARTING;
    private int inside;

    /** What the server does, seen from outside. */
    public enum State {
        /** Models are being loaded. */
        STARTING("The server is loading its models; try again soon."),
        /** Requests are answered. */
        OPEN(""),
        /** Requests that are inside are answered, and no others. */
        DRAINING("The server is shutting down.");

        private final String refusal;

        State(String refusal) {
            this.refusal = refusal;
        }

        /** What a caller is told who isn't let in. */
        String refusal() {
            return refusal;
        }
    }

    /** Lets a request in if the state is {@link State#OPEN}, and only then must it {@link #leave()}. */
    State enter() {
        lock.lock();
        try {
            if (state == State.OPEN) {
                inside++;
            }
            return state;
        } finally {
            lock.unlock();
        }
    }

    /** A request is answered, or its client is gone. */
    void leave() {
        lock.lock();
        try {
            if (--inside == 0) {
                idle.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Requests that are inside. */
    int inside() {
        lock.lock();
        try {
            return inside;
        } finally {
            lock.unlock();
        }
    }

    /** What the server does at present. */
    public State state() {
        lock.lock();
        try {
            return state;
        } finally {
            lock.unlock();
        }
    }

    /** The models are there: lets requests in, unless the server is going down already. */
    public void open() {
        lock.lock();
        try {
            if (state == State.STARTING) {
                state = State.OPEN;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lets no more in, for good; returns at once. */
    public void close() {
        lock.lock();
        try {
            state = State.DRAINING;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the last request has left; false if the time is over before. */
    public boolean awaitIdle(Duration limit) throws InterruptedException {
        long leftNs = limit.toNanos();
        lock.lockInterruptibly();
        try {
            while (inside > 0) {
                if (leftNs <= 0) {
                    return false;
                }
                leftNs = idle.awaitNanos(leftNs);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }
}
