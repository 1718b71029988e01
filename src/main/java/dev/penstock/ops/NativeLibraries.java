package dev.penstock.ops;

import dev.penstock.onnx.OnnxSession;
import dev.penstock.prompt.tokenizer.HfTokenizer;
import org.jboss.logging.Logger;

/** Loads what is not Java beside the start of the container, which keeps one core busy; models find it there. */
final class NativeLibraries {
    private static final Logger LOG = Logger.getLogger(NativeLibraries.class);

    private NativeLibraries() {}

    /** Begins on a thread of its own. What fails here fails again, and is told, when a model needs it. */
    static void load() {
        Thread.ofPlatform().name("penstock-natives").daemon().start(() -> {
            try {
                OnnxSession.loadLibrary();
                HfTokenizer.loadLibrary();
            } catch (RuntimeException | LinkageError e) {
                LOG.debug("A native library can't be loaded", e);
            }
        });
    }
}
