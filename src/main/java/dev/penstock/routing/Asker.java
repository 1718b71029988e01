package dev.penstock.routing;

/** Who asks a router where a request is to run; called from any thread, and must return at once. */
public interface Asker {
    /** It is to run there; its place is taken already and must be given back, whatever becomes of it. */
    void run(Placement placement);

    /** It is to be refused. */
    void refuse(Decision.Shed shed);
}
